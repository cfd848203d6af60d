"""Coverage: photos with a rated one among their nearest."""

import numpy as np
import pytest

from inference.projection.coverage import SAMPLE, coverage


def two_groups(near: int = 30, far: int = 10) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = np.repeat([[0.0] * 4, [100.0] * 4], [near, far], axis=0)
    return (centres + rng.normal(0, 0.01, centres.shape)).astype(np.float32)


def test_a_group_without_a_rated_photo_is_not_covered() -> None:
    rated = np.zeros(40, dtype=bool)
    rated[:30] = True
    found = coverage(two_groups(), rated, seed=0)
    assert (found.covered, found.photos, found.rated, found.near) == (30, 40, 30, 5)
    assert found.share == 0.75
    assert found.at_random > 0.75  # random photos would be in both groups


def test_no_rated_photo_covers_nothing_and_all_cover_everything() -> None:
    assert coverage(two_groups(), np.zeros(40, dtype=bool), seed=0).share == 0
    found = coverage(two_groups(), np.ones(40, dtype=bool), seed=0)
    assert (found.share, found.at_random) == (1, 1)


def test_a_random_choice_covers_what_random_choices_cover(rng: np.random.Generator) -> None:
    features = rng.normal(size=(1000, 8)).astype(np.float32)
    found = coverage(features, rng.random(1000) < 0.06, seed=1)
    assert found.near == 10
    assert found.share == pytest.approx(found.at_random, abs=0.08)


def test_a_large_pool_is_measured_on_a_sample(rng: np.random.Generator) -> None:
    features = rng.normal(size=(SAMPLE + 500, 3)).astype(np.float32)
    assert coverage(features, np.ones(SAMPLE + 500, dtype=bool), seed=0).photos == SAMPLE
