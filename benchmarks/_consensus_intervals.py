"""Intervals of a MOS from few votes, and the SOS parameter, on the score histograms of real people. Not a benchmark."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from annotation.measures.opinion import mos, mos_interval, sos, sos_parameter
from annotation.measures.vote_variance import vote_variance
from benchmarks._claims import Claim
from benchmarks._votes import histograms

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Ends = tuple[Floats, Floats]

VOTES = (2, 3, 5, 10, 20)
SEED, PHOTOS, LEAST_VOTES = 100, 6000, 50


def intervals(data: Path) -> Iterator[Claim]:
    """Draw k votes a photo and count how many intervals contain the mean of all votes."""
    sets = {name: _photos(histograms(data, name)) for name in ("AVA", "DPChallenge", "KonIQ-10k")}
    for k in VOTES:
        ours, rivals = _results(sets["AVA"], k)
        yield Claim(
            claim=f"95 % intervals of the MOS from {k} votes, {PHOTOS:,} photos of AVA: {ours}",
            value=100 * ours.covered,
            unit="% of the intervals contain the mean of all votes",
            baseline=_listed(rivals),
            target=93,
            highest=98,
        )
    for name, photos in sets.items():
        if name != "AVA":
            found = {k: _results(photos, k) for k in VOTES}
            worst = max(found, key=lambda k: abs(found[k][0].covered - 0.95))
            ours, rivals = found[worst]
            yield Claim(
                claim=f"95 % intervals of the MOS from 2, 3, 5, 10 and 20 votes, {len(photos):,} photos of {name}: "
                f"farthest from 95 % at {worst} votes: {ours}",
                value=100 * ours.covered,
                unit="% of the intervals contain the mean of all votes",
                baseline=_listed(rivals),
                target=93,
                highest=98,
            )
    ours, rivals = _results(sets["AVA"], 3)
    yield Claim(
        claim=f"Mean width of the intervals from 3 votes on AVA: {ours.width:.2f} points",
        value=4.2 / ours.width,
        unit="times as narrow",
        baseline=f"limit: 4.2 points; Student's t: {rivals['Student'].width:.2f} points",
        target=1.0,
    )
    for name, photos in sets.items():
        ours, rivals = _results(photos, 3)
        best = min(rivals, key=lambda rival: rivals[rival].score)
        yield Claim(
            claim=f"Interval score (width + 40 × distance of a missed mean) from 3 votes on {name}: {ours.score:.2f}; "
            f"of the quarter of the photos with the largest SOS {100 * ours.covered_wide:.1f} % are covered",
            value=rivals[best].score / ours.score,
            unit="times as good",
            baseline=f"best other interval ({best}): {rivals[best].score:.2f}, of that quarter "
            f"{100 * rivals[best].covered_wide:.1f} % are covered",
            target=0.99,
        )


def sos_parameters(data: Path) -> Iterator[Claim]:
    """Compare the SOS parameter from 5 votes a photo with the one from all votes."""
    for name in ("AVA", "DPChallenge", "KonIQ-10k"):
        photos = _photos(histograms(data, name))
        everything, few = sos_parameter(photos), sos_parameter(_draw(photos, 5))
        yield Claim(
            claim=f"SOS parameter of {name}, {len(photos):,} photos: a = {everything:.3f} from all votes, "
            f"{few:.3f} from 5 votes a photo",
            value=few / everything,
            unit="times the value from all votes",
            baseline="the value from all votes; least squares: "
            f"{_least_squares(photos):.3f} from all votes, {_least_squares(_draw(photos, 5)):.3f} from 5",
            target=0.95,
            highest=1.05,
        )


class _Result:
    """Coverage, width and score of the 95 % intervals `ends` of photos with the mean `truth` and the SOS `spread`."""

    def __init__(self, ends: Ends, truth: Floats, spread: Floats) -> None:
        low, high = ends
        covered = (low <= truth) & (truth <= high)
        missed = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
        self.covered, self.width = float(covered.mean()), float((high - low).mean())
        self.score = float((high - low + 2 / 0.05 * missed).mean())
        self.covered_wide = float(covered[spread >= np.quantile(spread, 0.75)].mean())

    def __str__(self) -> str:
        return f"{100 * self.covered:.1f} %, {self.width:.2f} points wide"


def _results(photos: Ints, k: int) -> tuple[_Result, dict[str, _Result]]:
    """Return the results of our intervals and of others for k drawn votes a photo."""
    drawn = _draw(photos, k)
    truth, spread = mos(photos, 0), sos(photos)
    variance = vote_variance(drawn)
    mean, highest = mos(drawn, 0), photos.shape[1] - 1

    def around(half: Floats | float) -> _Result:
        return _Result((np.maximum(mean - half, 0), np.minimum(mean + half, highest)), truth, spread)

    rivals = {
        "Student": around(t.ppf(0.975, k - 1) * sos(drawn) / np.sqrt(k)),
        "one variance for all photos": around(norm.ppf(0.975) * np.sqrt(variance.mean / k)),
        "four votes of the mean variance added": around(
            t.ppf(0.975, k + 3) * np.sqrt(((k - 1) * sos(drawn) ** 2 + 4 * variance.mean) / (k + 3) / k)
        ),
    }
    return _Result(mos_interval(drawn, 0, variance), truth, spread), rivals


def _photos(counts: Ints) -> Ints:
    """Return a random part of the photos with enough votes. Rows with negative counts are errors of the file."""
    sound = counts[(counts >= 0).all(axis=1) & (counts.sum(axis=1) >= LEAST_VOTES)]
    chosen: Ints = np.random.default_rng(SEED).permutation(sound)[:PHOTOS]
    return chosen


def _draw(photos: Ints, k: int) -> Ints:
    """Return histograms of k votes a photo, drawn without replacement."""
    rng = np.random.default_rng(SEED + k)
    return np.array([rng.multivariate_hypergeometric(row, k) for row in photos])


def _least_squares(photos: Ints) -> float:
    """Return the SOS parameter as Hoßfeld, Schatz & Egger (2011) fit it."""
    centre = mos(photos, 0)
    room = centre * (photos.shape[1] - 1 - centre)
    return float((room * sos(photos) ** 2).sum() / (room**2).sum())


def _listed(results: dict[str, _Result]) -> str:
    return "; ".join(f"{name}: {result}" for name, result in results.items())
