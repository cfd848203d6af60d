"""Learning curves: how often their intervals cover what answers really bring, and their forecast against others.

With `--data DIR`, a folder of photos with votes or one that has `oasis/` (`benchmarks/_learning_data.py`): campaigns
are drawn from two thirds of its groups, and the truth is measured on the other third. Simulated campaigns come with and
without it (`benchmarks/_curve_worlds.py`). The truth of one size is the mean over all draws: cross-validation estimates
the mean over training sets. All draws differ from those on which the form of the curve was chosen.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from annotation.measures.intervals import wilson_interval
from benchmarks._claims import Claim, Setting
from benchmarks._curve_worlds import World, real_world, simulated_world
from benchmarks._learning_data import Extractor, has_votes, photos_read
from inference.networks.config import EFFICIENTNET_LITE2
from training.evaluation.curve_gain import (
    UPPER,
    Form,
    fold_interval,
    gain_intervals,
    gains,
    inverse_root,
    logarithm,
    square_root,
)
from training.evaluation.learning_curve import STEP, CurveScores, curve_measure

Floats = NDArray[np.float64]
# Takes answers [S] and one figure after each [S]; returns the gain of the last 200 answers and of the next 200.
Forecast = Callable[[CurveScores, Floats], tuple[float, float]]

SEEDS, FIRST_SEED = 10, 2000
REAL_SIZES = (300, 450, 600)  # answers
SIMULATED_SIZES = {"rising": (300, 600), "steep": (600,), "learned": (600,), "flat": (600,)}
OURS = "ours"


@dataclass(frozen=True)
class Drawn:
    """One campaign: its curve, and what answers brought it on other photos."""

    scores: CurveScores
    truth: dict[str, tuple[float, float]]

    def figures(self, name: str) -> Floats:
        """Return the curve of 'srcc' or 'rps' by folds [S, K]; larger is better."""
        return self.scores.srcc if name == "srcc" else -self.scores.rps


def measure(setting: Setting) -> Iterator[Claim]:
    """Measure coverage, error and false claims."""
    torch.set_num_threads(1)
    seeds = 2 if setting.tiny else SEEDS
    campaigns: dict[str, list[Drawn]] = {}
    folder = None if setting.data is None else next(filter(has_votes, (setting.data, setting.data / "oasis")), None)
    if folder is not None and not setting.tiny:
        with tempfile.TemporaryDirectory() as name:
            known = photos_read(folder, Extractor(EFFICIENTNET_LITE2, Path(name)))
        for answers in REAL_SIZES:
            kind = f"{folder.name}, {answers} answers"
            campaigns[kind] = [
                _drawn(lambda rng: real_world(known, EFFICIENTNET_LITE2, rng), answers, seed) for seed in range(seeds)
            ]
            yield from _coverage(kind, campaigns[kind])
    for world, sizes in SIMULATED_SIZES.items():
        for answers in (300,) if setting.tiny else sizes:
            kind = f"simulated annotators, '{world}', {answers} answers"
            campaigns[kind] = [
                _drawn(lambda rng, world=world, n=answers: simulated_world(world, n // 3 + 80, rng), answers, seed)  # type: ignore[misc]
                for seed in range(seeds)
            ]
            yield from _coverage(kind, campaigns[kind])
    yield from _rivals(campaigns)
    yield from _ensembles(campaigns)
    yield _false_claims(campaigns)


def _drawn(make: Callable[[np.random.Generator], World], answers: int, seed: int) -> Drawn:
    rng = np.random.default_rng([FIRST_SEED + seed, answers])
    world = make(rng)
    photos = world.campaign(answers, rng)
    campaign = world.pool.part(np.isin(np.arange(len(world.pool)), photos))
    return Drawn(curve_measure(campaign, seed=seed, progress=lambda done, total: None), world.gains(photos, rng))


def _truth(draws: list[Drawn], name: str) -> Floats:
    """Return the mean gain of the last and of the next 200 answers."""
    found: Floats = np.mean([one.truth[name] for one in draws], axis=0)
    return found


def _coverage(kind: str, draws: list[Drawn]) -> Iterator[Claim]:
    for name in ("srcc", "rps"):
        truth = _truth(draws, name)
        for place, what in enumerate((f"gain of the last {STEP}", f"forecast for the next {STEP}")):
            found = [gain_intervals(one.scores, one.figures(name))[place] for one in draws]
            covered = sum(bool(one.low <= truth[place] <= one.high) for one in found)
            half = np.mean([one.high - one.value for one in found])
            yield Claim(
                claim=f"{kind}: {what}, {name.upper()}: the 95 % interval covers it in {covered} of {len(draws)} "
                f"campaigns ({_share(covered, len(draws))}); estimated {np.mean([one.value for one in found]):+.4f} "
                f"± {half:.4f}",
                value=covered / len(draws),
                unit="of the campaigns",
                baseline=f"measured on other photos: {truth[place]:+.4f}",
                target=0.8,
            )


def _rivals(campaigns: dict[str, list[Drawn]]) -> Iterator[Claim]:
    """Yield our forecast against others: root mean squared error over all campaigns, and coverage."""
    for name in ("srcc", "rps"):
        errors: dict[str, list[float]] = {}
        covered: dict[str, list[bool]] = {}
        for draws in campaigns.values():
            truth = float(_truth(draws, name)[1])
            for one in draws:
                for rival, forecast in FORECASTS.items():
                    figures = one.figures(name)
                    values = np.array([forecast(one.scores, column)[1] for column in figures.T])
                    mean = forecast(one.scores, figures.mean(axis=1))[1]
                    half = fold_interval(values, 0, 0).high - float(values.mean())
                    low, high = mean - half, mean + half
                    if rival == OURS:
                        ours = gain_intervals(one.scores, figures)[1]
                        low, high = ours.low, ours.high
                    errors.setdefault(rival, []).append(mean - truth)
                    covered.setdefault(rival, []).append(bool(low <= truth <= high))
        of_rivals = {rival: float(np.sqrt(np.mean(np.square(one)))) for rival, one in errors.items()}
        others = {rival: error for rival, error in of_rivals.items() if rival != OURS}
        best = min(others, key=others.__getitem__)
        yield Claim(
            claim=f"Forecast for the next {STEP} answers, {name.upper()}, all campaigns: error {of_rivals[OURS]:.4f}, "
            f"the interval covers in {100 * np.mean(covered[OURS]):.0f} %",
            value=others[best] / of_rivals[OURS],
            unit=f"times as exact as the best rival, {best}",
            baseline="error (coverage): "
            + "; ".join(
                f"{rival} {error:.4f} ({100 * np.mean(covered[rival]):.0f} %)" for rival, error in others.items()
            ),
            target=0.9,
        )


def _ensembles(campaigns: dict[str, list[Drawn]]) -> Iterator[Claim]:
    """Yield how often our interval covers, and how wide it is, against those of fewer and of other forms."""
    for name in ("srcc", "rps"):
        texts, ours = [], 0.0
        for which, options in ENSEMBLES.items():
            covered, halves, helps = [], [], 0
            for draws in campaigns.values():
                truth = float(_truth(draws, name)[1])
                for one in draws:
                    found = gain_intervals(one.scores, one.figures(name), **options)[1]
                    covered.append(bool(found.low <= truth <= found.high))
                    halves.append((found.high - found.low) / 2)
                    helps += found.low > 0
            texts.append(
                f"{which} {sum(covered)} of {len(covered)}, ± {np.mean(halves):.4f}, above zero in {helps} campaigns"
            )
            ours = ours or float(np.mean(covered))
        yield Claim(
            claim=f"Interval of the forecast for the next {STEP} answers, {name.upper()}, all campaigns: {texts[0]}",
            value=ours,
            unit="of the campaigns",
            baseline="; ".join(texts[1:]),
            target=0.9,
        )


def _false_claims(campaigns: dict[str, list[Drawn]]) -> Claim:
    """Return how often a curve claims a gain where the features say nothing about the votes."""
    flat = [one for kind, draws in campaigns.items() if "'flat'" in kind for one in draws]
    claims = sum(bool(gain_intervals(one.scores, -one.scores.rps)[1].low > 0) for one in flat)
    return Claim(
        claim=f"Features say nothing about the votes: 'more answers still help' is said in {claims} of {len(flat)} "
        f"campaigns ({_share(claims, len(flat))})",
        value=1 - claims / len(flat),
        unit="of the campaigns without a false claim",
        baseline="97.5 % by the level of the interval",
        target=0.9,
    )


def _share(hits: int, n: int) -> str:
    found = wilson_interval(hits, n)
    return f"{100 * found.low:.0f} to {100 * found.high:.0f} %"


def _ours(scores: CurveScores, figures: Floats) -> tuple[float, float]:
    last, following = gains(scores.answers, figures[:, None], scores.total, inverse_root)
    return float(last[0]), float(following[0])


def _no_gain(scores: CurveScores, figures: Floats) -> tuple[float, float]:
    return 0.0, 0.0


def _last_two(scores: CurveScores, figures: Floats) -> tuple[float, float]:
    gain = float(figures[-1] - figures[scores.before])
    return gain, gain


def _curve(scores: CurveScores, figures: Floats, form: Form, *, upper: float = 0.0) -> tuple[float, float]:
    last, following = gains(scores.answers, figures[:, None], scores.total, form, upper=upper)
    return float(last[0]), float(following[0])


def _straight(answers: Floats) -> Floats:
    """Return the x of a straight line."""
    return answers


def _power_law(scores: CurveScores, figures: Floats) -> tuple[float, float]:
    """Return the gains of a − b·n^−c with free a, b and c; of the last two points if it cannot be fitted."""
    relative = scores.answers / scores.answers[-1]
    try:
        fitted, _covariance = curve_fit(
            lambda n, a, b, c: a - b * n**-c,
            relative,
            figures,
            p0=[figures[-1] + 0.05, 0.05, 0.5],
            bounds=([-5, -5, 0.05], [5, 5, 3]),
            max_nfev=2000,
        )
    except RuntimeError:
        return _last_two(scores, figures)
    at = np.array([scores.total - STEP, scores.total, scores.total + STEP]) / scores.answers[-1]
    values = fitted[0] - fitted[1] * at ** -fitted[2]
    return float(values[1] - values[0]), float(values[2] - values[1])


FORECASTS: dict[str, Forecast] = {
    OURS: _ours,
    "no gain": _no_gain,
    "the last two points": _last_two,
    "a + b·log n, upper points": lambda scores, figures: _curve(scores, figures, logarithm, upper=UPPER),
    "a + b·log n": lambda scores, figures: _curve(scores, figures, logarithm),
    "a − b/√n": lambda scores, figures: _curve(scores, figures, inverse_root),
    "a − b/n, upper points": lambda scores, figures: _curve(scores, figures, lambda n: -1 / n, upper=UPPER),
    "a − b·n^−c": _power_law,
    "a + b·√n, upper points": lambda scores, figures: _curve(scores, figures, square_root, upper=UPPER),
    "a + b·n, upper points": lambda scores, figures: _curve(scores, figures, _straight, upper=UPPER),
}
#: Forms whose intervals an interval contains; the first is ours.
ENSEMBLES: dict[str, dict[str, Sequence[Form]]] = {
    "covers": {},
    "a − b/√n alone": {"forms": (inverse_root,)},
    "a − b/√n and a + b·log n": {"forms": (inverse_root, logarithm)},
    "these and a straight line": {"forms": (inverse_root, logarithm, _straight)},
}
