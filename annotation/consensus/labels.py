"""The watch label of a photo from the votes of several annotators.

A photo has the label that more annotators gave. 'Unsure' counts for neither label, and a tie leaves the photo without
one. Everybody who needs a majority asks here: evaluation, training, practice photos, and annotators' own pages.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

WATCH, NO_WATCH, UNDECIDED = 1, 0, -1
"""Codes of labels in arrays."""


def majority_labels(yes: ArrayLike, no: ArrayLike) -> NDArray[np.int8]:
    """Return `WATCH`, `NO_WATCH` or `UNDECIDED` for each photo [N], from its numbers of votes for and against [N]."""
    votes_yes, votes_no = np.asarray(yes), np.asarray(no)
    return np.where(votes_yes == votes_no, UNDECIDED, votes_yes > votes_no).astype(np.int8)


def majority_label(yes: int, no: int) -> Literal["yes", "no", ""]:
    """Return the label of one photo, '' where as many annotators said yes as no."""
    names: dict[int, Literal["yes", "no", ""]] = {WATCH: "yes", NO_WATCH: "no", UNDECIDED: ""}
    return names[int(majority_labels(yes, no))]


def watch_counts(rows: ArrayLike, watch: ArrayLike, *, photos: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the votes for and against of each photo, [photos] and [photos].

    `rows` [V] holds the place of each vote's photo, 0 … photos − 1, and `watch` [V] the vote: `WATCH`, `NO_WATCH`, or
    -1 for 'unsure', which is not counted.
    """
    place, given = np.asarray(rows, dtype=np.int64), np.asarray(watch)
    yes, no = (np.bincount(place[given == label], minlength=photos) for label in (WATCH, NO_WATCH))
    return yes.astype(np.int64), no.astype(np.int64)
