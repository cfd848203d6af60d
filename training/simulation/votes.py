"""The answers of a simulated campaign, handed out one by one."""

import numpy as np
from numpy.typing import NDArray

from training.simulation.ratings import QUALITY, Ratings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PEOPLE = 100
"""A panel of simulated annotators has this number of people, as a large study has."""


class VoteSource:
    """Gives the next vote on a photo. The same seed gives the same votes on a photo, whatever is asked before.

    So two strategies that ask for three votes on a photo get the same three. That makes their difference, over the
    same seeds, more exact.
    """

    def __init__(self, ratings: Ratings, photos: Ints, *, most: int, clicks: float, seed: int) -> None:
        """`photos` [P]: places in `ratings` of the photos that can be asked about, at most `most` times each.

        `clicks`: the share of votes that are random clicks, 0 … 1: any score of the scale, or any label.
        """
        rng = np.random.default_rng([seed, 1])
        make = _real if ratings.votes is not None else _made
        honest, self._annotators = make(ratings, photos, most, rng)
        click = rng.random(honest.shape) < clicks
        random = rng.integers(ratings.lowest, ratings.highest + 1, honest.shape)
        self._votes = np.where(click & ~np.isnan(honest), random, honest)
        self.available: Ints = (~np.isnan(honest)).sum(axis=1)
        """How many votes each photo has [P]."""
        self._given = np.zeros(len(photos), dtype=np.int64)

    def next(self, photo: int) -> tuple[float, int]:
        """Return the next vote on a photo (0 … P − 1) and its annotator. Raises IndexError after its last vote."""
        place = self._given[photo]
        if place >= self.available[photo]:
            raise IndexError(f"photo {photo} has only {self.available[photo]} votes")
        self._given[photo] = place + 1
        return float(self._votes[photo, place]), int(self._annotators[photo, place])


def _real(ratings: Ratings, photos: Ints, most: int, rng: np.random.Generator) -> tuple[Floats, Ints]:
    """Return real votes in random order and their annotators [P, most]; NaN after the last vote of a photo."""
    assert ratings.votes is not None
    order = rng.permutation(len(ratings.votes.photo))
    order = order[np.argsort(ratings.votes.photo[order], kind="stable")]
    sorted_photo = ratings.votes.photo[order]
    found, annotators = np.full((len(photos), most), np.nan), np.zeros((len(photos), most), dtype=np.int64)
    starts, ends = np.searchsorted(sorted_photo, photos), np.searchsorted(sorted_photo, photos, side="right")
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        count = min(end - start, most)
        found[place, :count] = ratings.votes.score[order[start : start + count]]
        annotators[place, :count] = ratings.votes.annotator[order[start : start + count]]
    return found, annotators


def _made(ratings: Ratings, photos: Ints, most: int, rng: np.random.Generator) -> tuple[Floats, Ints]:
    """Return the votes of simulated annotators and who they are [P, most]: by their panel, or the label as it is."""
    truth = np.repeat(ratings.truth[photos][:, np.newaxis], most, axis=1)
    # Nobody rates a photo twice.
    person = np.stack([rng.permutation(max(PEOPLE, most))[:most] for _ in photos])
    if ratings.task != QUALITY or ratings.panel is None:
        return truth, person
    people = ratings.panel.people(max(PEOPLE, most), rng)
    scores = people.scores(
        truth.ravel(),
        person.ravel(),
        rng,
        middle=float(ratings.truth.mean()),
        lowest=ratings.lowest,
        highest=ratings.highest,
    )
    return scores.reshape(truth.shape), person
