"""The answers that a run learns from, and their counts on the models page."""

from collections.abc import Callable
from typing import Any

import pytest

from annotation.models import Annotation, Campaign
from inference.selectors import backbone_key
from tests.opinions_and_predictions import images_make, vote
from training.learning.registry import LearningPlan
from training.models import TrainingRun
from training.selectors.runs import TrainingAnswers, exposed_answers_on, new_answers, newest_run, training_answers
from training.services import execution
from training.services.runs import run_claim, run_request


@pytest.fixture
def answered_images(campaign: Campaign, people: dict[str, Any], make_rated_images: Callable[..., Any]) -> list[Any]:
    """Seven photos (5 train, 2 holdout) with two answers each, 3 exposed answers, and 1 photo without features."""
    images = make_rated_images(train=5, holdout=2, features=8)
    for image in images[:3]:
        vote(image, people["rita"], 5, saw_prediction=True)
    vote(images_make(campaign, 1)[0], people["rita"], 5)
    return list(images)


@pytest.mark.parametrize(("exposed_answers", "usable", "left_out"), [(False, 10, 3), (True, 13, 0)])
def test_the_counts_agree_with_the_run(
    campaign: Campaign, answered_images: list[Any], exposed_answers: bool, usable: int, left_out: int
) -> None:
    counts = training_answers(campaign, since=0, exposed_answers=exposed_answers)
    assert counts == TrainingAnswers(usable, usable, holdout=4, exposed=left_out, without_features=1)
    assert new_answers(campaign, since=0, exposed_answers=exposed_answers) == usable
    run = run_request(campaign=campaign, trigger="button", exposed_answers=exposed_answers)
    report = execution.Reporter(run.pk, run_claim(run_id=run.pk) or 0)
    votes, _ = execution._freeze(run, LearningPlan.from_json(run.recipe), backbone_key(""), report)
    run.refresh_from_db()
    assert len(votes) == run.annotation_count == usable


def test_new_answers_are_those_after_the_last_run(
    campaign: Campaign, people: dict[str, Any], answered_images: list[Any]
) -> None:
    newest = Annotation.objects.latest("pk").pk
    assert new_answers(campaign, since=newest, exposed_answers=False) == 0
    vote(answered_images[0], people["ada"], 5)
    vote(answered_images[-1], people["ada"], 5)  # on the holdout
    vote(answered_images[4], people["rita"], 5, saw_prediction=True)
    assert new_answers(campaign, since=newest, exposed_answers=False) == 1
    assert training_answers(campaign, since=newest, exposed_answers=False).new == 1
    assert new_answers(campaign, since=newest, exposed_answers=True) == 2


def test_automatic_runs_keep_the_setting_of_the_last_run(campaign: Campaign) -> None:
    assert not exposed_answers_on(newest_run(campaign))
    for asked, expected in [(None, False), (True, True), (None, True), (False, False), (None, False)]:
        run = run_request(campaign=campaign, trigger="count", exposed_answers=asked)
        assert run.recipe["exposed_answers"] is expected
        TrainingRun.objects.update(state="done")
