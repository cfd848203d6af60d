"""Learning the watch probability from votes that count for a part."""

import numpy as np
import pytest
from scipy.special import expit

from training.learning.config import WatchConfig
from training.learning.watch import WatchFit, watch_fit


@pytest.fixture
def photos(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Zero-shot log-odds that are right, pooled features without information, and the labels of 80 photos."""
    label = np.arange(80) % 2 == 0
    return np.where(label, 2.0, -2.0) + rng.normal(0, 0.5, 80), rng.normal(size=(80, 4)).astype(np.float32), label


def fit(photos: tuple[np.ndarray, np.ndarray, np.ndarray], weight: float) -> WatchFit:
    odds, pooled, label = photos
    yes, no = weight * label, weight * ~label
    return watch_fit(odds, pooled, yes, no, groups=np.arange(80), config=WatchConfig(), seed=1)


def test_photos_with_a_vote_of_small_weight_keep_their_label(photos: tuple[np.ndarray, ...]) -> None:
    """The label of a photo whose only vote counts half is that vote, and not half of it."""
    odds, _, label = photos
    full, half = fit(photos, 1.0), fit(photos, 0.5)
    assert half.labels == full.labels == 80
    assert half.roc_auc == full.roc_auc == 1.0
    probability = expit(half.scale * odds + half.shift)
    assert probability[label].mean() > 0.85
    assert probability[~label].mean() < 0.15
    assert 1 <= half.scale < full.scale, "less evidence stays nearer to the zero-shot model"


def test_a_learned_head_that_decides_worse_at_the_threshold_is_not_used() -> None:
    """Calibrated probabilities of photos that mostly show no watch lie above a threshold made for other numbers."""
    rng = np.random.default_rng(2)
    label = np.arange(120) % 4 == 0
    odds = np.where(label, 0.0, -8.0) + rng.normal(0, 1.0, 120)
    votes = np.where(rng.random(120) < 0.15, ~label, label)  # some wrong answers
    arguments = {"groups": np.arange(120), "config": WatchConfig(), "seed": 1}
    pooled = np.zeros((120, 4), dtype=np.float32)
    free = watch_fit(odds, pooled, 1.0 * votes, 1.0 * ~votes, **arguments)  # type: ignore[arg-type]
    assert (expit(free.scale * odds + free.shift) > 0.05).mean() > 0.9, "nearly every photo would be a watch"
    kept = watch_fit(odds, pooled, 1.0 * votes, 1.0 * ~votes, decides_at=0.05, **arguments)  # type: ignore[arg-type]
    assert (kept.scale, kept.shift, kept.weight) == (1.0, 0.0, None)
    assert "not used" in kept.not_used
    assert "threshold 0.05" in kept.not_used


def test_a_learned_head_that_decides_as_well_is_used(photos: tuple[np.ndarray, ...]) -> None:
    odds, pooled, label = photos
    arguments = {"groups": np.arange(80), "config": WatchConfig(), "seed": 1, "decides_at": 0.5}
    fitted = watch_fit(odds, pooled, 1.0 * label, 1.0 * ~label, **arguments)  # type: ignore[arg-type]
    assert fitted.not_used == ""
    assert fitted.scale != 1.0
