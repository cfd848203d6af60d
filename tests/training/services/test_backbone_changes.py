"""A change of the campaign's backbone: the champion goes on, one run follows, and old features are deleted later."""

from collections.abc import Callable
from typing import Any

import pytest

from annotation.models import Campaign
from annotation.services.campaigns import campaign_update
from inference.models import PRIOR_NAME, Feature, ModelVersion, Signature
from inference.selectors import backbone_key, champion, features_misfit
from inference.services.versions import prior_is_outdated
from tests.opinions_and_predictions import images_make
from training.models import Promotion, TrainingRun
from training.selectors.backbone_change import BackboneChange, backbone_change
from training.services.backbone_changes import old_features_delete, runs_request_changed
from training.services.promotions import promotion_make

OLD, NEW = "efficientnet_lite0", "efficientnet_lite2"


def features_make(images: list[Any], name: str, *, state: str = "done") -> None:
    Feature.objects.bulk_create(Feature(image=image, backbone=backbone_key(name), state=state) for image in images)


def reads(version: ModelVersion, name: str, *, recipe: str = "trained") -> ModelVersion:
    """Let the version read features of this backbone."""
    ModelVersion.objects.filter(pk=version.pk).update(backbone=backbone_key(name), recipe={"name": recipe})
    return ModelVersion.objects.get(pk=version.pk)


@pytest.fixture
def images(campaign: Campaign) -> list[Any]:
    found = images_make(campaign, 3)
    features_make(found, OLD)
    return list(found)


@pytest.fixture
def version(campaign: Campaign, images: list[Any], make_version: Callable[..., Any]) -> ModelVersion:
    """Return a trained champion of the old backbone, of a campaign that has just changed to the new one."""
    made = reads(make_version(1, champion=True), OLD)
    campaign_update(campaign=campaign, backbone=NEW)
    campaign.refresh_from_db()
    return made


def change_of(campaign: Campaign) -> BackboneChange:
    found = backbone_change(campaign, champion(campaign))
    assert found is not None
    return found


def test_the_champion_fits_until_the_new_version_is_there(campaign: Campaign, version: ModelVersion) -> None:
    assert features_misfit(version) == ""
    assert change_of(campaign).old == OLD


def test_one_run_follows_when_all_photos_have_the_new_features(
    campaign: Campaign, version: ModelVersion, images: list[Any]
) -> None:
    features_make(images[:2], NEW)
    assert runs_request_changed() == [], "one photo has no new features yet"
    assert "2 done, 1 to do. Then a training run starts." in change_of(campaign).next_step
    features_make(images[2:], NEW, state="failed")
    (run,) = runs_request_changed()
    assert run.trigger == TrainingRun.Trigger.BACKBONE
    assert f"Run {run.number} trains a version" in change_of(campaign).next_step
    assert runs_request_changed() == []
    TrainingRun.objects.update(state=TrainingRun.State.DONE, message="Not promoted: no better.")
    assert runs_request_changed() == [], "the rule has decided"
    assert change_of(campaign).next_step == f"Run {run.number} has ended. Not promoted: no better."


def test_another_change_gets_another_run(campaign: Campaign, version: ModelVersion, images: list[Any]) -> None:
    features_make(images, NEW)
    features_make(images, "efficientnet_lite1")
    (first,) = runs_request_changed()
    TrainingRun.objects.update(state=TrainingRun.State.FAILED)
    campaign_update(campaign=campaign, backbone="efficientnet_lite1")
    (second,) = runs_request_changed()
    assert second != first


def test_cancelled_photos_are_told_and_no_run_follows(
    campaign: Campaign, version: ModelVersion, images: list[Any]
) -> None:
    features_make(images[:2], NEW)
    features_make(images[2:], NEW, state="cancelled")
    assert runs_request_changed() == []
    assert change_of(campaign).next_step.startswith("The processing of 1 photos was cancelled.")


def test_a_campaign_that_goes_back_has_no_change(campaign: Campaign, version: ModelVersion) -> None:
    campaign_update(campaign=campaign, backbone=OLD)
    campaign.refresh_from_db()
    assert backbone_change(campaign, champion(campaign)) is None
    assert runs_request_changed() == []


def test_a_prior_goes_on_until_the_new_features_are_there(
    campaign: Campaign, version: ModelVersion, images: list[Any]
) -> None:
    prior = reads(version, OLD, recipe=PRIOR_NAME)
    assert not prior_is_outdated(prior, campaign)
    assert "Then its prior becomes the champion." in change_of(campaign).next_step
    features_make(images, NEW)
    assert prior_is_outdated(prior, campaign)
    assert runs_request_changed() == [], "the sweep installs the prior of the new backbone"


def test_old_features_stay_while_a_rollback_needs_them(
    campaign: Campaign, version: ModelVersion, images: list[Any], make_version: Callable[..., Any]
) -> None:
    features_make(images, NEW)
    Signature.objects.create(campaign=campaign, image=images[0], key=f"{backbone_key(OLD)}/1", bits="0" * 256)
    second, third = (reads(make_version(number), NEW) for number in (2, 3))
    promotion_make(version=second, kind=Promotion.Kind.MANUAL)
    assert old_features_delete() == 0, "a rollback to version 1 is one click away"
    promotion_make(version=third, kind=Promotion.Kind.MANUAL)
    assert old_features_delete() == 3
    assert set(Feature.objects.values_list("backbone", flat=True)) == {backbone_key(NEW)}
    assert not Signature.objects.exists()


def test_a_refused_challenger_deletes_nothing(campaign: Campaign, version: ModelVersion, images: list[Any]) -> None:
    features_make(images, NEW)
    assert old_features_delete() == 0
    assert Feature.objects.count() == 6


def test_the_pages_say_what_is_going_on(
    campaign: Campaign, version: ModelVersion, images: list[Any], client_of: Callable[[str], Any]
) -> None:
    features_make(images[:2], NEW)
    for path in ("models/", "status"):
        page = " ".join(client_of("rita").get(f"/campaigns/watches/{path}").content.decode().split())
        assert f"The backbone changes from {OLD} to {NEW}." in page, path
        assert '<progress max="3" value="2"' in page, path
        assert "Version 1 goes on meanwhile" in page, path
    assert client_of("alice").get("/campaigns/watches/models/").status_code in (403, 404)
