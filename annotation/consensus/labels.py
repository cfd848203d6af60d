"""The watch label of a photo from the votes of several annotators.

A photo gets the label that more annotators gave, or the one with the larger sum of weights. 'Unsure' counts for neither
label, and a photo with a tie gets no label. Evaluation, training, practice photos and the annotators' own pages all use
this module.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

WATCH, NO_WATCH, UNDECIDED = 1, 0, -1
"""Codes of labels in arrays."""
_EQUAL = 1e-5  # sums of weights are not exact


def majority_labels(yes: ArrayLike, no: ArrayLike) -> NDArray[np.int8]:
    """Return `WATCH`, `NO_WATCH` or `UNDECIDED` for each photo [N], from its yes and no votes, [N] each.

    They are numbers of votes, or sums of weights.
    """
    votes_yes, votes_no = np.asarray(yes), np.asarray(no)
    is_tie = np.abs(votes_yes - votes_no) < _EQUAL
    return np.where(is_tie, UNDECIDED, votes_yes > votes_no).astype(np.int8)


def majority_label(yes: int, no: int) -> Literal["yes", "no", ""]:
    """Return the label of one photo, '' for a tie."""
    names: dict[int, Literal["yes", "no", ""]] = {WATCH: "yes", NO_WATCH: "no", UNDECIDED: ""}
    return names[int(majority_labels(yes, no))]


def watch_counts(rows: ArrayLike, watch: ArrayLike, *, photos: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the yes votes and the no votes of each photo, [photos] each.

    `rows` [V] holds the index of each vote's photo, 0 … photos − 1, and `watch` [V] the vote: `WATCH`, `NO_WATCH`, or
    -1 for 'unsure', which is not counted.
    """
    place, given = np.asarray(rows, dtype=np.int64), np.asarray(watch)
    yes, no = watch_weights(place, given, np.ones(len(given)), photos=photos)
    return yes.astype(np.int64), no.astype(np.int64)


def watch_weights(rows: ArrayLike, watch: ArrayLike, weights: ArrayLike, *, photos: int) -> tuple[Floats, Floats]:
    """Return the same, with the sums of the `weights` [V] of the votes in place of their numbers."""
    place, given, weight = np.asarray(rows, dtype=np.int64), np.asarray(watch), np.asarray(weights, dtype=np.float64)
    yes, no = (np.bincount(place[given == label], weight[given == label], photos) for label in (WATCH, NO_WATCH))
    return yes.astype(np.float64), no.astype(np.float64)
