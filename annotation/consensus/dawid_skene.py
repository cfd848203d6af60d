"""Labels of photos from the votes of annotators who make different mistakes.

Each annotator has a confusion matrix: the probabilities of their answers for each true label. The labels and the
matrices are estimated together by expectation maximisation (Dawid & Skene, 1979, 'Maximum likelihood estimation of
observer error-rates using the EM algorithm'). A weak prior, as in Passonneau & Carpenter (2014, 'The benefits of a
model of annotation'), keeps annotators with few votes near the panel: each starts with some answers made as the panel
makes them. Without it, a single vote already gives an annotator a matrix of zeros and ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.consensus.vote_weights import vote_weights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# How many answers for each true label an annotator's matrix begins with, made as the whole panel makes them.
_PANEL_ANSWERS = 1.0
# How many answers the matrix of the panel begins with: .8 of them right. This also says which label is which.
_FIRST_ANSWERS, _FIRST_RIGHT = 2.0, 0.8
_MOST_ROUNDS = 200
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class LabelFit:
    """Estimates for the photos [N] and annotators [M] with votes, in the order of `image_ids` and `annotator_ids`."""

    image_ids: Ints
    annotator_ids: Ints
    posterior: Floats
    """Probability of each label [N, L]; rows sum to 1."""
    confusion: Floats
    """Probability of each answer for each true label [M, L, L]; the last axis sums to 1."""
    share: Floats
    """Share of each label among the photos [L]."""
    annotator_votes: Ints
    rounds: int

    @property
    def right(self) -> Floats:
        """Return the probability of a right answer for each annotator and true label [M, L].

        With the labels 'no watch' and 'watch' these are the specificity and the sensitivity.
        """
        return np.diagonal(self.confusion, axis1=1, axis2=2).copy()


def labels_fit(
    image_ids: ArrayLike,
    annotator_ids: ArrayLike,
    answers: ArrayLike,
    *,
    labels: int = 2,
    weights: ArrayLike | None = None,
) -> LabelFit:
    """Fit the model to votes, given as three columns of equal length; answers are 0 … labels − 1.

    `weights`: how much each vote counts, as a part of a vote; all 1 without it. The likelihood of a vote is raised to
    the power of its weight. Leave out votes that are unsure: they are missing. Raises ValueError without votes, for
    columns of different length and for other answers.
    """
    given = np.asarray(answers).ravel()
    images, photo = np.unique(np.asarray(image_ids, dtype=np.int64).ravel(), return_inverse=True)
    annotators, rater = np.unique(np.asarray(annotator_ids, dtype=np.int64).ravel(), return_inverse=True)
    if not len(given):
        raise ValueError("The model needs at least one vote.")
    if not len(photo) == len(rater) == len(given):
        raise ValueError(f"{len(photo)} image ids, {len(rater)} annotator ids and {len(given)} answers do not match.")
    if np.any((given < 0) | (given >= labels) | (given != given.astype(np.int64))):
        raise ValueError(f"Answers are whole numbers from 0 to {labels - 1}.")
    given = given.astype(np.int64)
    weight = vote_weights(weights, len(given))
    votes = np.bincount(photo * labels + given, weight, len(images) * labels).reshape(len(images), labels)
    posterior = (votes + 1 / labels) / (votes.sum(axis=1, keepdims=True) + 1)
    change, rounds = 1.0, 0
    while change > _TOLERANCE and rounds < _MOST_ROUNDS:
        share = (posterior.sum(axis=0) + 1) / (len(images) + labels)
        confusion = _confusion(posterior, photo, rater, given, weight, len(annotators))
        before, posterior = posterior, _posterior(confusion, share, photo, rater, given, weight, len(images))
        change, rounds = float(np.abs(posterior - before).max()), rounds + 1
    return LabelFit(images, annotators, posterior, confusion, share, np.bincount(rater).astype(np.int64), rounds)


def posterior_given(
    known: LabelFit,
    image_ids: ArrayLike,
    annotator_ids: ArrayLike,
    answers: ArrayLike,
    *,
    weights: ArrayLike | None = None,
) -> tuple[Ints, Floats]:
    """Return the photos with votes [N] and the probability of each label [N, L], with annotators as `known` has them.

    The votes are three columns of equal length, with `weights` as for `labels_fit`. An annotator that `known` does not
    have answers as the mean annotator.
    """
    images, photo = np.unique(np.asarray(image_ids, dtype=np.int64).ravel(), return_inverse=True)
    annotators = np.asarray(annotator_ids, dtype=np.int64).ravel()
    mean = np.average(known.confusion, axis=0, weights=known.annotator_votes)
    order = np.argsort(known.annotator_ids)
    place = order[np.searchsorted(known.annotator_ids, annotators, sorter=order).clip(max=len(order) - 1)]
    rater = np.where(known.annotator_ids[place] == annotators, place, len(known.confusion))
    confusion = np.concatenate([known.confusion, mean[np.newaxis]])
    given = np.asarray(answers, dtype=np.int64).ravel()
    weight = vote_weights(weights, len(given))
    return images, _posterior(confusion, known.share, photo, rater, given, weight, len(images))


def _confusion(posterior: Floats, photo: Ints, rater: Ints, given: Ints, weight: Floats, raters: int) -> Floats:
    """Return the confusion matrices [M, L, L] for these probabilities of the labels."""
    labels = posterior.shape[1]
    counts = np.zeros((raters, labels, labels))
    np.add.at(counts.transpose(0, 2, 1), (rater, given), weight[:, np.newaxis] * posterior[photo])
    wrong = (1 - _FIRST_RIGHT) / max(labels - 1, 1)
    first = np.full((labels, labels), wrong) + (_FIRST_RIGHT - wrong) * np.eye(labels)
    panel = _rows(counts.sum(axis=0) + _FIRST_ANSWERS * first)
    return _rows(counts + _PANEL_ANSWERS * panel)


def _rows(counts: Floats) -> Floats:
    """Return counts divided by their sum over the last axis."""
    shares: Floats = counts / counts.sum(axis=-1, keepdims=True)
    return shares


def _posterior(
    confusion: Floats, share: Floats, photo: Ints, rater: Ints, given: Ints, weight: Floats, images: int
) -> Floats:
    """Return the probability of each label for each photo [N, L]."""
    logarithm = np.tile(np.log(share), (images, 1))
    np.add.at(logarithm, photo, weight[:, np.newaxis] * np.log(confusion)[rater, :, given])
    return _rows(np.exp(logarithm - logarithm.max(axis=1, keepdims=True)))
