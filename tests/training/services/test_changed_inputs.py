"""What training makes of changed classes: a run is not skipped, and versions for other classes cannot be promoted."""

from collections.abc import Callable
from typing import Any

import pytest

from annotation.models import Campaign
from annotation.services.campaigns import campaign_update
from inference.models import ModelVersion
from inference.selectors import backbone_key
from inference.services.versions import made_for
from training.models import Promotion, TrainingRun
from training.selectors.snapshots import training_snapshot
from training.services import execution
from training.services.execution import run_perform
from training.services.promotions import PromotionError, promotion_make
from training.services.runs import run_claim, run_request

State = TrainingRun.State
OTHER = [409, 530]


def performed(campaign: Campaign) -> TrainingRun:
    run = run_request(campaign=campaign, trigger=TrainingRun.Trigger.BUTTON)
    run_perform(run_id=run.pk, attempt=run_claim(run_id=run.pk) or 0)
    run.refresh_from_db()
    return run


@pytest.fixture
def learned(
    campaign: Campaign, make_rated_images: Callable[..., Any], make_version: Callable[..., Any]
) -> ModelVersion:
    """Return the version of a run that learned from all answers, with the settings of that time."""
    make_rated_images(train=5, features=8)
    run = run_request(campaign=campaign, trigger=TrainingRun.Trigger.BUTTON)
    version = make_version(2, champion=True)
    recipe = {**run.recipe, **execution._made_with(campaign)}
    ModelVersion.objects.update(backbone=backbone_key(""), recipe=recipe)
    votes = training_snapshot(campaign, exposed_answers=False)
    TrainingRun.objects.update(state=State.DONE, challenger=version, fingerprint=votes.fingerprint)
    return ModelVersion.objects.get()


def test_nothing_has_changed(campaign: Campaign, learned: ModelVersion) -> None:
    run = performed(campaign)
    assert run.state == State.SKIPPED
    assert "the same answers, photos, classes, limits and recipe" in run.message


@pytest.mark.parametrize("synsets", [OTHER, [409, 530, 531, 826, 892, 1]])
def test_other_classes_are_a_change(campaign: Campaign, learned: ModelVersion, synsets: list[int]) -> None:
    campaign_update(campaign=campaign, synsets=synsets)
    # These features are too short to learn from, so a run that is not skipped fails.
    assert performed(campaign).message.startswith("The stored features have 8 numbers")


@pytest.mark.parametrize("limits", [{"reject_at": 4.0}, {"pending_at": 6.5}, {"watch_threshold": 0.2}])
def test_other_limits_are_a_change(campaign: Campaign, learned: ModelVersion, limits: dict[str, float]) -> None:
    campaign_update(campaign=campaign, **limits)
    assert performed(campaign).message.startswith("The stored features have 8 numbers")


def test_another_order_of_the_classes_is_no_change(campaign: Campaign, learned: ModelVersion) -> None:
    campaign_update(campaign=campaign, synsets=campaign.synsets[::-1])
    assert performed(campaign).state == State.SKIPPED


@pytest.mark.parametrize("key", ["quality_input", "prior"])
def test_another_prior_or_input_of_the_quality_head_is_a_change(
    campaign: Campaign, learned: ModelVersion, key: str
) -> None:
    ModelVersion.objects.update(recipe={**learned.recipe, key: "another"})
    assert performed(campaign).state == State.FAILED


def test_versions_from_before_these_were_stored_are_not_learned_again(
    campaign: Campaign, learned: ModelVersion
) -> None:
    old = {key: value for key, value in learned.recipe.items() if key not in execution._made_with(campaign)}
    ModelVersion.objects.update(recipe=old)
    assert performed(campaign).state == State.SKIPPED


@pytest.mark.parametrize("kind", [Promotion.Kind.MANUAL, Promotion.Kind.ROLLBACK, Promotion.Kind.AUTOMATIC])
def test_a_version_for_other_classes_cannot_become_champion(
    campaign: Campaign, make_version: Callable[..., Any], kind: str
) -> None:
    first, second = make_version(1, champion=True), make_version(2)
    promotion_make(version=second, kind=Promotion.Kind.MANUAL)
    ModelVersion.objects.filter(pk=first.pk).update(recipe=made_for(campaign))
    campaign_update(campaign=campaign, synsets=OTHER)
    with pytest.raises(PromotionError, match=r"Version 1 cannot become champion\. It was made for other classes"):
        promotion_make(version=first, kind=kind)
    assert ModelVersion.objects.get(is_champion=True) == second
    campaign_update(campaign=campaign, synsets=made_for(campaign)["synsets"])
    assert promotion_make(version=first, kind=kind).replaced == second


def test_the_models_page_says_what_versions_were_made_for(
    campaign: Campaign, make_version: Callable[..., Any], client_of: Any
) -> None:
    first, second = make_version(1), make_version(2, champion=True)
    ModelVersion.objects.update(recipe=made_for(campaign))
    page = "/campaigns/watches/models/"
    html = client_of("ada").get(page).content.decode()
    assert "analog clock, digital clock, digital watch, stopwatch, wall clock" in html
    assert "Promote version 1" in html
    assert "other classes" not in html
    campaign_update(campaign=campaign, synsets=OTHER)
    html = client_of("ada").get(page).content.decode()
    assert "The champion, version 2, does not fit any more. It was made for other classes" in html
    assert "Cannot become champion. It was made for other classes" in html
    assert "Promote version 1" not in html
    assert "analog clock, digital clock, digital watch, stopwatch, wall clock" in html
    response = client_of("ada").post(f"{page}{first.number}/promote", follow=True)
    assert "annot become champion" in response.content.decode()
    assert ModelVersion.objects.get(is_champion=True) == second


def test_the_overview_says_that_the_champion_is_for_other_classes(
    campaign: Campaign, make_version: Callable[..., Any], make_rated_images: Callable[..., Any], client_of: Any
) -> None:
    make_rated_images(train=1)
    make_version(1, champion=True)
    ModelVersion.objects.update(recipe=made_for(campaign))
    campaign_update(campaign=campaign, synsets=OTHER)
    html = client_of("rita").get("/campaigns/watches/").content.decode()
    assert "It was made for other classes than the campaign has now: with digital watch, stopwatch, wall clock." in html
