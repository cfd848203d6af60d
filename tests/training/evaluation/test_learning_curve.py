"""The learning curve: subsets of answers, groups that are never divided, and what is said with few answers."""

import dataclasses

import numpy as np
import pytest

from tests.training.learning.recipe_data import rated_photos
from training.evaluation.learning_curve import CurveScores, _sizes, answers_missing, curve_measure
from training.learning.quality_data import QualityData


def measured(data: QualityData) -> CurveScores:
    return curve_measure(data, seed=1, progress=lambda done, total: None)


def test_predictions_become_better_with_answers_and_beat_the_prior() -> None:
    data, _quality = rated_photos(160)
    steps: list[tuple[int, int]] = []
    scores = curve_measure(data, seed=1, progress=lambda done, total: steps.append((done, total)))
    assert scores.total == 480
    assert scores.answers[-1] == pytest.approx(0.9 * 480, abs=1)
    assert scores.answers[-1] - scores.answers[scores.before] == pytest.approx(200, abs=3)
    assert list(scores.answers) == sorted(scores.answers)
    assert scores.photos[-1] == pytest.approx(scores.answers[-1] / 3)
    assert scores.rps[-1].mean() < scores.rps[0].mean()
    assert scores.srcc[-1].mean() > scores.srcc[0].mean()
    assert scores.srcc[-1].mean() > scores.prior_srcc.mean() + 0.1
    again = measured(data)
    assert np.array_equal(again.rps, scores.rps)  # the same votes and seed
    assert np.array_equal(again.srcc, scores.srcc)
    assert steps == [(done, scores.rps.size) for done in range(1, scores.rps.size + 1)]


def test_a_group_is_never_learned_and_predicted_at_once() -> None:
    """The scores of groups have nothing to do with features that are the same within a group: nothing can be learned.

    Ranking the photos of all folds together would give a correlation clearly below zero.
    """
    data, _quality = rated_photos(480, group=4)
    rng = np.random.default_rng(99)
    features = np.repeat(rng.normal(size=(120, data.features.shape[1])), 4, axis=0).astype(np.float32)
    unrelated = dataclasses.replace(data, features=features)
    alone = dataclasses.replace(data.rated, groups=np.arange(480).astype("U36"))
    assert measured(unrelated).srcc[-1].mean() == pytest.approx(0, abs=0.3)
    assert measured(dataclasses.replace(unrelated, rated=alone)).srcc[-1].mean() > 0.5  # what a leak looks like


@pytest.mark.parametrize(("answers", "groups", "enough"), [(299, 100, False), (300, 39, False), (300, 40, True)])
def test_few_answers_say_how_many_are_needed(answers: int, groups: int, enough: bool) -> None:
    text = answers_missing(answers, groups)
    assert (text == "") is enough
    if not enough:
        assert text.startswith("Not enough answers to tell")
        assert "300 answers" in text
        assert f"There are {answers} answers to photos of {groups} groups." in text


def test_too_few_answers_are_refused() -> None:
    with pytest.raises(ValueError, match="Not enough answers to tell"):
        measured(rated_photos(99)[0])


@pytest.mark.parametrize("most", [270.0, 540.0, 5_000.0])
def test_sizes_ascend_and_have_200_fewer_than_all_among_them(most: float) -> None:
    shares, before = _sizes(most)
    answers = np.array(shares) * most
    assert list(answers) == sorted(answers)
    assert answers[-1] == most
    assert answers[before] == pytest.approx(most - 200)
    assert answers[0] >= 45
    assert len(answers) >= 4
