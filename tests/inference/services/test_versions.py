from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from inference.models import ModelVersion
from inference.networks.config import backbone_config
from inference.networks.model_files import ModelFileError
from inference.selectors import backbone_key, champion
from inference.services.versions import champion_set, prior_install
from inference.serving import runtime

VersionOf = Callable[..., ModelVersion]


def test_versions_are_numbered_and_one_of_them_is_champion(campaign: Any, version_of: VersionOf) -> None:
    first, second = version_of(campaign), version_of(campaign, seed=1)
    assert (first.number, second.number) == (1, 2)
    assert champion(campaign) == second
    assert ModelVersion.objects.filter(campaign=campaign, is_champion=True).count() == 1
    assert {path.name for path in second.path.iterdir()} == {"heads.onnx", "heads.safetensors", "card.json"}


def test_two_champions_cannot_be_stored(campaign: Any, version_of: VersionOf) -> None:
    version_of(campaign)
    second = version_of(campaign, champion=False, seed=1)
    second.is_champion = True
    with pytest.raises(IntegrityError), transaction.atomic():
        second.save(update_fields=["is_champion"])


def test_setting_a_champion_returns_the_version_that_it_replaces(campaign: Any, version_of: VersionOf) -> None:
    first = version_of(campaign)
    second = version_of(campaign, champion=False, seed=1)
    assert champion_set(version=second) == first
    assert champion_set(version=second) is None
    assert champion_set(version=ModelVersion.objects.get(pk=first.pk)) == second


def test_a_version_cannot_be_changed(campaign: Any, version_of: VersionOf) -> None:
    version = version_of(campaign)
    version.backbone = "another"
    with pytest.raises(ValidationError, match="never changes"):
        version.save()


def test_a_version_with_a_damaged_file_is_neither_promoted_nor_loaded(campaign: Any, version_of: VersionOf) -> None:
    current = version_of(campaign)
    damaged = version_of(campaign, champion=False, seed=1)
    runtime._heads.clear()  # as in a process that has not loaded it yet
    with (damaged.path / "heads.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelFileError, match="has changed since it was stored"):
        champion_set(version=damaged)
    with pytest.raises(ModelFileError, match="restore it from a backup"):
        runtime.heads(damaged)
    assert champion(campaign) == current


def test_the_error_names_a_missing_file(campaign: Any, version_of: VersionOf) -> None:
    version = version_of(campaign)
    runtime._heads.clear()  # as in a process that has not loaded it yet
    (version.path / "heads.onnx").unlink()
    with pytest.raises(ModelFileError, match=r"heads\.onnx cannot be read"):
        runtime.heads(version)


def test_heads_are_loaded_once_per_process(campaign: Any, version_of: VersionOf) -> None:
    version = version_of(campaign)
    assert runtime.heads(version) is runtime.heads(ModelVersion.objects.get(pk=version.pk))


@pytest.mark.slow
def test_the_shipped_prior_follows_the_campaigns_scale_and_synsets_while_it_is_champion(campaign: Any) -> None:
    first = prior_install(campaign=campaign)
    assert (first.number, first.is_champion) == (1, True)
    assert prior_install(campaign=campaign) == first
    campaign.scale_max, campaign.synsets = 5, [409]
    campaign.save()
    second = prior_install(campaign=campaign)
    assert (second.number, second.recipe["bins"], champion(campaign)) == (2, 5, second)
    size = backbone_config("efficientnet_lite0").feature_size
    scores = runtime.heads(second).predict(np.zeros((1, size), dtype=np.float32))
    assert (scores.distribution.shape, scores.synset_probabilities.shape) == ((1, 5), (1, 1))


@pytest.mark.slow
def test_another_backbone_gets_another_prior(campaign: Any, settings: Any) -> None:
    first = prior_install(campaign=campaign)
    settings.IQS_BACKBONE, settings.IQS_BACKBONE_WEIGHTS = "squeezenet1_1", "random"
    campaign.backbone = "squeezenet1_1"
    second = prior_install(campaign=campaign)
    assert (second.number, second.backbone, champion(campaign)) == (2, backbone_key(""), second)
    assert prior_install(campaign=campaign) == second
    size = backbone_config("squeezenet1_1").feature_size
    scores = runtime.heads(second).predict(np.random.default_rng(0).normal(size=(3, size)).astype(np.float32))
    np.testing.assert_allclose(scores.distribution @ np.arange(1, 11), 5.5, atol=1e-3)  # it has not learned quality yet
    settings.IQS_BACKBONE = "efficientnet_lite0"
    settings.IQS_BACKBONE_WEIGHTS = ""
    campaign.backbone = "efficientnet_lite0"
    assert prior_install(campaign=campaign).backbone == first.backbone
