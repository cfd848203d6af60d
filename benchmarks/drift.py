"""The drift test, with drift that was planted and without, against simpler rivals on the same photos.

Features are made of a few factors, as those of photos are: the first few carry most of the spread. The rivals are the
largest t statistic of the same principal components, with the same permutations of groups; and the energy test that
permutes photos instead of groups.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotation.measures.group_shares import percents
from annotation.measures.intervals import wilson_interval
from benchmarks._claims import Claim, Setting
from training.evaluation.drift import LEVEL, DriftVerdict, components, drift_test

Floats = NDArray[np.float64]
OLD, NEW = 300, 60
FACTORS, FEATURES = 30, 200
TRIALS, PERMUTATIONS = 40, 499
SEED = 1000  # the standard deviations of the components were chosen on other seeds


class Sample(NamedTuple):
    """Photos: features [N, 200] and the group of near-duplicates of each [N]."""

    features: Floats
    groups: NDArray[np.int64]


def measure(setting: Setting) -> Iterator[Claim]:
    """Measure how often each test says drift."""
    trials = 3 if setting.tiny else TRIALS
    planted: dict[str, dict[str, Any]] = {
        "their mean is shifted": {"shift": 0.8},
        "they differ more from each other": {"scale": 1.3},
        "a quarter is of another kind": {"other": 0.25},
    }
    for what, options in planted.items():
        shares = _shares(trials, options)
        yield Claim(
            claim=f"Drift found in {NEW} new photos when {what}: {_text(shares['ours'])}",
            value=shares["ours"][0] / trials,
            unit=f"of {trials} campaigns",
            baseline=f"largest t statistic of the components: {_text(shares['largest t'])}",
            target=0.3,
        )
    for what, options in {"single photos": {}, "groups of three near-duplicates": {"copies": 3}}.items():
        shares = _shares(trials, options)
        yield Claim(
            claim=f"No drift planted, {what}: drift is said in {_text(shares['ours'])}",
            value=1 - shares["ours"][0] / trials,
            unit=f"of {trials} campaigns without a false alarm",
            baseline=f"largest t: {_text(shares['largest t'])}; energy test that permutes photos: "
            f"{_text(shares['photos'])} with a false alarm",
            target=0.95,
        )
    unknown = [
        drift_test(*_interleaved(_sample(rng, OLD), _sample(rng, 5)), rng).verdict == DriftVerdict.UNKNOWN
        for rng in map(np.random.default_rng, range(trials))
    ]
    yield Claim(
        claim=f"Five new photos: the test cannot tell in {sum(unknown)} of {trials} campaigns",
        value=sum(unknown) / trials,
        unit="of the campaigns",
        baseline="a test without power analysis says 'no drift'",
        target=1.0,
    )


def _shares(trials: int, options: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Return for each test in how many trials it says drift."""
    tests: dict[str, Callable[[Sample, Sample, np.random.Generator], bool]] = {
        "ours": _ours,
        "largest t": _largest_t,
        "photos": lambda old, new, rng: _ours(_single(old), _single(new), rng),
    }
    counts = dict.fromkeys(tests, 0)
    for trial in range(trials):
        rng = np.random.default_rng(SEED + trial)
        old, new = _sample(rng, OLD, copies=options.get("copies", 1)), _sample(rng, NEW, **options)
        for name, test in tests.items():
            counts[name] += test(old, new, np.random.default_rng(trial))
    return {name: (count, trials) for name, count in counts.items()}


def _ours(old: Sample, new: Sample, rng: np.random.Generator) -> bool:
    return drift_test(*_interleaved(old, new), rng).verdict == DriftVerdict.DRIFT


def _largest_t(old: Sample, new: Sample, rng: np.random.Generator) -> bool:
    """Return whether the largest t statistic of a component is beyond that of permuted groups."""
    groups = np.concatenate([old.groups, new.groups])
    _, numbers = np.unique(groups, return_inverse=True)
    points = components(np.concatenate([old.features, new.features]))
    points /= points.std(axis=0)
    sums = np.zeros((numbers.max() + 1, points.shape[1]))
    np.add.at(sums, numbers, points)
    sizes = np.bincount(numbers)
    is_new = np.zeros(len(sizes), dtype=bool)
    is_new[np.unique(numbers[len(old.groups) :])] = True

    def statistic(chosen: NDArray[np.bool_]) -> float:
        n, m = sizes[~chosen].sum(), sizes[chosen].sum()
        difference = sums[chosen].sum(axis=0) / m - sums[~chosen].sum(axis=0) / n
        return float(np.abs(difference).max() * np.sqrt(n * m / (n + m)))

    chance = [statistic(rng.permutation(is_new)) for _ in range(PERMUTATIONS)]
    return bool((1 + np.sum(np.array(chance) >= statistic(is_new))) / (1 + PERMUTATIONS) <= LEVEL)


def _sample(
    rng: np.random.Generator, photos: int, *, copies: int = 1, shift: float = 0, scale: float = 1, other: float = 0
) -> Sample:
    loadings = np.random.default_rng(99).normal(size=(FACTORS, FEATURES)) / np.sqrt(np.arange(1, FACTORS + 1))[:, None]
    groups = photos // copies
    factors = np.repeat(scale * rng.normal(size=(groups, FACTORS)), copies, axis=0)
    factors += 0.1 * rng.normal(size=factors.shape)
    factors[:, 3] += shift
    factors[: int(other * len(factors)), 5] += 3
    features = factors @ loadings + 0.3 * rng.normal(size=(len(factors), FEATURES))
    return Sample(features, np.repeat(np.arange(groups) + rng.integers(2**40) * 1000, copies))


def _single(sample: Sample) -> Sample:
    return Sample(sample.features, sample.groups * 1000 + np.arange(len(sample.groups)))


def _interleaved(old: Sample, new: Sample) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.int64]]:
    return old.features, new.features, old.groups, new.groups


def _text(counts: tuple[int, int]) -> str:
    found = wilson_interval(*counts)
    value, low, high = percents([found.value, found.low, found.high])
    return f"{value} % ({low} to {high})"
