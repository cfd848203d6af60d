"""The learned watch head: soft targets, its threshold, and when it is not used."""

import numpy as np
import pytest

from tests.training.learning.test_watch_labels import watch_votes
from training.learning.config import WatchConfig
from training.learning.watch import WatchFit, watch_fit
from training.learning.watch_labels import watch_posteriors
from training.learning.watch_thresholds import WatchAim, aimed_threshold, expected_f1


def photos(count: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return zero-shot log-odds, features that know more, and whether each photo shows a watch (one in five)."""
    rng = np.random.default_rng(seed)
    watch = rng.random(count) < 0.2
    pooled = rng.normal(size=(count, 20)).astype(np.float32)
    pooled[:, 0] += np.where(watch, 4, 0)
    log_odds = np.where(watch, -1.0, -6.0) + rng.normal(0, 2.5, count)
    return log_odds, pooled, watch


def posteriors(watch: np.ndarray, clicks: float, seed: int = 1) -> np.ndarray:
    """Return what three simulated votes on each photo say, with a share of random clicks."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(np.arange(len(watch)), 3)
    votes = watch[rows].astype(np.int8)
    is_random = rng.random(len(rows)) < clicks
    votes[is_random] = rng.integers(0, 2, int(is_random.sum()))
    return watch_posteriors(watch_votes(rows, rng.integers(0, 12, len(rows)), votes), photos=len(watch))


def fit_of(log_odds: np.ndarray, pooled: np.ndarray, posterior: np.ndarray, aim: WatchAim | None = None) -> WatchFit:
    groups = np.arange(len(posterior)).astype(str)
    return watch_fit(
        log_odds, pooled, posterior, groups=groups, config=WatchConfig(), seed=1, aim=aim or WatchAim(0.05)
    )


@pytest.mark.parametrize("clicks", [0.0, 0.05, 0.1])
def test_random_clickers_do_not_break_the_label_at_the_threshold(clicks: float) -> None:
    log_odds, pooled, watch = photos(1200)
    fitted = fit_of(log_odds[:200], pooled[:200], posteriors(watch[:200], clicks))
    assert fitted.threshold is not None
    assert fitted.weight is not None
    logits = fitted.scale * log_odds[200:] + fitted.shift + pooled[200:] @ fitted.weight
    learned = expected_f1(1 / (1 + np.exp(-logits)), watch[200:], fitted.threshold)
    before = expected_f1(1 / (1 + np.exp(-log_odds[200:])), watch[200:], 0.05)
    assert learned > before


def test_few_labels_no_labels_and_one_kind_of_label_keep_the_zero_shot_model() -> None:
    log_odds, pooled, watch = photos(200)
    nothing = np.full(200, np.nan)
    for posterior in (posteriors(watch[:20], 0), posteriors(np.zeros(200, dtype=bool), 0), nothing):
        fitted = fit_of(log_odds[: len(posterior)], pooled[: len(posterior)], posterior)
        assert (fitted.scale, fitted.shift, fitted.weight, fitted.threshold) == (1.0, 0.0, None, None)
        assert fitted.not_used


def test_a_head_with_a_lower_f1_than_zero_shot_is_not_used() -> None:
    _, pooled, watch = photos(200)
    perfect = np.where(watch, 3.0, -9.0)
    wrong = posteriors(np.random.default_rng(3).permutation(watch), 0)
    noise = np.random.default_rng(2).normal(size=pooled.shape).astype(np.float32)
    fitted = fit_of(np.random.default_rng(4).normal(-3, 1, 200), noise, wrong)
    assert (fitted.threshold is None) == bool(fitted.not_used)
    kept = fit_of(perfect, pooled, posteriors(watch, 0))
    assert kept.f1 is not None
    assert kept.zero_shot_f1 == pytest.approx(1, abs=0.01)
    assert kept.f1 >= kept.zero_shot_f1 or kept.not_used


def test_the_threshold_follows_the_aim() -> None:
    rng = np.random.default_rng(0)
    watch = rng.random(2000) < 0.3
    probabilities = 1 / (1 + np.exp(-np.where(watch, 1.0, -1.0) - rng.normal(0, 1.5, 2000)))
    cheap, dear = (aimed_threshold(probabilities, watch, WatchAim(0.05, "cost", cost=cost)) for cost in (0.2, 20))
    assert cheap is not None
    assert dear is not None
    assert dear < cheap
    few = aimed_threshold(probabilities, watch, WatchAim(0.05, "misses", misses=0.05))
    missed = (probabilities[watch] <= few).mean()
    assert 0.04 < missed <= 0.05
    best = aimed_threshold(probabilities, watch, WatchAim(0.05))
    others = [expected_f1(probabilities, watch, other) for other in np.linspace(0.01, 0.99, 99)]
    assert expected_f1(probabilities, watch, best or 0) >= max(others)


def test_labels_of_one_kind_have_no_threshold() -> None:
    assert aimed_threshold([0.1, 0.2], [0, 0], WatchAim(0.05)) is None
    assert aimed_threshold([0.1, 0.2], [1, 1], WatchAim(0.05)) is None


def test_a_fixed_threshold_stays_and_a_head_that_decides_worse_there_is_not_used() -> None:
    """Calibrated probabilities of photos that mostly show no watch lie above a threshold made for other numbers."""
    rng = np.random.default_rng(2)
    watch = np.arange(200) % 4 == 0
    log_odds = np.where(watch, 0.0, -8.0) + rng.normal(0, 1.0, 200)
    unsure = np.where(watch, 0.85, 0.15)
    pooled = np.zeros((200, 20), dtype=np.float32)
    fixed = fit_of(log_odds, pooled, unsure, WatchAim(0.05, "fixed"))
    assert (fixed.scale, fixed.shift, fixed.weight, fixed.threshold) == (1.0, 0.0, None, None)
    assert fixed.not_used.startswith("its F1 on held-out photos is 0.4")
    own = fit_of(log_odds, pooled, unsure, WatchAim(0.05))
    assert not own.not_used
    assert own.threshold is not None
    assert own.threshold > 0.2
    fitting = fit_of(log_odds, pooled, unsure, WatchAim(own.threshold, "fixed"))
    assert (fitting.not_used, fitting.threshold) == ("", None)


def test_few_labels_give_wide_intervals_and_many_give_narrow_ones() -> None:
    log_odds, pooled, watch = photos(1000)
    widths = []
    for count in (30, 1000):
        found = fit_of(log_odds[:count], pooled[:count], posteriors(watch[:count], 0)).intervals
        assert found is not None
        low, high = found.at(0.5)
        assert low < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_the_zero_shot_model_gets_a_threshold_only_where_it_surely_does_better() -> None:
    log_odds, pooled, watch = photos(60)
    odds = np.where(watch, 2.0, -2.0) + 0.3 * (log_odds - log_odds.mean())
    labels = posteriors(watch, 0)
    bad, good = (fit_of(odds, pooled, labels, WatchAim(at)) for at in (0.0001, 0.5))
    assert bad.not_used
    assert bad.threshold is not None
    assert 0.1 < bad.threshold < 0.9
    assert good.threshold is None
    few = fit_of(odds, pooled, labels, WatchAim(0.5, "misses"))
    assert few.threshold is not None
    assert few.threshold <= 0.5
    assert fit_of(odds, pooled, labels, WatchAim(0.0001, "fixed")).threshold is None


def test_a_threshold_that_only_looks_better_on_the_photos_that_chose_it_is_not_taken() -> None:
    """Noise around a good threshold: the best cut of the same photos always looks better."""
    taken = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        watch = rng.random(90) < 0.4
        odds = np.where(watch, 1.5, -1.5) + rng.normal(0, 1.2, 90)
        labels = np.where(rng.random(90) < 0.05, ~watch, watch).astype(float)
        fitted = watch_fit(
            odds,
            np.zeros((90, 4), dtype=np.float32),
            labels,
            groups=np.arange(90).astype(str),
            config=WatchConfig(),
            seed=seed,
            aim=WatchAim(0.5),
        )
        taken += fitted.threshold is not None
    assert taken <= 1
