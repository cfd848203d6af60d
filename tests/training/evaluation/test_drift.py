"""The drift test: it finds planted drift, stays silent without, and says when it cannot tell."""

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from training.evaluation import drift
from training.evaluation.drift import Drift, DriftVerdict, components, drift_sentence, drift_test

FEATURES = 12


@pytest.fixture(autouse=True)
def _few_permutations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer permutations and trials than in use, so that the tests take seconds."""
    monkeypatch.setattr(drift, "_PERMUTATIONS", 199)
    monkeypatch.setattr(drift, "_TRIALS", 10)


def photos(rng: np.random.Generator, groups: int, *, copies: int = 1, shift: float = 0, scale: float = 1) -> Any:
    """Return features [groups · copies, 12] and group names that no other call gives."""
    points = np.repeat(scale * rng.normal(size=(groups, FEATURES)), copies, axis=0)
    points += 0.05 * rng.normal(size=points.shape)
    points[:, 0] += shift
    names = np.repeat([f"{rng.integers(2**40)}-{number}" for number in range(groups)], copies)
    return points, names


def found_in(old: Any, new: Any, seed: int = 0) -> Drift:
    return drift_test(old[0], new[0], old[1], new[1], np.random.default_rng(seed))


def test_a_shift_and_a_wider_spread_are_drift(rng: np.random.Generator) -> None:
    old = photos(rng, 200)
    for new in (photos(rng, 60, shift=1.5), photos(rng, 60, scale=1.6)):
        found = found_in(old, new)
        assert found.verdict == DriftVerdict.DRIFT
        assert found.p_value <= drift.LEVEL
        assert found.coefficient > found.by_chance
        assert (found.new_photos, found.new_groups, found.old_photos) == (60, 60, 200)


def test_photos_of_the_same_kind_are_no_drift(rng: np.random.Generator) -> None:
    old = photos(rng, 300)
    verdicts = [found_in(old, photos(rng, 150), seed).verdict for seed in range(8)]
    assert verdicts.count(DriftVerdict.NONE) >= 7


def test_groups_count_and_not_their_photos() -> None:
    alarms, of_photos = 0, 0
    for seed in range(12):
        rng = np.random.default_rng(100 + seed)
        old, new = photos(rng, 40, copies=6), photos(rng, 12, copies=6)
        alarms += found_in(old, new).verdict == DriftVerdict.DRIFT
        each = [
            (points, np.array([f"{name}-{place}" for place, name in enumerate(names)])) for points, names in (old, new)
        ]
        of_photos += found_in(*each).verdict == DriftVerdict.DRIFT
    assert alarms <= 1
    assert of_photos >= 8  # each photo as a group of its own


def test_no_drift_is_not_claimed_from_few_photos(rng: np.random.Generator) -> None:
    old = photos(rng, 200)
    five = found_in(old, photos(rng, 5))
    assert five.verdict == DriftVerdict.UNKNOWN
    assert np.isnan(five.p_value)
    assert found_in(old, photos(rng, 5, copies=20)).verdict == DriftVerdict.UNKNOWN  # still five groups
    twelve = found_in(old, photos(rng, 12))
    assert twelve.verdict == DriftVerdict.UNKNOWN
    assert twelve.power < drift.POWER


def test_a_group_on_both_sides_is_left_out(rng: np.random.Generator) -> None:
    old, new = photos(rng, 60), photos(rng, 30)
    names = new[1].copy()
    names[:10] = old[1][:10]
    found = found_in(old, (new[0], names))
    assert (found.old_photos, found.new_photos) == (50, 20)


def test_the_coefficient_matches_its_definition(rng: np.random.Generator) -> None:
    old, new = photos(rng, 40), photos(rng, 25, shift=1)
    points = components(np.concatenate([old[0], new[0]]))
    first, second = points[:40], points[40:]
    across, own, others = (cdist(*pair).mean() for pair in ((first, second), (first, first), (second, second)))
    assert np.isclose(found_in(old, new).coefficient, (2 * across - own - others) / (2 * across))


def test_large_samples_are_drawn_by_whole_groups(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "OLD_MOST", 50)
    monkeypatch.setattr(drift, "NEW_MOST", 31)
    found = found_in(photos(rng, 100), photos(rng, 40, copies=3))
    assert (found.old_photos, found.new_photos, found.new_groups) == (50, 30, 10)


def test_single_numbers_are_compared_too(rng: np.random.Generator) -> None:
    old = rng.normal(5, 1, size=(200, 1)), np.arange(200)
    new = rng.normal(6, 1, size=(60, 1)), np.arange(1000, 1060)
    assert found_in(old, new).verdict == DriftVerdict.DRIFT


@pytest.mark.parametrize(
    ("verdict", "power", "beginning"),
    [
        (DriftVerdict.DRIFT, float("nan"), "The photos of this week differ"),
        (DriftVerdict.NONE, 0.96, "No drift of the photos: coefficient 0.012, by chance up to 0.020. The test would"),
        (DriftVerdict.UNKNOWN, 0.3, "Cannot tell whether the photos have changed: the test would have found a shift"),
        (DriftVerdict.UNKNOWN, float("nan"), "Cannot tell whether the photos have changed: at least 10 groups"),
    ],
)
def test_each_verdict_is_a_sentence_with_its_numbers(verdict: DriftVerdict, power: float, beginning: str) -> None:
    sentence = drift_sentence(Drift(verdict, 0.012, 0.02, 0.2, power, 60, 50, 1000), what="photos")
    assert sentence.startswith(beginning)
    assert sentence.endswith("(60 photos of this week in 50 groups, 1,000 older ones learned from).")
