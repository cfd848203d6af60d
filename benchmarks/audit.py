"""Figures of campaigns whose queue chooses photos by what the model is unsure about: are they right, and how exact?

Simulated campaigns with a known truth. Rivals: the plain mean over chosen photos and over all answered ones, the
audit photos alone (classical), importance weights (LURE) over all lanes and given the lane, and predictions that count
fully (PPI without power tuning).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.measures.classification import f1
from annotation.measures.intervals import Interval, interval, wilson_interval
from annotation.measures.pool_mean import PoolMean, class_parts, classical_mean, common_weight, powered_mean
from annotation.measures.signs import signed
from annotation.measures.vote_variance import variance_of
from benchmarks._audit_worlds import RANDOM, UNSURE, Draws, World, campaign_run, world_make
from benchmarks._claims import Claim, Setting
from benchmarks._importance import effective_sample_size, lure_weights
from benchmarks._weighted_answers import weighted_claims

CAMPAIGNS = 1000
SEED = 7000
ANSWERS = 600
_BOOTSTRAPS = 300  # of F1, which takes the longest
_LOWEST, _HIGHEST = 93.0, 97.0  # percent
# Of photos in classes: opinions are spread by 1.5 points, votes on one photo by 1.4.
_LIMITS = (5.0, 6.0)


def measure(setting: Setting) -> Iterator[Claim]:
    """Measure bias, coverage and width over many campaigns."""
    campaigns = 10 if setting.tiny else CAMPAIGNS
    yield from _accuracy(campaigns)
    yield from _pool(campaigns)
    yield from _classes(campaigns)
    yield from weighted_claims(campaigns)


def _accuracy(campaigns: int) -> Iterator[Claim]:
    """Yield how right the figures of accuracy are, after 600 answers on 3,000 photos."""
    audit, groups, errors, scores = [], [], [], []
    off: dict[str, list[float]] = {name: [] for name in ("audit", "chosen", "all", "left", "lure", "stored")}
    worth, photos = [], []
    for number in range(campaigns):
        rng = np.random.default_rng(SEED + number)
        world = world_make(rng)
        draws = campaign_run(world, ANSWERS, rng)
        truth = float(world.is_right.mean())
        audit.append(_holds(_audited(world, draws, world.is_right, is_share=True), truth))
        errors.append(_holds(_audited(world, draws, world.errors), float(world.errors.mean())))
        if number < _BOOTSTRAPS:
            scores.append(_holds(_f1(world, draws), float(f1(world.decisions, world.watch))))
        found, weights = _rivals(world, draws)
        for name, value in found.items():
            off[name].append(value - truth)
        worth.append(effective_sample_size(weights))
        photos.append(int(world.holdout[draws.photos].sum()))
        copied = world_make(rng, copies=4)
        drawn = campaign_run(copied, ANSWERS, rng)
        groups.append(_holds(_audited(copied, drawn, copied.is_right, is_share=True), float(copied.is_right.mean())))
    bias = {name: 100 * float(np.mean(values)) for name, values in off.items()}
    spread = {name: 100 * float(np.std(values)) for name, values in off.items()}
    mean, chosen = f"{np.mean(photos):.0f}", "by what the model is unsure about"
    for name, hits in (
        ("share of right watch decisions", audit),
        ("mean absolute error of scores", errors),
        (f"F1 of watch decisions, the first {len(scores)} campaigns", scores),
        ("share of right watch decisions, near-duplicates in fours", groups),
    ):
        yield Claim(
            claim=f"Accuracy on the audit photos, {name}: the truth is in the 95 % interval in {_text(hits)}",
            value=100 * float(np.mean(hits)),
            unit=f"% of {campaigns} campaigns that choose 67 % of {ANSWERS} photos {chosen}",
            baseline=f"on average {mean} audit photos, the right decisions off by {signed(bias['audit'], 1)} points",
            target=_LOWEST,
        )
    yield Claim(
        claim=f"The naive figure is biased: on chosen photos, the share of right decisions is off by "
        f"{signed(bias['chosen'], 1)} points on average, on all answered photos by {signed(bias['all'], 1)}, on "
        f"training photos that were left for the lane random at the end by {signed(bias['left'], 1)}",
        value=abs(bias["chosen"]) / max(abs(bias["audit"]), spread["audit"] / np.sqrt(campaigns)),
        unit="times the bias of the audit photos",
        baseline=f"audit photos: off by {signed(bias['audit'], 2)} points on average, typically {spread['audit']:.1f}",
        target=5.0,
    )
    yield Claim(
        claim=f"Importance weights (LURE) over all answers: off by {signed(bias['lure'], 1)} points on average, "
        f"typically {spread['lure']:.1f}; with the queue's own probabilities {spread['stored']:.1f}. "
        f"{ANSWERS} answers are worth {np.mean(worth):.0f}",
        value=spread["lure"] / spread["audit"],
        unit="times the error of the audit photos: it does not pay, and pages show weights that know the lane",
        baseline=f"the plain mean of {mean} audit photos, typically off by {spread['audit']:.1f} points",
        target=1.0,
    )


def _audited(world: World, draws: Draws, values: NDArray[np.float64], *, is_share: bool = False) -> Interval:
    """Return the mean over the answered holdout photos, which no lane chooses by the model."""
    photos = draws.photos[world.holdout[draws.photos]]
    return classical_mean(values[photos], groups=world.groups[photos], pool=len(values), is_share=is_share)


def _f1(world: World, draws: Draws) -> Interval:
    photos = draws.photos[world.holdout[draws.photos]]
    return interval(f1, world.decisions[photos], world.watch[photos], groups=world.groups[photos], seed=1)


def _rivals(world: World, draws: Draws) -> tuple[dict[str, float], NDArray[np.float64]]:
    """Return the share of right decisions by each way of counting, and the weights of LURE."""
    right, pool = world.is_right[draws.photos], len(world.votes)
    held = world.holdout[draws.photos]
    late = np.arange(len(right)) >= len(right) // 2
    left = late & ~held & (draws.lanes == RANDOM)
    weights = lure_weights(draws.averaged, pool)
    found = {
        "audit": right[held],
        "chosen": right[draws.lanes == UNSURE],
        "all": right,
        "left": right[left],
        "lure": right * weights,
        "stored": right * lure_weights(draws.probabilities, pool),
    }
    return {name: float(values.mean()) for name, values in found.items()}, weights


def _pool(campaigns: int) -> Iterator[Claim]:
    """Yield coverage and width of the mean score of the pool."""
    for title, correlation, widest in (("correlates .65 with votes", 0.65, 0.8), ("knows nothing", 0.0, 1.03)):
        found = [_mean_score(SEED + number, correlation) for number in range(campaigns)]
        hits = [_holds(one.powered, truth) for one, _, truth in found]
        votes = [_holds(one.classical, truth) for one, _, truth in found]
        width = float(np.mean([one.width_ratio for one, _, _ in found]))
        untuned = float(np.mean([full for _, full, _ in found]))
        known = float(np.mean([one.correlation for one, _, _ in found]))
        yield Claim(
            claim=f"Mean score of the campaign from votes and predictions (PPI++), the model {title}: the "
            f"truth is in the 95 % interval in {_text(hits)}",
            value=100 * float(np.mean(hits)),
            unit=f"% of {campaigns} campaigns",
            baseline=f"votes alone: {_text(votes)}",
            target=_LOWEST if campaigns >= CAMPAIGNS else 0.0,
            highest=_HIGHEST if campaigns >= CAMPAIGNS else 100.0,
        )
        yield Claim(
            claim=f"Width of this interval, the model {title} (measured {known:.2f}): {width:.2f} of that "
            "from votes alone",
            value=1 / width,
            unit="times as narrow",
            baseline=f"votes alone; predictions that count fully (weight 1) have {untuned:.2f} of its width",
            target=1 / widest,
        )


def _mean_score(seed: int, correlation: float) -> tuple[PoolMean, float, float]:
    """Return the estimate, the width with the weight 1 as a part of that from votes alone, and the truth."""
    rng = np.random.default_rng(seed)
    world = world_make(rng, photos=6000, correlation=correlation)
    draws = campaign_run(world, ANSWERS, rng)
    held = np.flatnonzero(world.holdout)
    photos = draws.photos[world.holdout[draws.photos]]
    votes, scores, groups = world.votes[photos], world.scores[photos], world.groups[photos]
    found = powered_mean(
        votes,
        scores,
        predicted_mean=float(world.scores[held].mean()),
        predicted=len(held),
        groups=groups,
        pool=len(world.votes),
    )
    # With the weight 1, the mean of vote − prediction comes from the audit photos.
    known = len(photos) / len(held)
    rest = classical_mean(votes - scores, groups=groups).error or 0.0
    alone = found.classical.error or 1.0
    full = np.sqrt((1 - known) * rest**2 + known * alone**2) / alone
    return found, float(full), float(world.votes.mean())


def _classes(campaigns: int) -> Iterator[Claim]:
    """Yield coverage and bias of class shares, from audit photos with two or three votes."""
    found = [_class_shares(SEED + number) for number in range(campaigns)]
    names = ("rejected", "pending", "accepted")
    ours = [_holds(one[name][0], one[name][2]) for one in found for name in names]
    plain = [_holds(one[name][1], one[name][2]) for one in found for name in names]
    off = [_most_off(found, place) for place in (0, 1)]
    yield Claim(
        claim=f"Shares of the three classes from photos with two or three votes, the chance in votes taken off: the "
        f"truth is in the 95 % interval in {_text(ours)}; off by at most {off[0]:.1f} points on average",
        value=100 * float(np.mean(ours)),
        unit=f"% of 3 × {campaigns} shares",
        baseline=f"classes of the plain MOS: {_text(plain)}, off by up to {off[1]:.1f} points",
        target=_LOWEST if campaigns >= CAMPAIGNS else 0.0,
        highest=_HIGHEST + 1 if campaigns >= CAMPAIGNS else 100.0,
    )


def _most_off(found: list[dict[str, Any]], place: int) -> float:
    """Return the largest mean error of a class share, in points: 0 of the estimate, 1 of the plain MOS."""
    errors = [[one[name][place].value - one[name][2] for one in found] for name in found[0]]
    return max(abs(100 * float(np.mean(values))) for values in errors)


def _class_shares(seed: int) -> dict[str, tuple[Interval, Interval, float]]:
    """Return for each class the estimate, the share of plain MOS, and the true share of the opinion of everybody."""
    rng = np.random.default_rng(seed)
    photos, held, audited = 6000, 1800, 300
    opinion = rng.normal(5.5, 1.5, photos)
    predicted = 5.2 + 0.6 * (opinion - 5.5) + rng.normal(0, 0.7, photos)
    counts = rng.integers(2, 4, audited)
    votes = np.clip(np.rint(opinion[:audited, None] + rng.normal(0, 1.4, (audited, 3))), 1, 10)
    given = np.arange(3) < counts[:, None]
    means = (votes * given).sum(axis=1) / counts
    variances = ((votes - means[:, None]) ** 2 * given).sum(axis=1) / (counts - 1)
    parts, _ = class_parts(means, counts, variance=variance_of(variances, counts).mean, limits=_LIMITS)
    groups = np.arange(audited)
    classes = _class_of(predicted, 4.9, 5.5)
    weight = common_weight(parts, classes[:audited, None] == np.arange(3))
    found = {}
    for place, name in enumerate(("rejected", "pending", "accepted")):
        said = classes == place
        estimate = powered_mean(
            parts[:, place],
            said[:audited],
            predicted_mean=float(said[:held].mean()),
            predicted=held,
            groups=groups,
            pool=photos,
            is_share=True,
            weight=weight,
        )
        plain = classical_mean(_class_of(means, *_LIMITS) == place, groups=groups, pool=photos, is_share=True)
        found[name] = (estimate.powered, plain, float((_class_of(opinion, *_LIMITS) == place).mean()))
    return found


def _class_of(scores: NDArray[np.float64], low: float, high: float) -> NDArray[np.int64]:
    return (scores > low).astype(np.int64) + (scores > high)


def _holds(found: Interval, truth: float) -> bool:
    return found.low <= truth <= found.high


def _text(hits: list[bool]) -> str:
    found = wilson_interval(sum(hits), len(hits))
    return f"{100 * found.value:.1f} % ({100 * found.low:.1f}–{100 * found.high:.1f} %)"
