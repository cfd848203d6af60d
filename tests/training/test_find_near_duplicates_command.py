"""`manage.py find_near_duplicates` and the task of workers: campaigns that exist already are compared once."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from annotation.models import Campaign, Image
from inference.models import Feature
from inference.networks.config import EFFICIENTNET_LITE0
from inference.selectors import backbone_key
from training.models import TrainingRun
from training.tasks import near_duplicates_run, sweep


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("find_near_duplicates", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture
def copies(campaign: Campaign, make_rated_images: Callable[..., Any]) -> list[Image]:
    """Return four rated photos; the first of the train split and the first of the holdout have the same features."""
    images = make_rated_images(train=2, holdout=2, votes=2)
    rng = np.random.default_rng(0)
    for image, seed in zip(images, (0, 1, 0, 3), strict=True):
        Image.objects.filter(pk=image.pk).update(phash=int(rng.integers(-(2**62), 2**62)))
        vector = np.random.default_rng(seed).exponential(size=EFFICIENTNET_LITE0.feature_size).astype("<f2")
        Feature.objects.create(
            image=image, backbone=backbone_key(campaign.backbone), state=Feature.State.DONE, vector=vector.tobytes()
        )
    return list(images)


def test_the_command_joins_and_says_what_it_did(campaign: Campaign, copies: list[Image]) -> None:
    assert run(campaign.slug) == (
        f"{campaign.slug}: 4 photos compared, 1 group joined to others, 1 photo moved to the holdout.\n"
    )
    assert run() == f"{campaign.slug}: 0 photos compared, 0 groups joined to others.\n"
    assert run("--again") == f"{campaign.slug}: 4 photos compared, 0 groups joined to others.\n"
    with pytest.raises(CommandError, match="nowhere"):
        run("nowhere")


def test_photos_that_a_run_has_learned_from_go_to_neither_split(campaign: Campaign, copies: list[Image]) -> None:
    TrainingRun.objects.create(campaign=campaign, trigger="button", state="done", last_annotation_id=10**9)
    assert near_duplicates_run(campaign.pk) == 4
    splits = [Image.objects.get(pk=image.pk).split for image in copies]
    assert splits == ["neither", "train", "neither", "holdout"]


def test_the_sweep_announces_campaigns_with_photos_to_compare(
    campaign: Campaign, copies: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    announced: list[Any] = []
    # No broker runs in this test; the message is the result that matters.
    monkeypatch.setattr(near_duplicates_run, "apply_async", lambda args, **options: announced.append(args))
    sweep()
    near_duplicates_run(campaign.pk)
    sweep()
    assert announced == [[campaign.pk]]


def test_no_campaign(db: None) -> None:
    assert run() == "There are no campaigns.\n"
