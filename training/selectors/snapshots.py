"""The votes that training and evaluation use."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from numpy.typing import NDArray

from annotation.consensus.labels import UNDECIDED, majority_labels
from annotation.measures.scale_map import histograms_moved
from annotation.measures.votes import VoteTable
from annotation.models import SOUND_PROBLEMS, Adjudication, AggregatedVotes, Annotation, Campaign, Image
from annotation.selectors.votes import WATCH_CODES, vote_table
from training.learning.dataset import Histograms, Snapshot, WatchLabels, rated_images

# A single vote is not a mean opinion score.
VOTES_FOR_QUALITY = 2
_ROWS = 2000  # rows per read


@dataclass(frozen=True)
class HoldoutOpinions:
    """Votes on the holdout photos, given without seeing a prediction."""

    quality_ids: NDArray[np.int64]
    """Photos with at least two votes, ascending [N]."""
    histograms: NDArray[np.float64]
    """Their sums of the weights of each opinion score [N, K], lowest first."""
    watch_ids: NDArray[np.int64]
    """Photos with a majority watch label, ascending [M]."""
    watch_labels: NDArray[np.int8]
    """1 watch, 0 no watch [M]."""
    quality_groups: NDArray[np.str_]
    """Groups of near-duplicates of the photos in `quality_ids` [N]."""
    watch_groups: NDArray[np.str_]
    """Groups of near-duplicates of the photos in `watch_ids` [M]."""
    votes: Snapshot
    """The single votes."""
    vote_count: int
    fingerprint: str

    @property
    def image_ids(self) -> NDArray[np.int64]:
        """Return the photos used for quality or watch metrics, ascending."""
        return np.union1d(self.quality_ids, self.watch_ids)


@dataclass(frozen=True)
class UsedDecisions:
    """Reviewers' decisions that a training run uses as labels."""

    count: int = 0
    after_reveal: int = 0
    """Those of them that the reviewer gave or changed when predictions were, or may have been, visible."""


def training_snapshot(campaign: Campaign, *, exposed_answers: bool) -> Snapshot:
    """Return the answers to train photos, as `training_data` does."""
    return training_data(campaign, exposed_answers=exposed_answers)[0]


def training_data(campaign: Campaign, *, exposed_answers: bool) -> tuple[Snapshot, UsedDecisions]:
    """Return what a run learns from: answers, histograms and watch labels of train photos (five queries, six with
    decisions), and the decisions among the answers.

    Answers given after seeing a prediction are included only if `exposed_answers` is true. Where the campaign uses
    decisions as labels, a decision replaces the votes on its photo, also those of a histogram and an imported label.
    """
    split = Image.Split.TRAIN
    votes = vote_table(campaign, split=split, independent=not exposed_answers)
    used = UsedDecisions()
    histograms, labels = training_histograms(campaign), training_labels(campaign)
    if campaign.decisions_as_labels:
        votes, used = _decided(campaign, split, votes)
        imported = len(histograms) + len(labels)
        decided = list(_decisions(campaign, split).values_list("image", flat=True) if used.count and imported else ())
        histograms = histograms.part(~np.isin(histograms.image_ids, decided))
        labels = labels.part(~np.isin(labels.image_ids, decided))
    return replace(_snapshot(campaign, split, votes), aggregated=histograms, labels=labels), used


def training_histograms(campaign: Campaign) -> Histograms:
    """Return the imported histograms of train photos on the campaign's scale (one query).

    Where several imports have a histogram of a photo, the newest counts: two files of a data set often have the same
    votes. Photos that are lost, damaged or reported are left out, as for answers.
    """
    found: dict[int, tuple[str, str, tuple[int, int], list[int]]] = {}
    fields = ("image", "image__sha256", "image__group", "vote_import__scale_min", "vote_import__scale_max", "counts")
    rows = training_histogram_rows(campaign).order_by("vote_import_id", "pk").values_list(*fields)
    for image, sha256, group, lowest, highest, counts in rows.iterator(chunk_size=_ROWS):
        found[image] = (sha256, str(group), (lowest, highest), counts)
    own = (campaign.scale_min, campaign.scale_max)
    moved = np.zeros((len(found), campaign.bins))
    for scale in {row[2] for row in found.values()}:
        places = [place for place, row in enumerate(found.values()) if row[2] == scale]
        moved[places] = histograms_moved([row[3] for row in found.values() if row[2] == scale], scale, own)
    return Histograms(
        image_ids=np.array(list(found), dtype=np.int64),
        sha256=np.array([row[0] for row in found.values()], dtype="U64"),
        groups=np.array([row[1] for row in found.values()], dtype="U36"),
        counts=moved,
    )


def training_histogram_rows(campaign: Campaign) -> QuerySet[AggregatedVotes]:
    """Return the imported histograms of photos that a run learns from; a photo can have several.

    A photo with imported single votes has none: the histogram is most likely the sum of these votes, and would count
    them again. Votes that were given on this site are never in an imported histogram, so both count.
    """
    return _training_rows(campaign, _single_votes()).filter(counts__isnull=False)


def training_labels(campaign: Campaign) -> WatchLabels:
    """Return the imported watch labels of train photos (one query). Where several imports have one, the newest counts.

    A label of an import is one vote, however many votes it says it sums up, and 'unsure' is none.
    """
    fields = ("image", "image__sha256", "image__group", "watch_yes", "watch_no")
    rows = training_label_rows(campaign).order_by("vote_import_id", "pk").values_list(*fields)
    found = {row[0]: (row[1], str(row[2]), row[3] > row[4]) for row in rows.iterator(chunk_size=_ROWS)}
    return WatchLabels(
        image_ids=np.array(list(found), dtype=np.int64),
        sha256=np.array([row[0] for row in found.values()], dtype="U64"),
        groups=np.array([row[1] for row in found.values()], dtype="U36"),
        watch=np.array([row[2] for row in found.values()], dtype=np.int8),
    )


def training_label_rows(campaign: Campaign) -> QuerySet[AggregatedVotes]:
    """Return the imported watch labels of photos that a run learns from; a photo can have several.

    A photo with imported single votes that say yes, no or unsure has none, as for histograms. Imported votes with a
    score alone say nothing about a watch.
    """
    asked = _single_votes().exclude(watch="")
    return _training_rows(campaign, asked).filter(watch_yes__isnull=False).exclude(watch_yes=F("watch_no"))


def imported_kinds(*, histograms: bool, labels: bool) -> Q:
    """Return a condition on aggregated votes: those with one of these kinds of content. Without any it is empty."""
    return (Q(counts__isnull=False) if histograms else Q()) | (Q(watch_yes__isnull=False) if labels else Q())


def _single_votes() -> QuerySet[Annotation]:
    return Annotation.objects.filter(image=OuterRef("image"), vote_import__isnull=False)


def _training_rows(campaign: Campaign, unless: QuerySet[Annotation]) -> QuerySet[AggregatedVotes]:
    return AggregatedVotes.objects.filter(
        ~Exists(unless),
        vote_import__campaign=campaign,
        image__split=Image.Split.TRAIN,
        image__withdrawn_at=None,
        image__problem__in=SOUND_PROBLEMS,
    )


def curve_votes(campaign: Campaign) -> Snapshot:
    """Return the votes for a learning curve: on train photos, fit for evaluation, because they are tested too.

    No reviewer's decision and no answer that was given after seeing a prediction is among them (three queries).
    """
    split = Image.Split.TRAIN
    return _snapshot(campaign, split, vote_table(campaign, split=split, for_evaluation=True))


def _decided(campaign: Campaign, split: str, votes: VoteTable) -> tuple[VoteTable, UsedDecisions]:
    """Return the votes with decisions in their place.

    A decision counts as often as the votes that it replaces, so that the photo keeps its weight, and at least once.
    """
    decisions = _decisions(campaign, split)
    rows = list(decisions.order_by("image").values_list("image", "reviewer", "score", "watch", "saw_prediction"))
    if not rows:
        return votes, UsedDecisions()
    images = np.array([row[0] for row in rows], dtype=np.int64)
    kept = ~np.isin(votes.image_ids, images)
    times = np.maximum(np.bincount(np.searchsorted(images, votes.image_ids[~kept]), minlength=len(images)), 1)
    columns: dict[str, NDArray[Any]] = {
        "annotation_ids": np.zeros(len(rows), dtype=np.int64),  # no answers of annotators
        "image_ids": images,
        "annotator_ids": np.array([row[1] for row in rows], dtype=np.int64),
        "scores": np.array([row[2] for row in rows], dtype=np.int16),
        "watch": np.array([WATCH_CODES[row[3]] for row in rows], dtype=np.int8),
        "weights": np.ones(len(rows)),
    }
    together = VoteTable(
        **{
            name: np.concatenate([getattr(votes, name)[kept], np.repeat(values, times)])
            for name, values in columns.items()
        }
    )
    return together, UsedDecisions(len(rows), sum(row[4] for row in rows))


def _decisions(campaign: Campaign, split: str) -> QuerySet[Adjudication]:
    return Adjudication.objects.filter(
        image__campaign=campaign, image__split=split, image__withdrawn_at=None, undone_at=None
    )


def _snapshot(campaign: Campaign, split: str, votes: VoteTable) -> Snapshot:
    rows = Image.objects.filter(campaign=campaign, split=split).values_list("pk", "sha256", "group")
    images = {pk: (sha256, str(group)) for pk, sha256, group in rows}
    known = [images[image_id] for image_id in votes.image_ids.tolist()]
    return Snapshot(
        image_ids=votes.image_ids,
        sha256=np.array([sha256 for sha256, _ in known], dtype="U64"),
        groups=np.array([group for _, group in known], dtype="U36"),
        annotator_ids=votes.annotator_ids,
        scores=votes.scores,
        watch=votes.watch,
        weights=votes.weights,
    )


def holdout_opinions(campaign: Campaign) -> HoldoutOpinions:
    """Return the holdout votes that evaluations use, with their weights. Ties and 'unsure' give no watch label.

    Imported histograms and watch labels are no part of them: nobody knows whether they come from the people of the
    campaign, and agreement, ceiling and intervals need single votes.
    """
    split = Image.Split.HOLDOUT
    votes = _snapshot(campaign, split, vote_table(campaign, split=split, for_evaluation=True))
    rated = rated_images(votes, lowest=campaign.scale_min, highest=campaign.scale_max)
    _, given = np.unique(votes.image_ids, return_counts=True)
    enough = given >= VOTES_FOR_QUALITY
    labels = majority_labels(rated.watch_yes, rated.watch_no)
    decided = labels != UNDECIDED
    return HoldoutOpinions(
        quality_ids=rated.image_ids[enough],
        histograms=rated.histograms[enough].astype(np.float64),
        watch_ids=rated.image_ids[decided],
        watch_labels=labels[decided],
        quality_groups=rated.groups[enough],
        watch_groups=rated.groups[decided],
        votes=votes,
        vote_count=len(votes),
        fingerprint=votes.fingerprint,
    )
