"""Drawn panels in which photos stop early, held against a fixed number of votes. Not a benchmark."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.consensus.enough_votes import StopRule, votes_plan
from annotation.consensus.panel_model import PanelFit, panel_fit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Votes of a photo with a fixed number, from which the number for an error in between is interpolated.
_FIXED = (2, 3, 4, 5, 6, 8, 10, 12, 15)


@dataclass(frozen=True)
class Panel:
    """Scores of all people for all photos, each photo with its own order of people. One tenth click at random."""

    truth: Floats
    order: Ints
    """The people [photos, people] in the order in which they rate a photo."""
    scores: Ints
    """Their scores in this order."""

    @classmethod
    def draw(cls, seed: int, *, photos: int = 400, people: int = 30) -> "Panel":
        """Draw a panel: biases, gains and noises differ, and people agree more about some photos than about others."""
        rng = np.random.default_rng(seed)
        truth = np.clip(rng.normal(5.5, 1.4, photos), 1.5, 9.5)
        difficulty = np.sqrt(rng.gamma(4, 1 / 4, photos))
        bias, gain = rng.normal(0, 0.7, people), rng.normal(1, 0.2, people)
        noise, clicks = rng.uniform(0.7, 1.8, people), rng.random(people) < 0.1
        scores = 5.5 + bias + gain * (truth[:, np.newaxis] - 5.5)
        scores += difficulty[:, np.newaxis] * noise * rng.standard_normal((photos, people))
        given = np.where(clicks, rng.integers(1, 11, (photos, people)), np.clip(np.rint(scores), 1, 10))
        order = np.array([rng.permutation(people) for _ in range(photos)])
        return cls(truth, order, np.take_along_axis(given, order, axis=1).astype(np.int64))

    def votes(self, numbers: Ints) -> tuple[Ints, Ints, Ints]:
        """Return photos, people and scores of the first `numbers` [photos] votes of each photo."""
        given = np.arange(self.order.shape[1]) < numbers[:, np.newaxis]
        return np.nonzero(given)[0], self.order[given], self.scores[given]

    def fit(self, numbers: Ints) -> PanelFit:
        """Fit the panel model to these votes."""
        return panel_fit(*self.votes(numbers))

    def errors(self, numbers: Ints) -> tuple[float, float]:
        """Return the RMS error of the plain and of the corrected MOS from these votes, without a common shift."""
        photo, _, scores = self.votes(numbers)
        plain = np.bincount(photo, scores) / np.bincount(photo)
        return _error(plain, self.truth), _error(self.fit(numbers).quality, self.truth)

    def stopped(self, rule: StopRule, *, usual: int) -> Ints:
        """Return the votes of each photo when photos stop by `rule`, and freed votes go to other photos."""
        photos = len(self.truth)
        numbers, none = np.full(photos, min(rule.fewest, usual)), np.zeros(photos, dtype=np.int64)
        while True:
            error = self.fit(numbers).quality_deviation
            reached = rule.reached(numbers, error, np.full(photos, np.nan))
            needed = votes_plan(
                rule, votes=numbers, leases=none, usual=np.full(photos, usual), reached=reached, errors=error
            )
            if not (needed > numbers).any():
                return numbers
            numbers = numbers + (needed > numbers)


def _error(estimate: Floats, truth: Floats) -> float:
    """Return the RMS difference without the mean difference, which nobody can know."""
    return float((estimate - truth).std())


@dataclass(frozen=True)
class Stopping:
    """Votes per photo of a campaign that stops early, and those of a fixed number with the same error of the MOS."""

    votes: float
    error: float
    fixed_plain: float
    """Votes of a fixed number for the same error, with the plain MOS."""
    fixed_corrected: float
    """The same with the corrected MOS: what stopping alone saves."""


def early_stopping(seed: int, rule: StopRule, *, usual: int) -> Stopping:
    """Compare stopping by `rule` with fixed numbers of votes, on one drawn panel."""
    panel = Panel.draw(seed)
    numbers = panel.stopped(rule, usual=usual)
    error = panel.errors(numbers)[1]
    fixed = [panel.errors(np.full(len(panel.truth), number)) for number in _FIXED]
    plain, corrected = (np.array([pair[side] for pair in fixed]) for side in (0, 1))
    # Errors fall like 1/√n, so the number of votes is nearly linear in 1/error².
    same = [float(np.interp(error**-2, column**-2.0, _FIXED)) for column in (plain, corrected)]
    return Stopping(float(numbers.mean()), error, same[0], same[1])
