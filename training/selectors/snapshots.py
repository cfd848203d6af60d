"""The votes that training and evaluation use."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.consensus.labels import UNDECIDED, majority_labels
from annotation.measures.votes import VoteTable
from annotation.models import Campaign, Image
from annotation.selectors.votes import vote_table
from training.learning.dataset import Snapshot, rated_images

# A single vote is not a mean opinion score.
VOTES_FOR_QUALITY = 2


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
    votes: Snapshot
    """The single votes."""
    vote_count: int
    fingerprint: str

    @property
    def image_ids(self) -> NDArray[np.int64]:
        """Return the photos used for quality or watch metrics, ascending."""
        return np.union1d(self.quality_ids, self.watch_ids)


def training_snapshot(campaign: Campaign, *, exposed_answers: bool) -> Snapshot:
    """Return the answers to train photos (three queries).

    Answers given after seeing a prediction are included only if `exposed_answers` is true.
    """
    split = Image.Split.TRAIN
    return _snapshot(campaign, split, vote_table(campaign, split=split, independent=not exposed_answers))


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
    """Return the holdout votes that evaluations use, with their weights. Ties and 'unsure' give no watch label."""
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
        votes=votes,
        vote_count=len(votes),
        fingerprint=votes.fingerprint,
    )
