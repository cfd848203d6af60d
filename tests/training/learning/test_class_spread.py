"""How far predicted means are stretched for the quality classes."""

import numpy as np
import pytest

from annotation.measures.classification import macro_f1, quality_classes
from training.learning.class_spread import class_spread
from training.learning.dataset import RatedImages, RatedVotes


def rated(quality: np.ndarray, *, votes: int = 4, seed: int = 0) -> RatedImages:
    """Return photos of this quality (0 … 9) with votes of eight simulated people."""
    rng = np.random.default_rng(seed)
    photo = np.repeat(np.arange(len(quality)), votes)
    steps = np.clip(np.rint(quality[photo] + rng.normal(0, 1, len(photo))), 0, 9).astype(np.int64)
    histograms = np.zeros((len(quality), 10), dtype=np.float32)
    np.add.at(histograms, (photo, steps), 1)
    nobody = np.zeros(len(quality), dtype=np.float32)
    people = np.concatenate([rng.choice(8, votes, replace=False) for _ in quality])
    return RatedImages(
        image_ids=np.arange(len(quality)),
        groups=np.arange(len(quality)).astype("U36"),
        histograms=histograms,
        watch_yes=nobody,
        watch_no=nobody,
        votes=RatedVotes(photo, people, steps, np.ones(len(steps))),
    )


def test_stretched_means_have_the_centre_and_the_spread_of_the_scores_of_people() -> None:
    rng = np.random.default_rng(1)
    quality = rng.normal(5, 2, 300).clip(0, 9)
    learned = rated(quality)
    means = 1 + 5 + 0.5 * (rng.normal(5, 2, 200) - 5)  # half as spread
    stretch, shift = class_spread(means, learned, lowest=1)
    mos = 1 + learned.histograms @ np.arange(10) / learned.histograms.sum(axis=1)
    assert stretch * means.std() == pytest.approx(mos.std(), rel=0.1)
    assert (stretch * means + shift).mean() == pytest.approx(mos.mean(), abs=0.2)


def test_the_classes_of_new_photos_are_better_than_with_the_means_as_they_are() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(5, 1.5, 500).clip(0, 9)
    means = 5 + 0.35 * (truth - 5) + rng.normal(0, 0.3, 500)
    stretch, shift = class_spread(means[:200], rated(truth[200:]), lowest=0)
    limits = {"reject_at": 4.0, "pending_at": 6.0}
    labels = quality_classes(truth[:200], **limits)
    plain = float(macro_f1(quality_classes(means[:200], **limits), labels))
    assert float(macro_f1(quality_classes(stretch * means[:200] + shift, **limits), labels)) > plain + 0.1


@pytest.mark.parametrize(("photos", "spread"), [(19, 0.2), (100, 4.0)])
def test_few_photos_and_means_that_are_spread_enough_stay(photos: int, spread: float) -> None:
    rng = np.random.default_rng(3)
    learned = rated(rng.normal(5, 1, photos).clip(0, 9))
    assert class_spread(rng.normal(5, spread, 100), learned, lowest=0) == (1.0, 0.0)


def test_means_that_hardly_differ_are_not_stretched_without_end() -> None:
    rng = np.random.default_rng(4)
    stretch, shift = class_spread(np.full(50, 5.0), rated(rng.normal(5, 2, 100).clip(0, 9)), lowest=1)
    assert stretch == 3
    assert np.isfinite(shift)
