"""Versions that were made for another scale, other classes or other features than those of today."""

from collections.abc import Callable
from typing import Any

import pytest

from annotation.models import Campaign
from annotation.services.campaigns import campaign_update
from inference import tasks
from inference.models import PRIOR_NAME, Distortion, ModelVersion
from inference.networks.config import WeightsMissing
from inference.selectors import backbone_key, features_misfit, fits_scale, synsets_text, version_misfit
from inference.services import versions
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote

VersionOf = Callable[..., ModelVersion]


@pytest.fixture
def version(campaign: Campaign) -> ModelVersion:
    version = version_make(campaign)
    version.recipe = versions.made_for(campaign)
    return version


def test_a_version_fits_until_scale_or_classes_change(campaign: Campaign, version: ModelVersion) -> None:
    assert version_misfit(version, campaign) == ""
    changed = campaign_update(campaign=campaign, synsets=[*reversed(campaign.synsets)])
    assert version_misfit(version, changed) == "", "the order of the classes does not matter"
    changed = campaign_update(campaign=campaign, synsets=[409, 530, 531, 826, 207])
    assert version_misfit(version, changed) == (
        "It was made for other classes than the campaign has now: without golden retriever and with wall clock."
    )
    changed = campaign_update(campaign=changed, scale_min=0, scale_max=9)  # as many scores
    assert "another scale than the campaign's, 0 to 9" in version_misfit(version, changed)
    assert not fits_scale(version, changed)


def test_a_version_without_a_recipe_is_looked_up_in_its_card(campaign: Campaign, version_of: VersionOf) -> None:
    version = version_of(campaign)
    assert (version.recipe, version.synsets, version.bins) == ({"name": "tiny"}, [3, 7], 10)
    assert "with tiger shark, cock" in version_misfit(version, campaign)
    campaign.synsets = [7, 3]
    assert version_misfit(version, campaign) == ""
    campaign.scale_max = 5
    assert not fits_scale(version, campaign)


def test_a_version_about_which_nothing_is_known_fits(campaign: Campaign) -> None:
    version = version_make(campaign)
    version.recipe = {}
    assert (version.synsets, version.bins) == ([], None)
    assert version_misfit(version, campaign) == ""


def test_many_classes_make_a_short_sentence() -> None:
    assert synsets_text([409, 530]) == "analog clock, digital clock"
    assert synsets_text(range(100, 400)).endswith("wallaby and 295 more")


def test_other_features_of_the_site_are_told(campaign: Campaign, version: ModelVersion) -> None:
    key = backbone_key("")
    assert features_misfit(version).startswith(f"It needs features of tiny, and the site now computes {key}")
    version.backbone = key
    assert features_misfit(version) == ""


def test_the_photo_page_names_the_classes_of_the_version(client_of: Any, campaign: Campaign) -> None:
    version = version_make(campaign)
    ModelVersion.objects.update(recipe={"synsets": [207, 409, 530, 531, 826]})
    images = images_make(campaign, 1)
    predictions_make(version, images, [5.0])
    page = client_of("rita").get(f"/campaigns/watches/photos/{images[0].pk}/")
    assert {name for name, _ in page.context["synsets"]} == {
        "golden retriever",
        "analog clock",
        "digital clock",
        "digital watch",
        "stopwatch",
    }


def test_pages_open_while_the_champion_is_for_another_scale(client_of: Any, campaign: Campaign) -> None:
    """Until the sweep installs another prior. The predictions have ten bins, and the scale five."""
    version = version_make(campaign)
    ModelVersion.objects.update(recipe=versions.made_for(campaign))
    images = images_make(campaign, 2, holdout=True)
    predictions_make(version, images, [5.0, 6.0])
    campaign_update(campaign=campaign, scale_max=5, reject_at=2, pending_at=3)
    for image in images:
        vote(image, campaign.memberships.get(user__username="alice").user, 4)
        vote(image, campaign.memberships.get(user__username="bob").user, 2)
    ada = client_of("ada")
    for path in ("", "models/", "calibration/", "calibration/?split=all", "photos/", f"photos/{images[0].pk}/"):
        assert ada.get(f"/campaigns/watches/{path}").status_code == 200, path


def test_the_shipped_prior_is_outdated_by_settings_of_campaign_and_site(
    campaign: Campaign, version: ModelVersion, settings: Any
) -> None:
    version.recipe |= {"name": PRIOR_NAME}
    version.backbone = backbone_key("")
    assert not versions.prior_is_outdated(version, campaign)
    settings.IQS_QUALITY_INPUT = "pooled"
    assert not versions.prior_is_outdated(version, campaign), "the shipped one does not depend on it"
    version.recipe |= {"neutral": True, "quality_input": "all"}
    assert versions.prior_is_outdated(version, campaign)
    version.recipe |= {"quality_input": "pooled"}
    assert not versions.prior_is_outdated(version, campaign)
    campaign.synsets = [1]
    assert versions.prior_is_outdated(version, campaign)


def test_the_sweep_goes_on_when_the_new_backbone_has_no_weights(
    campaign: Campaign, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for task in (tasks.features_run, tasks.distortions_run, tasks.predictions_run, tasks.priorities_run):
        monkeypatch.setattr(task, "apply_async", lambda *args, **options: None)  # there is no broker in tests
    version_make(campaign)
    ModelVersion.objects.update(recipe={"name": PRIOR_NAME})
    images_make(campaign, 1)
    settings.IQS_BACKBONE_WEIGHTS = "/no/such/file.pth"
    with pytest.raises(WeightsMissing):
        backbone_key("")
    tasks.sweep()
    assert Distortion.objects.count() == 1, "photos are still queued for distortions"
