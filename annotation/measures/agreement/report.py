"""All figures of agreement of a campaign's votes, for its reviewers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.measures.agreement.alpha import krippendorff_alpha
from annotation.measures.agreement.ceiling import FEWEST_PHOTOS, Ceiling, vote_ceiling
from annotation.measures.agreement.halves import spearman_brown, split_half_srcc
from annotation.measures.agreement.ranks import leave_one_out_srcc, pairwise_srcc
from annotation.measures.intervals import Interval
from annotation.measures.votes import VoteTable

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ScoreAgreement:
    """How far people agree about the scores. NaN where the votes are not enough to tell."""

    photos: int
    """Photos with two or more votes."""
    alpha: Interval
    """Krippendorff's alpha, interval level."""
    ceiling: Ceiling


@dataclass(frozen=True)
class AgreementReport:
    """Figures of agreement. NaN where the votes are not enough to tell."""

    photos: int
    """Photos with two or more votes."""
    votes: int
    annotators: int
    alpha: Interval
    """Krippendorff's alpha of the scores, interval level."""
    alpha_ordinal: Interval
    alpha_watch: Interval
    """Nominal alpha of the watch labels; 'unsure' counts as missing."""
    ceiling: Ceiling
    split_half: Interval
    """SRCC of two halves of the people."""
    all_votes: Interval
    """Reliability of the MOS of all votes, by Spearman and Brown."""
    pairs: Interval
    """Median SRCC of two annotators."""
    against_others: Interval
    """Median SRCC of one annotator and the mean of the others."""

    @property
    def is_enough(self) -> bool:
        """Return whether there are enough photos with two votes."""
        return self.photos >= FEWEST_PHOTOS


@dataclass(frozen=True)
class WeekAgreement:
    """Agreement on the photos whose last vote is in one week."""

    week: int
    """Number of the week, as given with the votes."""
    photos: int
    """Photos with two or more votes."""
    alpha: Interval
    ceiling: Ceiling
    split_half: Interval


def score_agreement(votes: VoteTable, *, lowest: int, highest: int, seed: int) -> ScoreAgreement:
    """Return how far people agree about the scores, on the scale lowest … highest. `seed`: of the interval."""
    table = _counts(votes.image_ids, votes.scores - lowest, highest - lowest + 1)
    photos = int((table.sum(axis=1) > 1).sum())
    if photos < FEWEST_PHOTOS:
        nothing = votes.where(np.zeros(len(votes), dtype=np.bool_))
        unknown = Interval(float("nan"), float("nan"), float("nan"), photos)
        return ScoreAgreement(photos, unknown, vote_ceiling(nothing.image_ids, nothing.annotator_ids, nothing.scores))
    return ScoreAgreement(
        photos,
        krippendorff_alpha(table, level="interval", seed=seed),
        vote_ceiling(votes.image_ids, votes.annotator_ids, votes.scores),
    )


def agreement_report(votes: VoteTable, *, lowest: int, highest: int, seed: int) -> AgreementReport:
    """Return the figures of these votes, on the scale lowest … highest. The same seed gives the same intervals."""
    columns = (votes.image_ids, votes.annotator_ids, votes.scores)
    scores = score_agreement(votes, lowest=lowest, highest=highest, seed=seed)
    photos, enough = scores.photos, scores.photos >= FEWEST_PHOTOS
    table = _counts(votes.image_ids, votes.scores - lowest, highest - lowest + 1)
    said = votes.watch >= 0
    watch = _counts(votes.image_ids[said], votes.watch[said], 2)
    enough_watch = (watch.sum(axis=1) > 1).sum() >= FEWEST_PHOTOS
    nothing = Interval(float("nan"), float("nan"), float("nan"), photos)
    return AgreementReport(
        photos=photos,
        votes=len(votes),
        annotators=len(np.unique(votes.annotator_ids)),
        alpha=scores.alpha,
        alpha_ordinal=krippendorff_alpha(table, level="ordinal", seed=seed) if enough else nothing,
        alpha_watch=krippendorff_alpha(watch, level="nominal", seed=seed) if enough_watch else nothing,
        ceiling=scores.ceiling,
        split_half=split_half_srcc(*columns, seed=seed) if enough else nothing,
        all_votes=spearman_brown(*columns, seed=seed) if enough else nothing,
        pairs=pairwise_srcc(*columns, seed=seed),
        against_others=leave_one_out_srcc(*columns, seed=seed),
    )


def agreement_by_week(
    votes: VoteTable, weeks: Ints, *, lowest: int, highest: int, seed: int, at_most: int
) -> list[WeekAgreement]:
    """Return the figures of the last `at_most` weeks with enough photos, oldest first. `weeks`: one number per vote.

    Each photo counts in the week of its last vote, with all its votes. So each vote counts once.
    """
    image_ids, row = np.unique(votes.image_ids, return_inverse=True)
    last = np.full(len(image_ids), -1, dtype=np.int64)
    np.maximum.at(last, row, weeks)
    has_two_votes = np.bincount(row, minlength=len(image_ids)) > 1
    numbers, photos = np.unique(last[has_two_votes], return_counts=True)
    found = []
    for week in numbers[photos >= FEWEST_PHOTOS][-at_most:].tolist():
        of_week = votes.of_images(image_ids[last == week])
        scores = score_agreement(of_week, lowest=lowest, highest=highest, seed=seed)
        found.append(
            WeekAgreement(
                week=week,
                photos=scores.photos,
                alpha=scores.alpha,
                ceiling=scores.ceiling,
                split_half=split_half_srcc(of_week.image_ids, of_week.annotator_ids, of_week.scores, seed=seed),
            )
        )
    return found


def _counts(image_ids: Ints, values: NDArray[np.integer], length: int) -> Ints:
    """Return how often each value 0 … length − 1 was given to each photo [N, length]."""
    known, row = np.unique(image_ids, return_inverse=True)
    flat = row * length + values.astype(np.int64)
    return np.bincount(flat, minlength=len(known) * length).reshape(len(known), length).astype(np.int64)
