"""The number of new answers that starts a run: exactly `train_after`, not one more."""

from collections.abc import Callable
from typing import Any

import pytest

from annotation.models import Campaign
from training.models import TrainingRun
from training.services.runs import run_claim, run_finish, runs_request_due


@pytest.mark.parametrize(("train_after", "starts"), [(5, True), (6, True), (7, False)])
def test_exactly_train_after_answers_start_a_run(
    campaign: Campaign, make_rated_images: Callable[..., Any], train_after: int, starts: bool
) -> None:
    Campaign.objects.update(train_after=train_after)
    make_rated_images(train=3, votes=2, features=8)
    assert bool(runs_request_due()) is starts


def test_the_count_starts_again_after_a_run(campaign: Campaign, make_rated_images: Callable[..., Any]) -> None:
    Campaign.objects.update(train_after=4)
    make_rated_images(train=2, votes=2, features=8)
    (run,) = runs_request_due()
    run_finish(run_id=run.pk, attempt=run_claim(run_id=run.pk) or 0, state=TrainingRun.State.DONE)
    make_rated_images(train=3, votes=1, features=8, seed=1)
    assert runs_request_due() == []
    make_rated_images(train=1, votes=1, features=8, seed=2)
    assert len(runs_request_due()) == 1
