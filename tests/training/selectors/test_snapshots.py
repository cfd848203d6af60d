"""The votes that training and evaluation use: the two never share a photo."""

from collections.abc import Callable
from typing import Any

import numpy as np

from annotation.models import Annotation, Campaign, Image
from inference.selectors import backbone_key
from training.learning.registry import LearningPlan
from training.models import TrainingRun
from training.selectors.runs import new_answers, training_answers
from training.selectors.snapshots import holdout_opinions, training_snapshot
from training.services import execution
from training.services.runs import run_claim, run_request


def photos_of(campaign: Campaign, split: str) -> set[int]:
    return set(Image.objects.filter(campaign=campaign, split=split).values_list("pk", flat=True))


def test_votes_on_holdout_photos_are_not_learned_from(
    campaign: Campaign, make_rated_images: Callable[..., Any]
) -> None:
    make_rated_images(train=4, holdout=6, votes=2, features=8)
    train, holdout = photos_of(campaign, "train"), photos_of(campaign, "holdout")
    for exposed in (False, True):
        assert set(training_snapshot(campaign, exposed_answers=exposed).image_ids.tolist()) == train
        assert new_answers(campaign, since=0, exposed_answers=exposed) == 8
        counts = training_answers(campaign, since=0, exposed_answers=exposed)
        assert (counts.usable, counts.new, counts.holdout) == (8, 8, 12)
    assert set(holdout_opinions(campaign).image_ids.tolist()) == holdout


def test_a_run_freezes_no_vote_on_a_holdout_photo(campaign: Campaign, make_rated_images: Callable[..., Any]) -> None:
    make_rated_images(train=4, holdout=6, votes=2, features=8)
    run = run_request(campaign=campaign, trigger=TrainingRun.Trigger.BUTTON)
    attempt = run_claim(run_id=run.pk) or 0
    reporter = execution.Reporter(run.pk, attempt)
    votes, features = execution._freeze(run, LearningPlan.of(exposed_answers=True), backbone_key(""), reporter)
    assert set(votes.image_ids.tolist()) == photos_of(campaign, "train")
    assert len(features) == 4
    frozen = np.load(run.folder / "snapshot.npz")
    assert not set(frozen["image_ids"].tolist()) & photos_of(campaign, "holdout")


def test_votes_on_train_photos_are_not_evaluated_with(
    campaign: Campaign, make_rated_images: Callable[..., Any]
) -> None:
    make_rated_images(train=4, holdout=2, votes=2)
    before = holdout_opinions(campaign).fingerprint
    make_rated_images(train=3, votes=2, seed=1)
    assert holdout_opinions(campaign).fingerprint == before
    Annotation.objects.filter(image__split="train").update(saw_prediction=True, is_blind=False)
    assert holdout_opinions(campaign).fingerprint == before
