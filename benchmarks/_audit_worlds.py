"""Simulated campaigns whose queue chooses photos by what a model is unsure about. Not a benchmark.

The queue is that of `annotation.services.queue_lanes` with one vote a photo: each draw takes a lane by its share. The
lane of uncertain photos takes the first train photo of its order, the holdout lane a holdout photo, and the lane
`random` the first open photo at or after a random queue position, with the gap before it as probability.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: 60 % for what the model is unsure about, 20 % random audit, 10 % holdout. The last 10 % are hidden repeats, which
#: are no new photos, so the others share them.
SHARES = {"unsure": 6 / 9, "random": 2 / 9, "holdout": 1 / 9}
UNSURE, RANDOM, HOLDOUT = range(3)


@dataclass(frozen=True)
class World:
    """A pool of photos: what people would say, what the model says, and the holdout."""

    votes: Floats
    """One vote of each photo [P], on the scale 1–10."""
    scores: Floats
    """Predicted scores [P]."""
    watch: Ints
    """1 for photos with a watch [P]."""
    watch_probability: Floats
    holdout: NDArray[np.bool_]
    groups: Ints
    """Of near-duplicates [P]; in one group, all photos are of one split."""

    @property
    def decisions(self) -> Ints:
        """Return the decisions at the threshold 0.5 [P]."""
        return (self.watch_probability > 0.5).astype(np.int64)

    @property
    def is_right(self) -> Floats:
        """Return whether the decisions are right [P]."""
        return (self.decisions == self.watch).astype(np.float64)

    @property
    def errors(self) -> Floats:
        """Return |predicted score − vote| [P]."""
        return np.abs(self.scores - self.votes)


@dataclass(frozen=True)
class Draws:
    """The photos of a campaign in the order in which they were drawn."""

    photos: Ints
    lanes: Ints
    probabilities: Floats
    """As the queue stores them: with the gap of the queue positions."""
    averaged: Floats
    """The same, with the gap averaged over all queue positions."""


def world_make(
    rng: np.random.Generator, *, photos: int = 3000, share: float = 0.3, correlation: float = 0.65, copies: int = 1
) -> World:
    """Return a pool in which predicted scores correlate so with single votes. `share`: of the holdout."""
    groups = np.arange(photos) // copies
    size = int(groups[-1]) + 1
    # Near-duplicates share most of what they are.
    common = np.sqrt(0.8) if copies > 1 else 0.0
    quality = common * rng.normal(size=size)[groups] + np.sqrt(1 - common**2) * rng.normal(size=photos)
    opinion = 5.5 + 1.3 * quality
    votes = np.clip(np.rint(opinion + rng.normal(0, 1.0, photos)), 1, 10)
    # Single votes know the quality with r = 1.3/√(1.3² + 1); the model must reach the wanted correlation with votes.
    known = correlation * np.sqrt(1.3**2 + 1) / 1.3
    scores = 5.2 + 0.8 * 1.3 * (known * quality + np.sqrt(max(1 - known**2, 0.0)) * rng.normal(size=photos))
    # Harder photos get worse scores: the model is unsure where it is wrong.
    odds = rng.normal(-3.0, 3.0, size)[groups] + 0.3 * rng.normal(size=photos)
    watch = (rng.random(photos) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    seen = odds + rng.normal(0, 0.5, photos)
    holdout = np.isin(groups, rng.permutation(size)[: round(share * size)])
    return World(votes, scores, watch, 1 / (1 + np.exp(-seen)), holdout, groups)


def campaign_run(world: World, draws: int, rng: np.random.Generator) -> Draws:
    """Return the draws of a campaign whose queue takes uncertain photos first."""
    photos = len(world.votes)
    order = np.argsort(rng.random(photos))
    positions = np.sort(rng.random(photos))  # of order[0], order[1], …
    place_of = np.empty(photos, dtype=np.int64)
    place_of[order] = np.arange(photos)
    is_open = np.ones(photos, dtype=bool)  # by place
    unsure = np.abs(world.watch_probability - 0.5)
    train = np.flatnonzero(~world.holdout)
    queue = list(train[np.argsort(unsure[train])][::-1])
    held = list(rng.permutation(np.flatnonzero(world.holdout)))
    shares = np.array(list(SHARES.values()))
    lanes = rng.choice(len(shares), draws, p=shares)
    starts = rng.random(draws)
    chosen, stored, averaged = np.empty(draws, dtype=np.int64), np.empty(draws), np.empty(draws)
    for draw, lane in enumerate(lanes.tolist()):
        for heads in (queue, held):
            while not is_open[place_of[heads[-1]]]:
                heads.pop()
        places = np.flatnonzero(is_open)
        if lane == RANDOM:
            found = int(np.searchsorted(positions[places], starts[draw]))
            place = int(places[found % len(places)])
        else:
            place = int(place_of[(queue if lane == UNSURE else held)[-1]])
        at = int(np.searchsorted(places, place))
        gap = (positions[places[at]] - positions[places[at - 1]]) % 1.0
        photo = int(order[place])
        first = shares[UNSURE] * (photo == queue[-1]) + shares[HOLDOUT] * (photo == held[-1])
        stored[draw] = first + shares[RANDOM] * gap
        averaged[draw] = first + shares[RANDOM] / len(places)
        chosen[draw] = photo
        is_open[place] = False
    return Draws(chosen, lanes, stored, averaged)
