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
