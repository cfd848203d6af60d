"""The model against each annotator's own votes, beside the other people against the same votes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.measures.intervals import Interval, interval
from training.evaluation.comparison import Comparison

Floats = NDArray[np.float64]

#: Annotators with fewer votes are left out.
FEWEST_VOTES = 10
#: Annotators with the most votes, so that the stored text stays small.
MOST_ANNOTATORS = 200


@dataclass(frozen=True)
class AnnotatorBias:
    """How far the model and the other people are from the votes of one annotator."""

    annotator_id: int
    votes: int
    model: Interval
    """Mean of predicted − vote, in points: above 0 the model gives higher scores than this person."""
    others: Interval
    """Mean of the other people's mean − vote, on the photos that others rated too. NaN without such photos."""


def annotator_biases(comparison: Comparison, *, seed: int) -> tuple[AnnotatorBias, ...]:
    """Return a row for each annotator with FEWEST_VOTES votes, the most votes first. The intervals draw photos."""
    votes = comparison.votes
    row = np.searchsorted(comparison.image_ids, votes.image_ids)
    scores = votes.scores.astype(np.float64)
    model = comparison.quality_mean[row] - scores
    count = np.bincount(row, minlength=len(comparison))[row]
    total = np.bincount(row, scores, len(comparison))[row]
    with np.errstate(invalid="ignore", divide="ignore"):
        others = np.where(count > 1, (total - scores) / (count - 1), np.nan) - scores
    groups = comparison.groups[row]
    people, numbers = np.unique(votes.annotator_ids, return_counts=True)
    order = np.argsort(-numbers, kind="stable")[:MOST_ANNOTATORS]
    found = []
    for person, number in zip(people[order].tolist(), numbers[order].tolist(), strict=True):
        if number < FEWEST_VOTES:
            continue
        own = votes.annotator_ids == person
        shared = own & (count > 1)
        found.append(
            AnnotatorBias(
                person,
                number,
                interval(_mean, model[own], seed=seed, groups=groups[own]),
                interval(_mean, others[shared], seed=seed, groups=groups[shared]),
            )
        )
    return tuple(found)


def _mean(values: Floats) -> Floats:
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan)
    mean: Floats = values.mean(axis=-1)
    return mean
