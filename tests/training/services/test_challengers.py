"""What happens to a challenger when it has been learned: evaluation, promotion or none."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from annotation.models import Campaign
from inference.models import ModelVersion
from tests.opinions_and_predictions import vote
from training.models import Evaluation, Promotion, TrainingRun
from training.selectors.snapshots import holdout_opinions
from training.selectors.versions import newest_evaluations
from training.services.evaluations import evaluation_make
from training.services.execution import run_perform
from training.services.runs import run_claim, run_request

Predictions = dict[Any, tuple[float, float]]


@pytest.fixture
def photos(make_rated_images: Callable[..., Any]) -> list[Any]:
    return list(make_rated_images(holdout=40, votes=3))


def good(photos: list[Any]) -> Predictions:
    return {photo: (photo.quality, 0.9 if photo.is_watch else 0.01) for photo in photos}


def bad(photos: list[Any]) -> Predictions:
    rng = np.random.default_rng(1)
    return {photo: (float(rng.uniform(1, 10)), float(rng.uniform())) for photo in photos}


def ended(campaign: Campaign, challenger: ModelVersion) -> TrainingRun:
    """Let a run that has learned this challenger go on: evaluate it and decide about the promotion."""
    run = run_request(campaign=campaign, trigger=TrainingRun.Trigger.BUTTON)
    TrainingRun.objects.filter(pk=run.pk).update(challenger=challenger)
    run_perform(run_id=run.pk, attempt=run_claim(run_id=run.pk) or 0)
    run.refresh_from_db()
    assert run.state == TrainingRun.State.DONE, run.message
    return run


def test_a_better_challenger_waits_for_an_admin_when_automatic_promotion_is_off(
    campaign: Campaign, photos: list[Any], make_version: Callable[..., Any]
) -> None:
    champion, challenger = make_version(1, champion=True, predict=bad(photos)), make_version(2, predict=good(photos))
    run = ended(campaign, challenger)
    assert run.message.startswith("Promote: Quality RPS −"), "the rule would promote it"
    assert run.message.endswith("An admin of the campaign decides about the promotion.")
    assert ModelVersion.objects.get(is_champion=True) == champion
    assert not Promotion.objects.exists()


def test_a_challenger_that_the_rule_refuses_is_not_promoted(
    campaign: Campaign, photos: list[Any], make_version: Callable[..., Any]
) -> None:
    Campaign.objects.update(promote_automatically=True)
    champion, challenger = make_version(1, champion=True, predict=good(photos)), make_version(2, predict=bad(photos))
    run = ended(campaign, challenger)
    assert run.message.startswith("Not promoted. Refuse: The challenger's scores are unrelated to the votes")
    assert ModelVersion.objects.get(is_champion=True) == champion
    assert not Promotion.objects.exists()


def test_a_better_challenger_is_promoted_when_automatic_promotion_is_on(
    campaign: Campaign, photos: list[Any], make_version: Callable[..., Any]
) -> None:
    Campaign.objects.update(promote_automatically=True)
    make_version(1, champion=True, predict=bad(photos))
    challenger = make_version(2, predict=good(photos))
    run = ended(campaign, challenger)
    assert run.message.startswith("Promoted: Quality RPS −")
    assert ModelVersion.objects.get(is_champion=True) == challenger
    assert Promotion.objects.get().kind == Promotion.Kind.AUTOMATIC


def test_a_challenger_for_classes_that_changed_during_the_run_is_not_promoted(
    campaign: Campaign, photos: list[Any], make_version: Callable[..., Any]
) -> None:
    make_version(1, champion=True, predict=bad(photos))
    challenger = make_version(2, predict=good(photos))
    ModelVersion.objects.filter(pk=challenger.pk).update(recipe={"synsets": campaign.synsets})
    Campaign.objects.update(promote_automatically=True, synsets=[1])
    run = ended(campaign, challenger)
    assert run.message.startswith("Not promoted: Version 2 cannot become champion. It was made for other classes")
    assert not Promotion.objects.exists()


@pytest.mark.parametrize("change", ["votes", "settings"])
def test_the_champion_is_measured_again_after_new_votes_and_with_new_settings(
    campaign: Campaign, people: Any, photos: list[Any], make_version: Callable[..., Any], change: str
) -> None:
    champion, challenger = make_version(1, champion=True, predict=bad(photos)), make_version(2, predict=good(photos))
    evaluation_make(version=champion)
    if change == "votes":
        vote(photos[0], people["ada"], 5)
    else:
        Campaign.objects.update(watch_threshold=0.5)
    run = ended(campaign, challenger)
    newest = newest_evaluations([champion, challenger])
    assert {newest[version.pk].run for version in (champion, challenger)} == {run}
    assert {one.fingerprint for one in newest.values()} == {holdout_opinions(campaign).fingerprint}
    assert newest[champion.pk].settings == newest[challenger.pk].settings


def test_the_champion_is_not_measured_again_on_the_same_votes(
    campaign: Campaign, photos: list[Any], make_version: Callable[..., Any]
) -> None:
    champion, challenger = make_version(1, champion=True, predict=bad(photos)), make_version(2, predict=good(photos))
    known = evaluation_make(version=champion)
    ended(campaign, challenger)
    assert list(Evaluation.objects.filter(model_version=champion)) == [known]
