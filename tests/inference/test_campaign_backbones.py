"""The backbone belongs to the campaign: its features, its prior, its similar photos and its settings page."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from annotation.campaign_forms import CampaignForm
from annotation.models import AuditRecord, Campaign
from inference.models import Feature, ModelVersion, Prediction
from inference.networks import config as config_module
from inference.networks.backbone_base import StagedBackbone
from inference.networks.config import PRIOR_FOLDERS, backbone_config
from inference.networks.export import backbone_to_onnx
from inference.scoring.predictor import Backbone
from inference.selectors import backbone_key, backbone_of, backbones_needed, backlog, features_queue, is_computed
from inference.services.backlog import work_enqueue
from inference.services.features import features_compute
from inference.services.predictions import predictions_refresh
from inference.services.similarity import images_similar, signatures_refresh
from inference.services.versions import prior_install
from inference.serving import runtime
from tests.inference.conftest import TINY

SETTINGS = "/campaigns/watches/settings/"


@pytest.fixture(scope="module")
def tiny_onnx(tiny_backbone: StagedBackbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backbone") / "tiny.onnx"
    backbone_to_onnx(tiny_backbone, path)
    return path


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, tiny_onnx: Path) -> list[str]:
    """Make tiny networks named "tiny" and "other". Return the names of those that a worker asks for."""
    names: list[str] = []

    def load(name: str) -> Backbone:
        names.append(name)
        return Backbone(tiny_onnx)

    for name in ("tiny", "other"):
        monkeypatch.setitem(config_module.BACKBONES, name, TINY)
    monkeypatch.setattr(runtime, "features_key", lambda name: f"{name}@0")
    monkeypatch.setattr(runtime, "backbone", load)
    return names


def enqueue_all() -> None:
    for name, campaigns in backbones_needed().items():
        work_enqueue(queue=features_queue(name), campaigns=campaigns)


def test_each_campaign_gets_features_of_its_own_backbone(
    campaign: Campaign, make_image: Callable[..., Any], loaded: list[str]
) -> None:
    Campaign.objects.update(backbone="tiny")
    second = Campaign.objects.create(slug="clocks", name="Clocks", backbone="other")
    make_image(0)
    make_image(1)
    make_image(2, campaign=second)
    enqueue_all()
    assert features_compute(seconds=60) == 3
    stored = set(Feature.objects.values_list("image__campaign__slug", "backbone", "state"))
    assert stored == {("watches", "tiny@0", "done"), ("clocks", "other@0", "done")}
    assert set(loaded) == {"tiny", "other"}
    campaign.refresh_from_db()
    assert (backlog(campaign).done, backlog(second).done) == (2, 1)


def test_photos_of_other_backbones_are_processed_while_one_has_no_weights(
    campaign: Campaign, make_image: Callable[..., Any], loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Campaign.objects.update(backbone="tiny")
    Campaign.objects.create(slug="clocks", name="Clocks", backbone="lost")
    make_image(0)

    def key(name: str) -> str:
        if name == "lost":
            raise config_module.WeightsMissing("lost")
        return f"{name}@0"

    monkeypatch.setattr(runtime, "features_key", key)
    work_enqueue(queue=features_queue("tiny"))
    assert features_compute(seconds=60) == 1
    with pytest.raises(config_module.WeightsMissing):
        features_compute(seconds=60)


def test_a_changed_campaign_needs_the_features_of_its_champion_too(
    campaign: Campaign, version_of: Callable[..., Any], loaded: list[str]
) -> None:
    version = version_of(campaign)
    ModelVersion.objects.filter(pk=version.pk).update(backbone="tiny@0")
    Campaign.objects.update(backbone="other")
    assert backbones_needed() == {"other": {campaign.pk}, "tiny": {campaign.pk}}
    ModelVersion.objects.filter(pk=version.pk).update(backbone="tiny@1")
    assert backbones_needed() == {"other": {campaign.pk}}, "its weights have changed, so nothing can compute them"


def test_the_name_of_a_backbone_is_found_in_its_key() -> None:
    for name in ("efficientnet_lite0", "vit_b_16@224+384"):
        assert backbone_of(f"{name}@0123456789ab-int8-01234567") == name
    assert backbone_of("tiny") == ""
    assert is_computed(backbone_key("efficientnet_lite0"))
    assert not is_computed("efficientnet_lite0@0123456789ab")
    assert not is_computed("no_such_network@0123456789ab")


def test_similar_photos_come_from_the_champion_until_the_new_features_are_there(
    campaign: Campaign, make_image: Callable[..., Any], version_of: Callable[..., Any]
) -> None:
    old, new = "efficientnet_lite0", "efficientnet_lite2"
    version = version_of(campaign)
    ModelVersion.objects.filter(pk=version.pk).update(backbone=backbone_key(old))
    images = [make_image(seed) for seed in range(4)]
    rng = np.random.default_rng(0)

    def store(name: str) -> None:
        size = runtime.backbone_chosen(name).feature_size
        for image in images:
            vector = rng.exponential(size=size).astype("<f2").tobytes()
            Feature.objects.create(image=image, backbone=backbone_key(name), state="done", vector=vector)
        signatures_refresh(seconds=60)

    store(old)
    before = images_similar(images[0])
    Campaign.objects.update(backbone=new)
    images[0].campaign.refresh_from_db()
    assert before is not None
    assert images_similar(images[0]) == before
    store(new)
    assert images_similar(images[0]) != before


@pytest.mark.slow
def test_workers_change_a_campaign_to_the_int8_file_of_two_sizes(
    campaign: Campaign, make_image: Callable[..., Any]
) -> None:
    one, two = "efficientnet_lite2", "efficientnet_lite2@260+384"
    image = make_image(0)
    vectors, distributions = {}, {}
    for name in (one, two):
        campaign.backbone = name
        campaign.save()
        enqueue_all()
        assert features_compute(seconds=600) == 1
        stored = Feature.objects.get(image=image, backbone=runtime.features_key(name))
        assert "-int8-" in stored.backbone
        vectors[name] = np.frombuffer(stored.vector, "<f2").astype(np.float32)
        assert len(vectors[name]) == backbone_config(name).feature_size
        version = prior_install(campaign=campaign)
        assert version.backbone == stored.backbone
        predictions_refresh(version=version)
        distributions[name] = np.array(Prediction.objects.get(model_version=version).distribution)
    assert not list(runtime.backbones_folder().glob(f"{two}@*")), "no float file is exported"
    # The smaller picture of two sizes is resized from the larger one.
    assert np.corrcoef(vectors[one], vectors[two][: len(vectors[one])])[0, 1] > 0.99
    np.testing.assert_allclose(distributions[one], distributions[two], atol=0.05)


def test_each_version_predicts_from_the_features_of_its_own_backbone(
    campaign: Campaign, make_image: Callable[..., Any], version_of: Callable[..., Any]
) -> None:
    image, rng = make_image(0), np.random.default_rng(0)
    same = rng.normal(size=12).astype("<f2")
    for key, vector in (("tiny@0", same), ("other@0", rng.normal(size=12).astype("<f2"))):
        Feature.objects.create(image=image, backbone=key, state="done", vector=vector.tobytes())
    first, second = version_of(campaign), version_of(campaign)  # the same heads
    ModelVersion.objects.filter(pk=second.pk).update(backbone="other@0")
    second.refresh_from_db()
    assert [predictions_refresh(version=version) for version in (first, second)] == [1, 1]
    means = dict(Prediction.objects.values_list("model_version", "quality_mean"))
    expected = runtime.heads(first).predict(same[None].astype(np.float32)).distribution[0] @ np.arange(1, 11)
    assert means[first.pk] == pytest.approx(expected, abs=1e-4)
    assert means[second.pk] != pytest.approx(expected, abs=1e-2)


def test_new_campaigns_get_the_backbone_of_the_setting(settings: Any, db: None) -> None:
    settings.IQS_BACKBONE = "resnet50"
    assert Campaign.objects.create(slug="new", name="New").backbone == "resnet50"


def test_the_settings_page_offers_the_bundled_ones_and_keeps_another_one(campaign: Campaign, client_of: Any) -> None:
    offered = [value for value, _label in CampaignForm(instance=campaign).fields["backbone"].choices]
    assert offered == ["efficientnet_lite2@260+384", "efficientnet_lite2", "efficientnet_lite0"]
    campaign.backbone = "resnet50"
    offered = [value for value, _label in CampaignForm(instance=campaign).fields["backbone"].choices]
    assert offered[3:] == ["resnet50"]
    form = CampaignForm({"backbone": "no_such_network"}, instance=campaign)
    assert "no_such_network is not one of the available choices" in str(form.errors["backbone"])
    page = client_of("ada").get(SETTINGS).content.decode()
    assert "sharp: EfficientNet-Lite2" in page
    assert client_of("alice").get(SETTINGS).status_code in (403, 404)


def test_the_command_changes_the_backbone_and_the_audit_says_so(campaign: Campaign, capsys: Any) -> None:
    call_command("campaign_backbone", "watches")
    assert capsys.readouterr().out == "efficientnet_lite0\n"
    call_command("campaign_backbone", "watches", "efficientnet_lite1")
    campaign.refresh_from_db()
    assert campaign.backbone == "efficientnet_lite1"
    assert AuditRecord.objects.get().after == {"backbone": "efficientnet_lite1"}
    with pytest.raises(CommandError, match="Unknown backbone 'efficientnet_lite9'"):
        call_command("campaign_backbone", "watches", "efficientnet_lite9")
    with pytest.raises(CommandError, match="no campaign 'clocks'"):
        call_command("campaign_backbone", "clocks")


@pytest.mark.parametrize(("setting", "expected"), [("resnet50", "resnet50"), ("", "efficientnet_lite0")])
def test_present_campaigns_keep_the_backbone_of_the_site(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, setting: str, expected: str
) -> None:
    monkeypatch.setenv("IQS_BACKBONE", setting)
    Campaign.objects.update(backbone="efficientnet_lite2")
    import_module("annotation.migrations.0025_campaign_backbone").keep_present(apps, None)
    assert Campaign.objects.get().backbone == expected


def test_every_backbone_of_the_settings_page_has_a_prior() -> None:
    assert {backbone_config(name).prior_folder for name in Campaign.Backbone.values} == set(PRIOR_FOLDERS.values())
