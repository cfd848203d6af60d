"""Whether predicted probabilities fit the labels, and whether the photos could have shown that they do not.

The odds p/(1 − p) of a label are compared with the model logit P(label = 1) = a + b·logit(p) (Cox, 1958, 'Two further
applications of a model for binary regression'). Probabilities that fit have a = 0 and b = 1. The test is the score
test of both: U = Σ (y − p)·(1, logit p), its variance V = Σ p(1 − p)·(1, logit p)(1, logit p)ᵀ, and S = Uᵀ V⁻¹ U.

The distribution of S is simulated and not taken from chi-square: labels are drawn from the probabilities, so the test
keeps its level with few photos and with probabilities near 0 and 1. Near-duplicates nearly always have the same label.
So photos of one group share one random number in the simulation, and a group counts little more than one photo.

A test that finds nothing says something only where it could have found something. `power` is how often the test would
see odds that are off by a factor of two, on these photos.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.intervals import Interval, interval

Floats = NDArray[np.float64]

#: Probabilities that do not fit are named where p is below this.
LEVEL = 0.05
#: Odds that are off by this factor must be seen …
FACTOR = 2.0
#: … with at least this probability, before 'fits' is said.
ENOUGH_POWER = 0.8

_MOST_DRAWS, _FEWEST_DRAWS = 999, 199
# Limits the memory and the time: simulated labels of all draws together.
_ENTRIES = 20_000_000
_ENTRIES_AT_ONCE = 4_000_000
# Larger factors are not told apart: they need more labels than any set of photos has.
_MOST_ODDS = np.log(1_000.0)
_NEWTON_STEPS = 12


class Fit(StrEnum):
    """What can be said about the probabilities."""

    FITS = "fits"
    MISFIT = "misfit"
    UNKNOWN = "cannot tell"


class Fault(StrEnum):
    """What is wrong with probabilities that do not fit."""

    TOO_HIGH = "too high"
    TOO_LOW = "too low"
    TOO_SURE = "too near to 0 and 1"
    NOT_SURE = "too far from 0 and 1"


@dataclass(frozen=True)
class ProbabilityFit:
    """The result of the test on N photos."""

    n: int
    groups: int
    """Groups of near-duplicates; a photo without near-duplicates is a group."""
    positives: int
    """Labels that are 1."""
    predicted: float
    """Mean probability."""
    observed: float
    """Share of labels that are 1."""
    p: float
    """How often labels that are drawn from the probabilities deviate from them as much as these labels do."""
    power: float
    """How often the test would see odds that are off by `FACTOR`, too high or too low, whichever it sees less often."""
    odds: Interval
    """By which factor the odds must be multiplied so that they fit on average; NaN with labels of one kind only."""
    fault: Fault | None
    """The larger fault; None unless the probabilities do not fit."""

    @property
    def verdict(self) -> Fit:
        """Return what can be said: misfit, fits, or cannot tell."""
        if self.p < LEVEL:
            return Fit.MISFIT
        return Fit.FITS if self.power >= ENOUGH_POWER else Fit.UNKNOWN


def probability_fit(
    probabilities: ArrayLike, labels: ArrayLike, *, seed: int, groups: ArrayLike | None = None
) -> ProbabilityFit:
    """Test probabilities [N] against labels 0/1 [N]; the same seed gives the same result.

    `groups` [N] names the group of near-duplicates of each photo; None: every photo is a group of its own.
    Probabilities below 1/(2N) count as 1/(2N), because N photos cannot tell them apart; those near 1 likewise.
    Raises ValueError without photos, and for columns of different length.
    """
    p, y = np.asarray(probabilities, dtype=np.float64).ravel(), np.asarray(labels, dtype=np.float64).ravel()
    n = len(p)
    names = np.arange(n) if groups is None else np.asarray(groups).ravel()
    if not n or len(y) != n or len(names) != n:
        raise ValueError(f"{n} probabilities need as many labels ({len(y)}) and groups ({len(names)}), at least one.")
    _, group = np.unique(names, return_inverse=True)
    p = np.clip(p, 1 / (2 * n), 1 - 1 / (2 * n))
    test = _ScoreTest(p)
    rng = np.random.default_rng(seed)
    draws = int(np.clip(_ENTRIES // n, _FEWEST_DRAWS, _MOST_DRAWS))
    null = test.simulated(p, group, draws, rng)
    statistic = float(test.statistics(y[None])[0])
    # The observed labels count as one of the draws (Davison & Hinkley, 1997, section 4.2), so p is never 0. Rounding
    # must not make equal labels differ.
    value = float((1 + (null >= statistic * (1 - 1e-9)).sum()) / (draws + 1))
    rejected_from = np.quantile(null, 1 - LEVEL, method="higher")
    shift = np.log(FACTOR)
    powers = [
        (test.simulated(_expit(test.logits + direction * shift), group, draws, rng) > rejected_from).mean()
        for direction in (-1, 1)
    ]
    positives = int(y.sum())
    unknown = Interval(float("nan"), float("nan"), float("nan"), n)
    return ProbabilityFit(
        n=n,
        groups=int(group.max()) + 1,
        positives=positives,
        predicted=float(p.mean()),
        observed=positives / n,
        p=value,
        power=float(min(powers)),
        odds=interval(odds_factor, test.logits, y, groups=group, seed=seed) if 0 < positives < n else unknown,
        fault=test.fault(y) if value < LEVEL else None,
    )


def odds_factor(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Return by which factor to multiply the odds so that the mean probability is the share of labels; arrays [..., N].

    The maximum likelihood of `a` with b = 1, as a factor e^a between 1/1,000 and 1,000; by Newton's method.
    """
    x, y = np.asarray(logits, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    shift: Floats = np.zeros(x.shape[:-1])
    for _ in range(_NEWTON_STEPS):
        p = _expit(x + shift[..., None])
        slope = np.maximum((p * (1 - p)).sum(axis=-1), 1e-9)
        # A step of more than 2 overshoots where the probabilities are near 0 or 1.
        shift = np.clip(shift + np.clip((y - p).sum(axis=-1) / slope, -2, 2), -_MOST_ODDS, _MOST_ODDS)
    factor: Floats = np.exp(shift)
    return factor


class _ScoreTest:
    """The score test of intercept and slope for given probabilities [N] within (0, 1)."""

    def __init__(self, p: Floats) -> None:
        self._p = p
        self.logits: Floats = np.log(p) - np.log1p(-p)
        self._design = np.stack([np.ones_like(p), self.logits], axis=-1)
        weights = p * (1 - p)
        self._variance = (self._design * weights[:, None]).T @ self._design
        # Equal probabilities have no slope, and the pseudo-inverse leaves it out.
        self._inverse = np.linalg.pinv(self._variance, rcond=1e-10, hermitian=True)

    def statistics(self, labels: NDArray[np.float64] | NDArray[np.bool_]) -> Floats:
        """Return S of each row of labels [B, N]."""
        scores = (labels - self._p) @ self._design
        found: Floats = np.einsum("bi,ij,bj->b", scores, self._inverse, scores)
        return found

    def simulated(self, p: Floats, group: NDArray[np.intp], draws: int, rng: np.random.Generator) -> Floats:
        """Return S of labels that are drawn from `p` [N], `draws` times. A group has one random number in each draw."""
        groups, at_once = int(group.max()) + 1, max(1, _ENTRIES_AT_ONCE // len(p))
        return np.concatenate(
            [
                self.statistics(rng.random((min(at_once, draws - done), groups))[:, group] < p)
                for done in range(0, draws, at_once)
            ]
        )

    def fault(self, labels: Floats) -> Fault:
        """Return the larger fault: of the mean, or of the slope when the mean is right."""
        score = (labels - self._p) @ self._design
        v = self._variance
        mean = score[0] / np.sqrt(v[0, 0])
        rest = v[1, 1] - v[0, 1] ** 2 / v[0, 0]
        slope = (score[1] - v[0, 1] / v[0, 0] * score[0]) / np.sqrt(rest) if rest > 1e-9 * v[1, 1] else 0.0
        if abs(mean) >= abs(slope):
            return Fault.TOO_LOW if mean > 0 else Fault.TOO_HIGH
        return Fault.NOT_SURE if slope > 0 else Fault.TOO_SURE


def _expit(x: Floats) -> Floats:
    from scipy.special import expit  # importing SciPy takes long, and most web processes do not need it

    found: Floats = expit(x)
    return found
