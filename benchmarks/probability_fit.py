"""Whether 'the probabilities fit' can be believed: misfits that are named, and false alarms.

Photos have a true probability to be a watch, and labels drawn from it. The model says this probability (then it fits),
or one whose odds are twice or half as large. Probabilities are spread evenly, or near 0 and 1, or all equal. The rivals
are the test of Hosmer and Lemeshow (1980, ten groups, chi-square) and the rule that this test replaced: 'fits' when
fewer than a quarter of the photos lie outside of the intervals of their bins.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from annotation.measures.calibration import reliability_bins
from annotation.measures.probability_fit import FACTOR, LEVEL, Fit, probability_fit
from benchmarks._claims import Claim, Setting

Floats = NDArray[np.float64]

PHOTOS = 400
WORLDS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "spread evenly": lambda rng, n: rng.random(n),
    "near 0 and 1": lambda rng, n: rng.beta(0.15, 0.45, n),
    "all 0.15": lambda rng, n: np.full(n, 0.15),
}


def measure(setting: Setting) -> Iterator[Claim]:
    """Yield the share of misfits that are named in each world beside the rivals, and the false alarms."""
    draws = 10 if setting.tiny else 300
    alarms: list[bool] = []
    for world, probabilities in WORLDS.items():
        rng = np.random.default_rng(1)
        named, lemeshow, bins = [], [], []
        for draw in range(draws):
            said = np.clip(probabilities(rng, PHOTOS), 1e-6, 1 - 1e-6)
            fits = (rng.random(PHOTOS) < said).astype(int)
            alarms.append(probability_fit(said, fits, seed=draw).verdict is Fit.MISFIT)
            factor = FACTOR if draw % 2 else 1 / FACTOR
            truth = said * factor / (1 - said + said * factor)
            labels = (rng.random(PHOTOS) < truth).astype(int)
            named.append(probability_fit(said, labels, seed=draw).verdict is Fit.MISFIT)
            lemeshow.append(_hosmer_lemeshow(said, labels) < LEVEL)
            bins.append(_bins_reject(said, labels))
        yield Claim(
            f"Odds off by {FACTOR:g}× are named, {PHOTOS} photos, probabilities {world}",
            round(100 * float(np.mean(named))),
            "% of the draws",
            f"Hosmer-Lemeshow {100 * np.mean(lemeshow):.0f} %, a quarter outside of bins {100 * np.mean(bins):.0f} %",
            target=1 if setting.tiny else 80,
        )
    yield Claim(
        f"Probabilities that fit are not called a misfit, {PHOTOS} photos",
        round(100 * (1 - float(np.mean(alarms))), 1),
        "% of the draws",
        f"the level of the test: {100 * (1 - LEVEL):.0f} %",
        target=1 if setting.tiny else 93.5,
    )


def _hosmer_lemeshow(probabilities: Floats, labels: NDArray[np.int64]) -> float:
    """Return p of the test with ten groups by probability; no degree of freedom goes, as nothing is fitted."""
    groups = [rows for rows in np.array_split(np.argsort(probabilities, kind="stable"), 10) if len(rows)]
    expected = np.array([probabilities[rows].sum() for rows in groups])
    observed = np.array([labels[rows].sum() for rows in groups])
    sizes = np.array([len(rows) for rows in groups])
    statistic = ((observed - expected) ** 2 / np.maximum(expected * (1 - expected / sizes), 1e-9)).sum()
    return float(chi2.sf(statistic, len(groups)))


def _bins_reject(probabilities: Floats, labels: NDArray[np.int64]) -> bool:
    """Return whether a quarter of the photos or more lie outside of the Wilson intervals of their bins, on one side."""
    bins = reliability_bins(probabilities, labels, bins=10)
    above = sum(one.n for one in bins if one.predicted > one.observed.high)
    below = sum(one.n for one in bins if one.predicted < one.observed.low)
    return max(above, below) * 4 >= len(labels)
