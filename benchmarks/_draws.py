"""Votes drawn from those of real people, and votes of simulated ones. Not a benchmark."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks._votes import Votes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def votes_a_photo(votes: Votes, k: int, rng: np.random.Generator) -> Votes:
    """Return k random votes of each photo. Annotators without a vote keep their number."""
    return at(votes, places_a_photo(votes, k, rng))


def places_a_photo(votes: Votes, k: int, rng: np.random.Generator) -> Ints:
    """Return the places of k random votes of each photo."""
    order = rng.permutation(len(votes.score))
    order = order[np.argsort(votes.photo[order], kind="stable")]
    photo = votes.photo[order]
    chosen: Ints = order[np.arange(len(order)) - np.searchsorted(photo, photo) < k]
    return chosen


def panel_places(votes: Votes, k: int, rng: np.random.Generator) -> Ints:
    """Return the places of all votes of as many random people as give k votes a photo on average."""
    people = round(k * votes.photos / (len(votes.score) / votes.raters))
    return np.flatnonzero(np.isin(votes.rater, rng.choice(votes.raters, people, replace=False)))


def at(votes: Votes, places: Ints | Flags) -> Votes:
    """Return the votes at these places."""
    return Votes(votes.photo[places], votes.rater[places], votes.score[places])


def with_clickers(votes: Votes, share: float, scale: tuple[int, int], rng: np.random.Generator) -> tuple[Votes, Flags]:
    """Return the votes with random scores in place of those of a share of the people, at least one, and which [V]."""
    people = np.unique(votes.rater)
    clickers = rng.choice(people, max(1, round(share * len(people))), replace=False)
    clicked = np.isin(votes.rater, clickers)
    score = np.where(clicked, rng.integers(scale[0], scale[1] + 1, len(clicked)), votes.score)
    return Votes(votes.photo, votes.rater, score), clicked


@dataclass(frozen=True)
class Panel:
    """Simulated votes on 1 to 10 and the true quality of each photo."""

    votes: Votes
    truth: Floats


def simulated_panel(
    photos: int, people: int, k: int, *, clickers: float, rng: np.random.Generator, noise: float = 1.65
) -> Panel:
    """Return a panel of simulated annotators: bias ±.7, gain 1 ± .2, noise around 1.65 points, some random clickers."""
    truth = np.clip(rng.normal(5.5, 1.2, photos), 1, 10)
    bias, gain = rng.normal(0, 0.7, people), rng.normal(1, 0.2, people)
    spread = noise * np.exp(rng.normal(0, 0.2, people))
    photo = np.repeat(np.arange(photos), k)
    rater = np.concatenate([rng.permutation(people)[:k] for _ in range(photos)])
    score = 5.5 + bias[rater] + gain[rater] * (truth[photo] - 5.5) + rng.normal(0, 1, len(photo)) * spread[rater]
    votes = Votes(photo, rater, np.clip(np.rint(score), 1, 10))
    if clickers:
        votes, _ = with_clickers(votes, clickers, (1, 10), rng)
    return Panel(votes, truth)
