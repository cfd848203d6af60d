"""The watch label of a photo from the votes of several annotators.

A photo gets the label that more annotators gave. 'Unsure' counts for neither label, and a photo with a tie gets no
label. Evaluation, training, practice photos and the annotators' own pages all use this module.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

WATCH, NO_WATCH, UNDECIDED = 1, 0, -1
"""Codes of labels in arrays."""


def majority_labels(yes: ArrayLike, no: ArrayLike) -> NDArray[np.int8]:
    """Return `WATCH`, `NO_WATCH` or `UNDECIDED` for each photo [N], from its numbers of yes and no votes, [N] each."""
    votes_yes, votes_no = np.asarray(yes), np.asarray(no)
    return np.where(votes_yes == votes_no, UNDECIDED, votes_yes > votes_no).astype(np.int8)


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
    yes, no = (np.bincount(place[given == label], minlength=photos) for label in (WATCH, NO_WATCH))
    return yes.astype(np.int64), no.astype(np.int64)
