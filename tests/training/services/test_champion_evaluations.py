"""The champion is evaluated again by itself when votes, the watch threshold or a class limit have changed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Annotation, Campaign
from annotation.services.campaigns import campaign_update
from tests.opinions_and_predictions import vote
from training import tasks
from training.models import Evaluation, EvaluationRequest
from training.selectors.versions import changed_since, newest_evaluations
from training.services import evaluation_requests
from training.services.evaluation_requests import champions_request, evaluations_request


@pytest.fixture
def champion(make_rated_images: Callable[..., Any], make_version: Callable[..., Any]) -> Any:
    images = make_rated_images(holdout=12, votes=2)
    known = {image: (image.quality, 0.5) for image in images}
    make_version(2, predict=known)  # a challenger
    return make_version(1, champion=True, predict=known)


def sweep(campaign: Campaign) -> None:
    """Do what the sweep and a worker do."""
    champions_request()
    tasks.versions_evaluate(campaign.pk)


def long_ago(minutes: float) -> None:
    Annotation.objects.update(created_at=timezone.now() - timedelta(minutes=minutes))


def test_the_first_votes_are_measured_when_people_pause(champion: Any, campaign: Campaign) -> None:
    assert champions_request() == [], "people are voting"
    long_ago(11)
    sweep(campaign)
    assert [one.model_version for one in Evaluation.objects.all()] == [champion], "challengers take no look"
    assert champions_request() == []


@pytest.mark.parametrize("change", [{"watch_threshold": 0.3}, {"reject_at": 4.0}, {"pending_at": 7.0}])
def test_changed_settings_are_measured_at_once(champion: Any, campaign: Campaign, change: dict[str, float]) -> None:
    long_ago(11)
    sweep(campaign)
    campaign_update(campaign=campaign, **change)
    sweep(campaign)
    assert Evaluation.objects.filter(model_version=champion).count() == 2
    assert changed_since(newest_evaluations([champion])[champion.pk]) == ""
    sweep(campaign)
    assert Evaluation.objects.count() == 2, "nothing has changed since"


def test_new_votes_are_measured_after_a_pause_or_an_hour(
    champion: Any, campaign: Campaign, people: dict[str, Any]
) -> None:
    long_ago(11)
    sweep(campaign)
    Evaluation.objects.update(created_at=timezone.now() - timedelta(minutes=30))
    new = vote(campaign.images.all()[0], people["ada"], 5)
    assert champions_request() == []
    Evaluation.objects.update(created_at=timezone.now() - evaluation_requests.LONGEST)
    assert champions_request() == [campaign.pk], "people vote without a pause"
    EvaluationRequest.objects.all().delete()
    Evaluation.objects.update(created_at=timezone.now() - timedelta(minutes=30))
    Annotation.objects.filter(pk=new.pk).update(created_at=timezone.now() - timedelta(minutes=11))
    sweep(campaign)
    assert newest_evaluations([champion])[champion.pk].vote_count == 25


def test_a_correction_to_the_same_score_does_not_ask_again_and_again(
    champion: Any, campaign: Campaign, people: dict[str, Any]
) -> None:
    long_ago(11)
    sweep(campaign)
    old = Annotation.objects.filter(image__in=campaign.images.all()).first()
    assert old is not None
    vote(old.image, old.annotator, old.score, old.watch, supersedes=old)
    Evaluation.objects.update(created_at=timezone.now() - evaluation_requests.LONGEST)
    sweep(campaign)
    assert champions_request() == []


def test_a_request_for_all_versions_is_not_replaced(champion: Any, campaign: Campaign) -> None:
    long_ago(11)
    evaluations_request(campaign=campaign)
    champions_request()
    assert not EvaluationRequest.objects.get().champion_only
    evaluations_request(campaign=campaign, champion_only=True)
    assert not EvaluationRequest.objects.get().champion_only
    tasks.versions_evaluate(campaign.pk)
    assert Evaluation.objects.count() == 2


def test_closed_campaigns_are_left_alone(champion: Any, campaign: Campaign) -> None:
    long_ago(11)
    Campaign.objects.update(state=Campaign.State.CLOSED)
    assert champions_request() == []
