"""Drift: whether new photos differ from those that a model has learned from.

The energy distance compares two samples of points: it is zero only if their distributions are the same. A permutation
test says how often chance alone gives a distance as large. It permutes groups of near-duplicates and not photos,
because the photos of one group are not independent.

Sources: Székely & Rizzo, 'Energy statistics: A class of statistics based on distances', Journal of Statistical Planning
and Inference 143 (2013), for the distance and its coefficient. Phipson & Smyth, 'Permutation p-values should never be
zero', 2010, for the p-value.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext, gettext_noop

Floats = NDArray[np.float64]

#: A distance counts as drift if chance alone gives one as large with at most this probability.
LEVEL = 0.01
#: 'No drift' is said only if the test would find a shift of `SHIFT` with at least this probability.
POWER = 0.8
#: In units of the root mean square distance of the old photos from their mean.
SHIFT = 0.25
#: Groups of new photos below which the test says nothing.
FEWEST_GROUPS = 10
_COMPONENTS = 20
_PERMUTATIONS = 999
OLD_MOST, NEW_MOST = 1000, 500  # photos
_TRIALS, _TRIAL_PERMUTATIONS = 25, 199
_TRIAL_OLD, _TRIAL_NEW = 300, 150


class DriftVerdict(StrEnum):
    """What the test says."""

    DRIFT = "drift"
    NONE = "no drift"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class Drift:
    """Result of a test of new against old photos."""

    verdict: DriftVerdict
    coefficient: float
    """0: the same distribution, 1: nothing in common. NaN with too few photos."""
    by_chance: float
    """The coefficient that chance alone exceeds with a probability of `LEVEL`."""
    p_value: float
    power: float
    """Probability of finding a shift of `SHIFT`; NaN when it was not needed."""
    new_photos: int
    new_groups: int
    old_photos: int
    """That the champion has learned from, and imported before this week."""

    def as_json(self) -> dict[str, Any]:
        """Return the fields; NaN becomes null, because JSON has no NaN."""
        return {
            name: None if isinstance(value, float) and np.isnan(value) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the result that `as_json` gave."""
        fields: dict[str, Any] = {name: float("nan") if value is None else value for name, value in stored.items()}
        fields["verdict"] = DriftVerdict(stored["verdict"])
        return cls(**fields)


def drift_test(
    old: Floats, new: Floats, old_groups: NDArray[np.generic], new_groups: NDArray[np.generic], rng: np.random.Generator
) -> Drift:
    """Test whether new photos [M, P] differ from old ones [N, P]; the groups [N], [M] are of near-duplicates.

    A group with photos on both sides is left out. Large samples are drawn: at most 1,000 old and 500 new photos.
    """
    both = np.intersect1d(old_groups, new_groups)
    kept_old, kept_new = ~np.isin(old_groups, both), ~np.isin(new_groups, both)
    old, old_groups = _drawn(old[kept_old], old_groups[kept_old], OLD_MOST, rng)
    new, new_groups = _drawn(new[kept_new], new_groups[kept_new], NEW_MOST, rng)
    counts = {"new_photos": len(new), "new_groups": len(np.unique(new_groups)), "old_photos": len(old)}
    if counts["new_groups"] < FEWEST_GROUPS or len(np.unique(old_groups)) < FEWEST_GROUPS:
        nothing = float("nan")
        return Drift(DriftVerdict.UNKNOWN, nothing, nothing, nothing, nothing, **counts)
    points = components(np.concatenate([old, new]))
    found, chance = _energy(points, _numbers(old_groups, new_groups), len(old), _PERMUTATIONS, rng)
    p_value = float((1 + np.sum(chance >= found)) / (1 + len(chance)))
    power = float("nan")
    if p_value > LEVEL:
        power = _power(points[: len(old)], old_groups, counts["new_groups"], rng)
        verdict = DriftVerdict.NONE if power >= POWER else DriftVerdict.UNKNOWN
    else:
        verdict = DriftVerdict.DRIFT
    return Drift(verdict, float(found), float(np.quantile(chance, 1 - LEVEL)), p_value, power, **counts)


class Compared(StrEnum):
    """What of the new photos is compared with the old ones."""

    PHOTOS = "photos"
    SCORES = "predicted scores"


_DRIFT = {
    Compared.PHOTOS: gettext_noop(
        "The photos of this week differ from those that the champion has learned from: coefficient %(coefficient)s, by "
        "chance up to %(by_chance)s (%(numbers)s)."
    ),
    Compared.SCORES: gettext_noop(
        "The predicted scores of this week differ from those that the champion has learned from: coefficient "
        "%(coefficient)s, by chance up to %(by_chance)s (%(numbers)s)."
    ),
}
_NO_DRIFT = {
    Compared.PHOTOS: gettext_noop(
        "No drift of the photos: coefficient %(coefficient)s, by chance up to %(by_chance)s. The test would have found "
        "a shift of %(shift)s of the spread with %(power)s (%(numbers)s)."
    ),
    Compared.SCORES: gettext_noop(
        "No drift of the predicted scores: coefficient %(coefficient)s, by chance up to %(by_chance)s. The test would "
        "have found a shift of %(shift)s of the spread with %(power)s (%(numbers)s)."
    ),
}
_TOO_FEW = {
    Compared.PHOTOS: gettext_noop(
        "Cannot tell whether the photos have changed: at least %(fewest)s groups are needed (%(numbers)s)."
    ),
    Compared.SCORES: gettext_noop(
        "Cannot tell whether the predicted scores have changed: at least %(fewest)s groups are needed (%(numbers)s)."
    ),
}
_TOO_WEAK = {
    Compared.PHOTOS: gettext_noop(
        "Cannot tell whether the photos have changed: the test would have found a shift of %(shift)s of the spread "
        "with only %(power)s (%(numbers)s)."
    ),
    Compared.SCORES: gettext_noop(
        "Cannot tell whether the predicted scores have changed: the test would have found a shift of %(shift)s of the "
        "spread with only %(power)s (%(numbers)s)."
    ),
}
#: Stored with the run that drift starts.
REASONS = {
    Compared.PHOTOS: gettext_noop(
        "The photos of this week differ from those that version %(version)s has learned from: energy coefficient "
        "%(coefficient)s, by chance up to %(by_chance)s, p = %(p_value)s (%(new)s new photos in %(groups)s groups, "
        "%(old)s learned from)."
    ),
    Compared.SCORES: gettext_noop(
        "The predicted scores of this week differ from those that version %(version)s has learned from: energy "
        "coefficient %(coefficient)s, by chance up to %(by_chance)s, p = %(p_value)s (%(new)s new photos in %(groups)s "
        "groups, %(old)s learned from)."
    ),
}


def drift_sentence(drift: Drift, *, what: Compared) -> str:
    """Return the verdict in words, in the language of the reader."""
    values = {
        "coefficient": f"{drift.coefficient:.3f}",
        "by_chance": f"{drift.by_chance:.3f}",
        "shift": SHIFT,
        "fewest": FEWEST_GROUPS,
        "numbers": gettext("%(new)s photos of this week in %(groups)s groups, %(old)s older ones learned from")
        % _counts(drift),
    }
    if drift.verdict == DriftVerdict.DRIFT:
        return gettext(_DRIFT[what]) % values
    if drift.verdict == DriftVerdict.NONE:
        return gettext(_NO_DRIFT[what]) % (values | {"power": f"{drift.power:.0%}"})
    if np.isnan(drift.power):
        return gettext(_TOO_FEW[what]) % values
    return gettext(_TOO_WEAK[what]) % (values | {"power": f"{drift.power:.0%}"})


def drift_reason(drift: Drift, *, what: Compared, version: int) -> str:
    """Return why drift is a reason to train, as an English sentence to store; `version`: the number of the champion."""
    return REASONS[what] % {
        "version": version,
        "coefficient": f"{drift.coefficient:.3f}",
        "by_chance": f"{drift.by_chance:.3f}",
        "p_value": f"{drift.p_value:.3f}",
        **_counts(drift),
    }


def _counts(drift: Drift) -> dict[str, str]:
    return {
        "new": f"{drift.new_photos:,}",
        "groups": f"{drift.new_groups:,}",
        "old": f"{drift.old_photos:,}",
    }


def components(points: Floats) -> Floats:
    """Return the first 20 principal components [N, ≤ 20] of points [N, P], each with standard deviation 1.

    With equal standard deviations, a change in one component counts as much as in another. Without, the first
    components would hide changes in the others (`benchmarks/drift.py`).
    """
    spread = points.std(axis=0)
    centred: Floats = (points - points.mean(axis=0)) / np.where(spread > 0, spread, 1)
    if points.shape[1] == 1:
        return centred
    # Those of all points, so that the labels old and new change nothing: the permutation test needs this.
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    kept = left[:, :_COMPONENTS][:, lengths[:_COMPONENTS] > 1e-9 * max(lengths[0], 1e-9)]
    result: Floats = kept * np.sqrt(len(points))
    return result


def _energy(
    points: Floats, groups: NDArray[np.int64], old: int, permutations: int, rng: np.random.Generator
) -> tuple[float, Floats]:
    """Return the energy coefficient of the first `old` points and the others, and those of permuted groups.

    groups: the number of the group of each point, 0 … G − 1; groups of old points come first.
    """
    from scipy.spatial.distance import cdist

    distances = cdist(points, points)
    count = int(groups.max()) + 1
    member = np.zeros((count, len(points)))
    member[groups, np.arange(len(points))] = 1
    sums, sizes = member @ distances @ member.T, member.sum(axis=1)
    old_groups = int(groups[old - 1]) + 1
    is_old = np.zeros((permutations + 1, count))
    is_old[0, :old_groups] = 1
    for row in is_old[1:]:
        row[rng.permutation(count)[:old_groups]] = 1
    is_new = 1 - is_old
    n, m = is_old @ sizes, is_new @ sizes
    across = ((is_old @ sums) * is_new).sum(axis=1) / (n * m)
    within_old = ((is_old @ sums) * is_old).sum(axis=1) / n**2
    within_new = ((is_new @ sums) * is_new).sum(axis=1) / m**2
    coefficients = (2 * across - within_old - within_new) / np.maximum(2 * across, np.finfo(float).tiny)
    return float(coefficients[0]), coefficients[1:]


def _power(points: Floats, groups: NDArray[np.generic], new_groups: int, rng: np.random.Generator) -> float:
    """Return how often the test finds a shift of `SHIFT` that is added to some of the old photos."""
    names = np.unique(groups)
    wanted = min(new_groups, _TRIAL_NEW, len(names) // 2)
    radius = np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean())
    hits = 0
    for _ in range(_TRIALS):
        drawn = rng.permutation(names)
        new = np.isin(groups, drawn[:wanted])
        old = np.isin(groups, drawn[wanted : wanted + _TRIAL_OLD])
        # The direction of one photo from the mean: photos differ more in some directions than in others.
        direction = points[rng.integers(len(points))] - points.mean(axis=0)
        direction *= SHIFT * radius / max(float(np.linalg.norm(direction)), 1e-12)
        trial = np.concatenate([points[old], points[new] + direction])
        found, chance = _energy(trial, _numbers(groups[old], groups[new]), int(old.sum()), _TRIAL_PERMUTATIONS, rng)
        hits += int((1 + np.sum(chance >= found)) / (1 + len(chance)) <= LEVEL)
    return hits / _TRIALS


def _numbers(old_groups: NDArray[np.generic], new_groups: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return the number of each point's group, those of the old points first and ascending."""
    _, old = np.unique(old_groups, return_inverse=True)
    _, new = np.unique(new_groups, return_inverse=True)
    return np.concatenate([old, new + old.max() + 1])


def _drawn(
    points: Floats, groups: NDArray[np.generic], most: int, rng: np.random.Generator
) -> tuple[Floats, NDArray[np.generic]]:
    """Return whole groups, drawn at random, with about `most` points at most; ordered by group."""
    names, sizes = np.unique(groups, return_counts=True)
    order = rng.permutation(len(names))
    kept = names[order[np.cumsum(sizes[order]) <= most]]
    places = np.flatnonzero(np.isin(groups, kept))
    places = places[np.argsort(groups[places], kind="stable")]
    return points[places], groups[places]
