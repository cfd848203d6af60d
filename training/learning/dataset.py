"""The frozen data of a run: answers of annotators, imported histograms and labels, and their fingerprint."""

import hashlib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from annotation.consensus.labels import watch_weights
from annotation.files.whole_file import whole_file
from annotation.measures.opinion import weighted_histograms


@dataclass(frozen=True)
class _Imported:
    """What imports say about images, as columns of one length with a row per image, ascending by its SHA-256."""

    image_ids: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    sha256: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, "U64"))
    """Of the image's bytes."""
    groups: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, "U36"))
    """Of near-duplicates."""

    def __post_init__(self) -> None:
        order = np.argsort(self.sha256, kind="stable")
        for column in fields(self):
            object.__setattr__(self, column.name, getattr(self, column.name)[order])

    def __len__(self) -> int:
        return len(self.image_ids)

    def part(self, rows: NDArray[np.bool_]) -> Self:
        """Return the rows that are selected [M]."""
        return type(self)(**{column.name: getattr(self, column.name)[rows] for column in fields(self)})


@dataclass(frozen=True)
class Histograms(_Imported):
    """Votes that are known only summed up, one row per image [M], ascending by the image's SHA-256."""

    counts: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    """Votes [M, K] for each opinion score of the campaign's scale, lowest first."""


@dataclass(frozen=True)
class WatchLabels(_Imported):
    """Imported watch labels, of which nobody knows who gave them, one row per image [L], ascending by its SHA-256."""

    watch: NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))
    """1 watch, 0 no watch [L]."""


@dataclass(frozen=True)
class Snapshot:
    """Standing answers as columns of one length [V], sorted by image and annotator, imported histograms and labels."""

    image_ids: NDArray[np.int64]
    sha256: NDArray[np.str_]
    """Of the image's bytes."""
    groups: NDArray[np.str_]
    """Of near-duplicates."""
    annotator_ids: NDArray[np.int64]
    scores: NDArray[np.int16]
    """Opinion scores, on the campaign's scale."""
    watch: NDArray[np.int8]
    """1 watch, 0 no watch, -1 unsure."""
    weights: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """How much each answer counts, above 0 and at most 1. All 1 when left out."""
    aggregated: Histograms = field(default_factory=Histograms)
    """Imported histograms, whose votes are none of the answers."""
    labels: WatchLabels = field(default_factory=WatchLabels)
    """Imported watch labels, which are no answers either."""

    def __post_init__(self) -> None:
        if not len(self.weights):
            object.__setattr__(self, "weights", np.ones(len(self)))
        order = np.lexsort((self.annotator_ids, self.sha256))
        for name in _ANSWER_COLUMNS:
            object.__setattr__(self, name, getattr(self, name)[order])

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def photo_ids(self) -> NDArray[np.int64]:
        """Return the ids of the images with an answer, a histogram or a label, ascending."""
        return np.union1d(np.union1d(self.image_ids, self.aggregated.image_ids), self.labels.image_ids)

    @property
    def all_groups(self) -> NDArray[np.str_]:
        """Return the groups of near-duplicates of these images; some are there several times."""
        return np.concatenate([self.groups, self.aggregated.groups, self.labels.groups])

    @property
    def all_sha256(self) -> NDArray[np.str_]:
        """Return the SHA-256 of these images; some are there several times."""
        return np.concatenate([self.sha256, self.aggregated.sha256, self.labels.sha256])

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the rows (image's SHA-256, annotator, watch, score, weight), 64 hex digits.

        Histograms follow, if there are any: the image's SHA-256 and the votes for each score. Then labels, if there are
        any: the image's SHA-256 and 1 or 0.
        A weight of 1 is left out, so that the fingerprint is that of versions from before there were weights.
        Image ids are left out, so that the same photos and answers in another database have the same fingerprint.
        """
        digest = hashlib.sha256()
        for row in zip(self.sha256, self.annotator_ids, self.watch, self.scores, self.weights, strict=True):
            weight = "" if row[4] == 1 else f",{row[4]:g}"
            digest.update(f"{row[0]},{row[1]},{row[2]},{row[3]}{weight}\n".encode())
        for sha256, counts in zip(self.aggregated.sha256, self.aggregated.counts.tolist(), strict=True):
            digest.update(f"{sha256}:{','.join(f'{count:.6g}' for count in counts)}\n".encode())
        for sha256, watch in zip(self.labels.sha256, self.labels.watch, strict=True):
            digest.update(f"{sha256}=watch:{watch}\n".encode())
        return digest.hexdigest()

    def of_images(self, image_ids: NDArray[np.int64]) -> "Snapshot":
        """Return the rows of these images only."""
        rows = np.isin(self.image_ids, image_ids)
        return Snapshot(
            **{name: getattr(self, name)[rows] for name in _ANSWER_COLUMNS},
            aggregated=self.aggregated.part(np.isin(self.aggregated.image_ids, image_ids)),
            labels=self.labels.part(np.isin(self.labels.image_ids, image_ids)),
        )

    def save(self, path: Path) -> None:
        """Write the columns as an npz file. An interrupted write leaves no partial file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            columns = {name: getattr(self, name) for name in _ANSWER_COLUMNS}
            columns |= {f"{_HISTOGRAM_KEY}{one.name}": getattr(self.aggregated, one.name) for one in fields(Histograms)}
            columns |= {f"{_LABEL_KEY}{one.name}": getattr(self.labels, one.name) for one in fields(WatchLabels)}
            np.savez_compressed(file, **columns)

    @classmethod
    def load(cls, path: Path) -> "Snapshot":
        """Read a file that `save` wrote, also one from before there were weights, histograms and labels."""
        with np.load(path, allow_pickle=False) as stored:
            keys = {one.name: f"{_HISTOGRAM_KEY}{one.name}" for one in fields(Histograms)}
            of_labels = {one.name: f"{_LABEL_KEY}{one.name}" for one in fields(WatchLabels)}
            return cls(
                **{name: stored[name] for name in _ANSWER_COLUMNS if name in stored},
                aggregated=Histograms(**{name: stored[key] for name, key in keys.items() if key in stored}),
                labels=WatchLabels(**{name: stored[key] for name, key in of_labels.items() if key in stored}),
            )


_ANSWER_COLUMNS = tuple(column.name for column in fields(Snapshot) if column.name not in {"aggregated", "labels"})
_HISTOGRAM_KEY, _LABEL_KEY = "aggregated_", "label_"  # before the names of their columns in a file


@dataclass(frozen=True)
class RatedVotes:
    """The single answers, as columns of one length [V]."""

    photos: NDArray[np.int64]
    """Row of the photo among the rated ones."""
    annotator_ids: NDArray[np.int64]
    steps: NDArray[np.int64]
    """Steps above the lowest score of the scale, 0 … K − 1."""
    weights: NDArray[np.float64]
    """How much each vote counts, above 0 and at most 1."""
    watch: NDArray[np.int8] | None = None
    """1 watch, 0 no watch, -1 unsure; None: nobody was asked, or only numbers of votes are known."""

    def part(self, rows: NDArray[np.bool_]) -> "RatedVotes":
        """Return the votes on the photos selected by `rows` [N]; they are numbered anew."""
        kept = rows[self.photos]
        return RatedVotes(
            photos=(np.cumsum(rows) - 1)[self.photos[kept]],
            annotator_ids=self.annotator_ids[kept],
            steps=self.steps[kept],
            weights=self.weights[kept],
            watch=None if self.watch is None else self.watch[kept],
        )


@dataclass(frozen=True)
class RatedImages:
    """All votes per image, one row per image [N], ascending by image id."""

    image_ids: NDArray[np.int64]
    groups: NDArray[np.str_]
    histograms: NDArray[np.float32]
    """Sums of the weights [N, K] of each opinion score, lowest first: counts when each vote has weight 1. Imported
    histograms are part of them."""
    watch_yes: NDArray[np.float32]
    """Sum of the weights of the votes for 'watch', as `watch_no` of those for 'no watch'."""
    watch_no: NDArray[np.float32]
    votes: RatedVotes | None = None
    """The single votes; None where only histograms are known."""
    aggregated: NDArray[np.float32] | None = None
    """What of `histograms` came from imported histograms [N, K]; None without any."""
    watch_labels: NDArray[np.int8] | None = None
    """Imported watch labels: 1 watch, 0 no watch, -1 for photos without one [N]; None without any."""

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def has_scores(self) -> NDArray[np.bool_]:
        """Return for each photo [N] whether it has a score; the others have only a watch label."""
        found: NDArray[np.bool_] = self.histograms.sum(axis=1) > 0
        return found

    def part(self, rows: NDArray[np.bool_]) -> "RatedImages":
        """Return the images selected by `rows` [N]."""
        kept: dict[str, Any] = {"votes": self.votes.part(rows) if self.votes is not None else None}
        for name in (column.name for column in fields(self) if column.name != "votes"):
            column = getattr(self, name)
            kept[name] = None if column is None else column[rows]
        return RatedImages(**kept)


def rated_images(snapshot: Snapshot, *, lowest: int, highest: int) -> RatedImages:
    """Return the histograms and watch labels per image of a snapshot, with the weights of its votes.

    Raises ValueError for a score outside lowest … highest, which means that the scale was changed after the vote.
    """
    if len(snapshot) and not lowest <= snapshot.scores.min() <= snapshot.scores.max() <= highest:
        raise ValueError(
            f"Some opinion scores lie outside the scale {lowest} … {highest}; "
            "restore the scale that the campaign had when these answers were given."
        )
    known, labels = snapshot.aggregated, snapshot.labels
    if len(known) and known.counts.shape[1] != highest - lowest + 1:
        raise ValueError(f"The imported histograms are not on the scale {lowest} … {highest}; start a new run.")
    all_ids = np.concatenate([snapshot.image_ids, known.image_ids, labels.image_ids])
    image_ids, first, rows = np.unique(all_ids, return_index=True, return_inverse=True)
    row = rows[: len(snapshot)]
    histograms = np.zeros((len(image_ids), highest - lowest + 1))
    if len(snapshot):
        answered, of_answers = weighted_histograms(
            snapshot.image_ids, snapshot.scores, snapshot.weights, lowest=lowest, highest=highest
        )
        histograms[np.searchsorted(image_ids, answered)] = of_answers
    aggregated = None
    if len(known):
        aggregated = np.zeros_like(histograms)
        np.add.at(aggregated, rows[len(snapshot) : len(snapshot) + len(known)], known.counts)
        histograms += aggregated
    watch_labels = None
    if len(labels):
        watch_labels = np.full(len(image_ids), -1, dtype=np.int8)
        watch_labels[rows[len(snapshot) + len(known) :]] = labels.watch
    watch_yes, watch_no = watch_weights(row, snapshot.watch, snapshot.weights, photos=len(image_ids))
    return RatedImages(
        image_ids=image_ids,
        groups=snapshot.all_groups[first],
        histograms=histograms.astype(np.float32),
        watch_yes=watch_yes.astype(np.float32),
        watch_no=watch_no.astype(np.float32),
        votes=RatedVotes(
            photos=row,
            annotator_ids=snapshot.annotator_ids,
            steps=snapshot.scores.astype(np.int64) - lowest,
            weights=snapshot.weights,
            watch=snapshot.watch,
        ),
        aggregated=None if aggregated is None else aggregated.astype(np.float32),
        watch_labels=watch_labels,
    )
