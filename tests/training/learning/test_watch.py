"""The learned watch head: soft targets, its threshold, and when it is not used."""

import numpy as np
import pytest

from training.learning.dataset import watch_posteriors
from training.learning.watch import WatchFit, watch_fit
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
    return watch_posteriors(rows, rng.integers(0, 12, len(rows)), votes, photos=len(watch))


def fit_of(log_odds: np.ndarray, pooled: np.ndarray, posterior: np.ndarray, aim: WatchAim | None = None) -> WatchFit:
    groups = np.arange(len(posterior)).astype(str)
    return watch_fit(log_odds, pooled, posterior, groups=groups, seed=1, aim=aim)


def test_a_wrong_vote_puts_no_floor_under_photos_without_a_watch() -> None:
    _, _, watch = photos(300)
    posterior = posteriors(watch, 0.1)
    assert np.quantile(posterior[~watch], 0.9) < 0.02  # a share of votes is 1/3 for a tenth of them


def test_photos_without_votes_for_or_against_have_no_posterior() -> None:
    found = watch_posteriors(np.array([0, 0, 1]), np.array([1, 2, 1]), np.array([1, 1, -1], dtype=np.int8), photos=3)
    assert np.isnan(found).tolist() == [False, True, True]
    assert np.isnan(watch_posteriors(*(np.zeros(0, dtype=np.int64),) * 2, np.zeros(0, dtype=np.int8), photos=2)).all()


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
    cheap, dear = (aimed_threshold(probabilities, watch, WatchAim("cost", cost=cost)) for cost in (0.2, 20))
    assert cheap is not None
    assert dear is not None
    assert dear < cheap
    few = aimed_threshold(probabilities, watch, WatchAim("misses", misses=0.05))
    missed = (probabilities[watch] <= few).mean()
    assert 0.04 < missed <= 0.05
    best = aimed_threshold(probabilities, watch, WatchAim())
    others = [expected_f1(probabilities, watch, other) for other in np.linspace(0.01, 0.99, 99)]
    assert expected_f1(probabilities, watch, best or 0) >= max(others)


def test_labels_of_one_kind_have_no_threshold() -> None:
    assert aimed_threshold([0.1, 0.2], [0, 0], WatchAim()) is None
    assert aimed_threshold([0.1, 0.2], [1, 1], WatchAim()) is None
