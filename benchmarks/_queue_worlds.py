"""Simulated campaigns with several people and votes on the queue of a new campaign. Not a benchmark.

Lanes, and how they choose, are those of `inference.acquisition` and `annotation.services.queue_lanes`: orders are
written anew after some answers, photos that were given leave them, and each person gets a photo once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks._audit_worlds import World
from inference.acquisition.selection import priorities_of
from inference.acquisition.strategy import Pool
from training.evaluation.weighted_answers import TakenPhotos

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: The shares of a new campaign.
SHARES = {"watch_margin": 0.4, "fewest_votes": 0.2, "random": 0.2, "holdout": 0.1, "anchors": 0.1}
#: Lanes that draw evenly from the photos that nobody has had yet.
EVEN = ("fewest_votes", "random", "holdout")
PEOPLE = 8
_VOTES = 3
_REFRESH = 30
# People use the scale differently, and one watch label in twenty is wrong.
_BIAS, _WRONG = 0.5, 0.05


@dataclass(frozen=True)
class Panel:
    """What each person would say about each photo, [people, photos]: scores, and whether it shows a watch."""

    scores: Floats
    watch: Floats


def panel_make(world: World, rng: np.random.Generator) -> Panel:
    """Return a panel whose people rate around the votes of the world."""
    shape = (PEOPLE, len(world.votes))
    bias = rng.normal(0, _BIAS, (PEOPLE, 1))
    scores = np.clip(np.rint(world.votes + bias + rng.normal(0, 1.0, shape)), 1, 10)
    is_wrong = rng.random(shape) < _WRONG
    return Panel(scores, np.where(is_wrong, 1 - world.watch, world.watch).astype(np.float64))


def queue_run(world: World, panel: Panel, answers: int, rng: np.random.Generator) -> tuple[Ints, TakenPhotos]:
    """Return the photos that a campaign with so many answers took, in their order, and what is known of them."""
    photos = len(world.votes)
    place = np.argsort(rng.random(photos))  # photo at each place of the queue
    positions = np.sort(rng.random(photos))
    had = np.zeros((PEOPLE, photos), dtype=bool)
    counts = np.zeros(photos, dtype=np.int64)
    first: dict[int, str] = {}
    orders: dict[str, list[int]] = {}
    lanes = rng.choice(list(SHARES), answers, p=list(SHARES.values())).tolist()
    people = rng.integers(PEOPLE, size=answers).tolist()
    starts = rng.random(answers)
    for answer, (lane, person) in enumerate(zip(lanes, people, strict=True)):
        if answer % _REFRESH == 0:
            orders = _orders(world, counts, rng)
        is_open = (counts < _VOTES) & ~had[person]
        photo = next((one for one in orders.get(lane, []) if is_open[one]), None)
        if photo is None:
            lane = "random"
            places = np.flatnonzero(is_open[place])
            found = int(np.searchsorted(positions[places], starts[answer]))
            photo = int(place[places[found % len(places)]])
        for order in orders.values():
            if photo in order[:_REFRESH]:
                order.remove(photo)
        first.setdefault(photo, lane)
        had[person, photo] = True
        counts[photo] += 1
    taken = np.array(list(first), dtype=np.int64)
    given = had[:, taken]
    votes = counts[taken].astype(np.float64)
    held = int(np.count_nonzero(world.holdout))
    return taken, TakenPhotos(
        is_holdout=world.holdout[taken],
        is_random=np.array([lane in EVEN for lane in first.values()]),
        scores=(panel.scores[:, taken] * given).sum(axis=0) / votes,
        watch=(panel.watch[:, taken] * given).sum(axis=0) / votes,
        votes=votes,
        labels=votes,
        holdout=held,
        others=photos - held,
    )


def _orders(world: World, counts: Ints, rng: np.random.Generator) -> dict[str, list[int]]:
    """Return the first photos of each lane but `random`."""
    unsure = -np.abs(world.watch_probability - 0.5) - counts
    scores = {"watch_margin": unsure, "fewest_votes": -counts, "holdout": -counts, "anchors": counts}
    allowed = {"watch_margin": ~world.holdout, "holdout": world.holdout, "anchors": counts > 0}
    found = {}
    for lane, values in scores.items():
        rows = np.flatnonzero(allowed.get(lane, True) & (counts < _VOTES))
        slots = _VOTES - counts[rows]
        pool = Pool(rows, counts[rows], np.full(len(rows), _VOTES), slots, groups=world.groups[rows])
        order = rows[np.argsort(-priorities_of(values[rows], pool, rng), kind="stable")]
        found[lane] = order[: 10 * _REFRESH].tolist()
    return found
