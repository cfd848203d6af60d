"""Planted faults in simulated holdouts are found and named, and sound votes are not accused."""

from typing import Any

import numpy as np
import pytest

from training.evaluation.faults import inverted_annotators, inverted_problem, leak_problem, unrelated_problem
from training.evaluation.promotion_rule import Decision


def panel(rng: np.random.Generator, photos: int = 60, people: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    truth = rng.normal(5.5, 1.3, photos)
    scores = np.clip(np.rint(truth[:, None] + rng.normal(0, 1.65, (photos, people))), 1, 10)
    image, rater = np.divmod(np.arange(photos * people), people)
    return image, rater + 10, scores.ravel()


def test_an_inverted_annotator_is_found_and_nobody_else(rng: np.random.Generator) -> None:
    image, rater, scores = panel(rng)
    scores[rater == 12] = 11 - scores[rater == 12]
    (found,) = inverted_annotators(image, rater, scores)
    assert found.annotator_id == 12
    assert found.correlation.high < 0
    problem = inverted_problem([found])
    assert problem.decision is Decision.CANNOT_TELL
    assert f"rank correlation {found.correlation.value:.2f}".replace("-", "−") in problem.text
    assert "12" not in problem.text.replace("n = 60", ""), "the stored text names nobody"


def test_sound_and_random_annotators_are_not_accused() -> None:
    accused = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        image, rater, scores = panel(rng)
        scores[rater == 11] = rng.integers(1, 11, (rater == 11).sum())
        accused += bool(inverted_annotators(image, rater, scores))
    assert accused <= 4


def test_few_photos_accuse_nobody(rng: np.random.Generator) -> None:
    image, rater, scores = panel(rng, photos=9, people=2)
    scores[rater == 11] = 11 - scores[rater == 10]
    assert inverted_annotators(image, rater, scores) == []
    assert inverted_annotators([], [], []) == []


def test_a_leak_is_refused_with_its_size() -> None:
    problem = leak_problem(12, 240)
    assert problem.decision is Decision.REFUSE
    assert "12 of the 240 rated holdout photos" in problem.text


def entry(value: float, error: float, n: int = 100) -> dict[str, Any]:
    return {"value": value, "low": value - 2 * error, "high": value + 2 * error, "n": n}


@pytest.mark.parametrize(
    ("own", "change", "named"),
    [
        (entry(0.02, 0.1), entry(-0.6, 0.1), True),
        (entry(0.5, 0.1), entry(-0.2, 0.05), False),
        (entry(0.02, 0.1), entry(0.05, 0.1), False),
        (entry(0.02, 0.1, n=19), entry(-0.6, 0.1, n=19), False),
    ],
)
def test_scores_that_are_unrelated_to_the_votes_are_named(
    own: dict[str, Any], change: dict[str, Any], named: bool
) -> None:
    problem = unrelated_problem({"quality_srcc": own}, {"quality_srcc": change})
    assert (problem is not None) is named
    if problem:
        assert problem.decision is Decision.REFUSE
        assert "Quality SRCC 0.020" in problem.text
        assert "shuffled or inverted answers" in problem.text
    assert unrelated_problem({}, {}) is None
