"""The frozen data of a run: each annotator's answer to each image, and the fingerprint of all answers."""

import hashlib
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotation.consensus.labels import watch_weights
from annotation.files.whole_file import whole_file
from annotation.measures.opinion import weighted_histograms


@dataclass(frozen=True)
class Snapshot:
    """Standing answers as columns of one length [V], sorted by image and annotator."""

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

    def __post_init__(self) -> None:
        if not len(self.weights):
            object.__setattr__(self, "weights", np.ones(len(self)))
        order = np.lexsort((self.annotator_ids, self.sha256))
        for column in fields(self):
            object.__setattr__(self, column.name, getattr(self, column.name)[order])

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the rows (image's SHA-256, annotator, watch, score, weight), 64 hex digits.

        A weight of 1 is left out, so that the fingerprint is that of versions from before there were weights.
        Image ids are left out, so that the same photos and answers in another database have the same fingerprint.
        """
        digest = hashlib.sha256()
        for row in zip(self.sha256, self.annotator_ids, self.watch, self.scores, self.weights, strict=True):
            weight = "" if row[4] == 1 else f",{row[4]:g}"
            digest.update(f"{row[0]},{row[1]},{row[2]},{row[3]}{weight}\n".encode())
        return digest.hexdigest()

    def of_images(self, image_ids: NDArray[np.int64]) -> "Snapshot":
        """Return the rows of these images only."""
        rows = np.isin(self.image_ids, image_ids)
        return Snapshot(**{column.name: getattr(self, column.name)[rows] for column in fields(self)})

    def save(self, path: Path) -> None:
        """Write the columns as an npz file. An interrupted write leaves no partial file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            np.savez_compressed(file, **{column.name: getattr(self, column.name) for column in fields(self)})

    @classmethod
    def load(cls, path: Path) -> "Snapshot":
        """Read a file that `save` wrote, also one from before there were weights."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(**{column.name: stored[column.name] for column in fields(cls) if column.name in stored})


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
    """Sums of the weights [N, K] of each opinion score, lowest first: counts when each vote has weight 1."""
    watch_yes: NDArray[np.float32]
    """Sum of the weights of the votes for 'watch', as `watch_no` of those for 'no watch'."""
    watch_no: NDArray[np.float32]
    votes: RatedVotes | None = None
    """None where only histograms are known."""

    def __len__(self) -> int:
        return len(self.image_ids)

    def part(self, rows: NDArray[np.bool_]) -> "RatedImages":
        """Return the images selected by `rows` [N]."""
        columns = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "votes"}
        votes = self.votes.part(rows) if self.votes is not None else None
        return RatedImages(**{name: column[rows] for name, column in columns.items()}, votes=votes)


def rated_images(snapshot: Snapshot, *, lowest: int, highest: int) -> RatedImages:
    """Return the histograms and watch labels per image of a snapshot, with the weights of its votes.

    Raises ValueError for a score outside lowest … highest, which means that the scale was changed after the vote.
    """
    if len(snapshot) and not lowest <= snapshot.scores.min() <= snapshot.scores.max() <= highest:
        raise ValueError(
            f"Some opinion scores lie outside the scale {lowest} … {highest}; "
            "restore the scale that the campaign had when these answers were given."
        )
    image_ids, first, row = np.unique(snapshot.image_ids, return_index=True, return_inverse=True)
    _, histograms = weighted_histograms(
        snapshot.image_ids, snapshot.scores, snapshot.weights, lowest=lowest, highest=highest
    )
    watch_yes, watch_no = watch_weights(row, snapshot.watch, snapshot.weights, photos=len(image_ids))
    return RatedImages(
        image_ids=image_ids,
        groups=snapshot.groups[first],
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
    )
