"""The search for a slice that stands out, with a planted bad slice and without, against rules without a correction.

The rivals look at the same slices: the one with the largest raw error is named (in every campaign), or only when its
own 95 % interval lies above the error of all photos.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from annotation.measures.intervals import wilson_interval
from annotation.measures.vote_variance import vote_variance
from benchmarks._claims import Claim, Setting
from benchmarks._slice_worlds import World, world_make
from training.evaluation.calibration.facts import PhotoFacts
from training.evaluation.calibration.slice_kinds import slice_kinds
from training.evaluation.calibration.slice_search import LEVEL
from training.evaluation.calibration.slices import search_scores, search_watches
from training.evaluation.comparison import Comparison

TRIALS = 200
SEED = 5000
_FEWEST = 20


def measure(setting: Setting) -> Iterator[Claim]:
    """Measure how often a slice is named, and how often it is the right one."""
    trials = 8 if setting.tiny else TRIALS
    quiet = {
        "100 photos": World(100),
        "400 photos": World(400),
        "400 photos in groups of four near-duplicates": World(400, copies=4),
    }
    for what, world in quiet.items():
        named = [_named(world, SEED + trial) for trial in range(trials)]
        ours = sum(bool(one["ours"]) for one in named)
        alone = sum(bool(one["interval"]) for one in named)
        yield Claim(
            claim=f"No bad slice, {what}: a slice is named in {_text(ours, trials)}",
            value=1 - ours / trials,
            unit=f"of {trials} campaigns without a false alarm",
            baseline=f"the largest raw error names one in {_text(trials, trials)}; the largest whose own interval is "
            f"above the error of all photos in {_text(alone, trials)}",
            target=0.95,
        )
    for photos, target in ((400, 0.5), (800, 0.8)):
        world = World(photos, off=0.5)
        named = [_named(world, SEED + trial) for trial in range(trials)]
        right = {name: sum(one[name] == "noise" for one in named) for name in ("ours", "raw", "interval")}
        yield Claim(
            claim=f"Scores of a fifth of {photos} photos are 0.5 points off: this slice is named in "
            f"{_text(right['ours'], trials)}",
            value=right["ours"] / trials,
            unit=f"of {trials} campaigns",
            baseline=f"the largest raw error is this slice in {_text(right['raw'], trials)}; with its own interval "
            f"{_text(right['interval'], trials)}",
            target=target,
        )
    world = World(800, wrong_watches=0.15)
    found = [_named(world, SEED + trial)["watch"] == "noise" for trial in range(trials)]
    yield Claim(
        claim=f"18 % wrong watch decisions on a fifth of 800 photos, 3 % elsewhere: this slice is named in "
        f"{_text(sum(found), trials)}",
        value=sum(found) / trials,
        unit=f"of {trials} campaigns",
        baseline="the largest raw share names a slice in every campaign, with a bad one or without",
        target=0.8,
    )


def _named(world: World, seed: int) -> dict[str, str]:
    """Return the kind of slice that each rule names; "" for none. `ours` counts scores and watches together."""
    comparison, facts = world_make(world, np.random.default_rng(seed))
    kinds = slice_kinds(comparison, facts)
    every = np.ones(len(comparison), dtype=bool)
    scores, _ = search_scores(comparison, kinds, every, vote_variance(comparison.histograms), seed=seed)
    decided = comparison.has_majority
    wrong = (comparison.watch_probability > 0.5) != (comparison.is_watch == 1)
    watches, _ = search_watches(comparison, kinds, decided, wrong, seed=seed)
    keys = [kind.key for kind in kinds for _ in kind.names]
    watch = _best(watches.statistics, watches.adjusted, keys)
    rivals = _rivals(comparison, facts)
    return {"ours": _best(np.abs(scores.statistics), scores.adjusted, keys) or watch, "watch": watch, **rivals}


def _best(statistics: NDArray[np.float64], adjusted: NDArray[np.float64], keys: list[str]) -> str:
    """Return the kind of the slice with the largest statistic among those beyond chance."""
    with np.errstate(invalid="ignore"):
        beyond = np.where(adjusted <= LEVEL, statistics, -np.inf)
    return keys[int(beyond.max(axis=0).argmax())] if np.isfinite(beyond).any() else ""


def _rivals(comparison: Comparison, facts: PhotoFacts) -> dict[str, str]:
    """Return the slice with the largest raw error, and the one whose interval (±1.96 errors) is above all photos."""
    squares = (comparison.quality_mean - comparison.mos) ** 2
    raw = alone = ("", -np.inf)
    for kind in slice_kinds(comparison, facts):
        for code in range(len(kind.names)):
            own = squares[kind.codes == code]
            if len(own) < _FEWEST:
                continue
            mean, error = float(own.mean()), float(own.std(ddof=1) / np.sqrt(len(own)))
            if mean > raw[1]:
                raw = (kind.key, mean)
            if mean - 1.96 * error > squares.mean() and mean > alone[1]:
                alone = (kind.key, mean)
    return {"raw": raw[0], "interval": alone[0]}


def _text(count: int, trials: int) -> str:
    found = wilson_interval(count, trials)
    return f"{100 * found.value:.1f} % ({100 * found.low:.1f}–{100 * found.high:.1f} %)"
