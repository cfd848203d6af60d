"""Runs that make a network of their own: from photos to a version, and the change of the campaign to that network."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from PIL import Image as PillowImage

from annotation.models import Annotation, Campaign
from inference.models import PRIOR_NAME, Feature, ModelVersion, Prediction
from inference.networks import config as config_module
from inference.networks.config import EFFICIENTNET_LITE0, WeightsMissing, backbone_config, is_of_run, run_folder
from inference.selectors import backbone_key, backbone_of, backbones_needed, champion
from inference.services.versions import prior_install, prior_is_outdated
from inference.serving import runtime
from tests.conftest import photo_path
from tests.training.services.test_execution import request_and_claim
from training.evaluation.promotion_rule import Decision, Verdict
from training.learning import whole_network_steps
from training.learning.network_gain import NetworkGain
from training.learning.network_training import NetworkJob, TrainedNetwork, network_train
from training.learning.whole_network import WholeNetwork
from training.models import Promotion, TrainingRun
from training.selectors.backbone_change import backbone_change
from training.services.backbone_changes import runs_request_changed
from training.services.execution import run_perform
from training.services.networks import backbone_hand_over, photo_pixels_make
from training.services.promotions import PromotionError, promotion_make

State = TrainingRun.State
TRAIN, HOLDOUT, SIDE = 36, 6, 96
# The recipe on few photos, with every setting that makes it fast.
SMALL = {"photos_from": 20, "folds": 6, "epochs": 2, "batch": 8}


@pytest.fixture
def backbone() -> str:
    """Return the name of the campaign's backbone."""
    return EFFICIENTNET_LITE0.name


@pytest.fixture
def photos(
    campaign: Campaign,
    people: dict[str, Any],
    make_image: Callable[..., Any],
    backbone: str,
    monkeypatch: pytest.MonkeyPatch,
) -> list[Any]:
    """Return photos with files and answers: the brighter, the better. They have features, which say nothing.

    The bundled network gets small pictures, which take a fifth of the time.
    """
    small = replace(EFFICIENTNET_LITE0, input_size=SIDE)
    monkeypatch.setitem(config_module.BACKBONES, EFFICIENTNET_LITE0.name, small)
    Campaign.objects.update(backbone=backbone)
    campaign.refresh_from_db()
    length = backbone_config(backbone).feature_size
    rng = np.random.default_rng(0)
    images = []
    for number in range(TRAIN + HOLDOUT):
        image = make_image(number, split="train" if number < TRAIN else "holdout")
        quality = rng.uniform(1, 10)
        picture = np.clip(rng.normal(60 + 14 * quality, 20, (64, 96, 3)), 0, 255).astype(np.uint8)
        PillowImage.fromarray(picture).save(photo_path(image), "JPEG")
        vector = rng.normal(size=length).astype("<f2").tobytes()
        Feature.objects.create(image=image, backbone=backbone_key(campaign.backbone), state="done", vector=vector)
        Annotation.objects.bulk_create(
            Annotation(
                client_id=uuid.uuid4(),
                campaign=campaign,
                image=image,
                annotator=people[name],
                watch="no",
                score=int(np.clip(round(quality + rng.normal(0, 0.7)), 1, 10)),
            )
            for name in ("alice", "bob")
        )
        images.append(image)
    return images


def whole_network_run(campaign: Campaign) -> tuple[TrainingRun, int]:
    run, attempt = request_and_claim(campaign)
    plan = {**run.recipe, "recipe": WholeNetwork.name, "recipe_version": WholeNetwork.version}
    plan = {name: value for name, value in plan.items() if name in ("recipe", "recipe_version", "exposed_answers")}
    TrainingRun.objects.filter(pk=run.pk).update(recipe={**plan, **SMALL})
    run.refresh_from_db()
    return run, attempt


@pytest.fixture
def made(campaign: Campaign, make_version: Callable[..., Any], settings: Any) -> ModelVersion:
    """Return a version with a network of its own, in a campaign with a trained champion."""
    make_version(1, champion=True)
    ModelVersion.objects.update(backbone=backbone_key(campaign.backbone), recipe={"name": "trained"})
    folder = run_folder(runtime.weights_folder(), f"{campaign.backbone}+run7")
    folder.mkdir(parents=True)
    (folder / "network.safetensors").write_bytes(b"weights")
    version: ModelVersion = make_version(2)
    ModelVersion.objects.filter(pk=version.pk).update(backbone=backbone_key(f"{campaign.backbone}+run7"))
    version.refresh_from_db()
    return version


@pytest.fixture
def last_epoch_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the network of the last epoch, because it is chance whether an epoch with so few photos is better."""

    def train(job: NetworkJob, **options: Any) -> TrainedNetwork:
        history = network_train(job, **options).history
        return TrainedNetwork(job.network.state_dict(), len(history) - 1, history)

    monkeypatch.setattr(whole_network_steps, "network_train", train)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["efficientnet_lite0", "efficientnet_lite0@224+256"])
def test_a_run_makes_a_version_with_a_network_and_the_campaign_changes_to_it(
    campaign: Campaign, backbone: str, photos: list[Any], client_of: Callable[[str], Any], last_epoch_is_used: None
) -> None:
    run, attempt = whole_network_run(campaign)
    shown: list[str] = []
    run_perform(run_id=run.pk, attempt=attempt, echo=lambda _share, stage: shown.append(stage))
    run.refresh_from_db()
    assert run.state == State.DONE, run.message
    version = run.challenger
    assert version is not None
    gain = NetworkGain.of(version.figures)
    assert gain is not None
    assert gain.is_used
    assert [one["epoch"] for one in run.history] == list(range(len(run.history)))
    assert f"Reading photos, {TRAIN} of {TRAIN}" in shown
    assert any(stage.startswith("Learning the whole network: epoch 2 of 2 at most, about") for stage in shown)
    name = f"{backbone}+run{run.pk}"
    assert backbone_of(version.backbone) == name
    assert version.backbone == backbone_key(name)
    holdout = {image.pk for image in photos[TRAIN:]}
    assert set(Prediction.objects.filter(model_version=version).values_list("image", flat=True)) == holdout
    assert set(Feature.objects.filter(backbone=version.backbone).values_list("image", flat=True)) == holdout
    assert f"manage.py campaign_backbone watches {name}" in run.message
    assert not run.checkpoint_folder.exists()
    page = " ".join(client_of("rita").get(f"/campaigns/watches/runs/{run.pk}/").content.decode().split())
    assert "The whole network has learned" in page
    assert f"On {gain.images} other photos in {gain.groups} groups, which taught and chose nothing" in page
    assert f"{gain.rps:.3f} with that network, and {gain.rps_head:.3f} with the same head" in page
    # Photos are processed by the change of the backbone; then the version of this network is compared once more.
    call_command("campaign_backbone", "watches", name)
    campaign.refresh_from_db()
    old = champion(campaign)
    assert old is not None
    assert prior_install(campaign=campaign) == old, "the prior of the network does not take over"
    assert set(backbones_needed()) == {backbone, name}
    assert runs_request_changed() == []
    for image in photos[:TRAIN]:
        Feature.objects.create(image=image, backbone=version.backbone, state="done", vector=b"")
    (again,) = runs_request_changed()
    assert again.challenger == version
    TrainingRun.objects.filter(pk=again.pk).update(state=State.RUNNING, attempt=1)
    outcome = run_perform(run_id=again.pk, attempt=1)
    assert (outcome.state, outcome.challenger) == (State.DONE, version)
    assert ModelVersion.objects.count() == 2, "nothing is learned again"
    assert promotion_make(version=version, kind=Promotion.Kind.MANUAL).replaced == old


def test_a_version_with_another_network_waits_for_the_features(campaign: Campaign, made: ModelVersion) -> None:
    name = f"{campaign.backbone}+run7"
    with pytest.raises(PromotionError, match=r"no features of it yet\. First run manage.py campaign_backbone"):
        promotion_make(version=made, kind=Promotion.Kind.MANUAL)
    better, worse = (Verdict(decision, "reason") for decision in (Decision.PROMOTE, Decision.NO_BETTER))
    assert name in backbone_hand_over(version=made, campaign=campaign, verdict=better)
    Campaign.objects.update(promote_automatically=True)
    campaign.refresh_from_db()
    assert name in backbone_hand_over(version=made, campaign=campaign, verdict=worse)
    campaign.refresh_from_db()
    assert campaign.backbone == "efficientnet_lite0", "the rule or the campaign is against it"
    assert "Workers now process all photos" in backbone_hand_over(version=made, campaign=campaign, verdict=better)
    campaign.refresh_from_db()
    assert campaign.backbone == name
    change = backbone_change(campaign, champion(campaign))
    assert change is not None
    assert "compare" in change.next_step
    (run,) = runs_request_changed()
    assert run.challenger == made
    assert promotion_make(version=made, kind=Promotion.Kind.MANUAL).version == made


def test_a_shipped_prior_stays_champion_until_the_version_of_the_network_is_compared(
    campaign: Campaign, made: ModelVersion
) -> None:
    ModelVersion.objects.filter(number=1).update(recipe={"name": PRIOR_NAME})
    Campaign.objects.update(backbone=f"{campaign.backbone}+run7")
    campaign.refresh_from_db()
    assert not prior_is_outdated(ModelVersion.objects.get(number=1), campaign)
    (run,) = runs_request_changed()
    assert run.challenger == made


def test_photos_that_cannot_be_opened_are_left_out_and_others_are_read_once(
    campaign: Campaign, photos: list[Any]
) -> None:
    photo_path(photos[1]).write_bytes(b"no photo")
    photo_path(photos[2]).unlink()
    run, _ = request_and_claim(campaign)
    ids = np.array([image.pk for image in photos[:5]])
    found = photo_pixels_make(run, ids, lambda _done, _count: None)
    assert found.rows.tolist() == [0, -1, -1, 3, 4]
    assert found.content.shape == (5, SIDE, SIDE, 3)
    with PillowImage.open(photo_path(photos[3])) as picture:
        plain = np.asarray(picture.resize((SIDE, SIDE), PillowImage.Resampling.BICUBIC))
    assert np.array_equal(found.content[3], plain)
    reported: list[int] = []
    again = photo_pixels_make(run, ids, lambda done, _count: reported.append(done))
    assert (again.rows.tolist(), reported) == (found.rows.tolist(), [])


def test_networks_of_runs_have_names_and_weights_of_their_own(tmp_path: Any) -> None:
    assert is_of_run("vit_b_16@224+384+run3")
    assert not is_of_run("vit_b_16@224+384")
    config = backbone_config("efficientnet_lite0+run3", folder=tmp_path)
    assert (config.base, config.input_size) == ("efficientnet_lite0", 224)
    assert config.prior_folder == run_folder(tmp_path, config.name)
    assert config.prior_folder != EFFICIENTNET_LITE0.prior_folder
    with pytest.raises(WeightsMissing, match="restore it from a backup"):
        config.weights_path()
    with pytest.raises(WeightsMissing, match="Unknown backbone"):
        backbone_config("nothing+run3", folder=tmp_path)
