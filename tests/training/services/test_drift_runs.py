"""Drift starts a run in campaigns that want it, when there are answers to new photos, at most once a week."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from annotation.models import Annotation, Campaign, Image
from inference.models import Feature, ModelVersion
from training.evaluation import drift as drift_tests
from training.models import DriftCheck, TrainingRun
from training.services.drift import drift_check
from training.services.drift_runs import runs_request_drifted
from training.tasks import near_duplicates_run, sweep

State = TrainingRun.State


@pytest.fixture(autouse=True)
def _few_permutations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer permutations and trials than in use, so that the tests take seconds."""
    monkeypatch.setattr(drift_tests, "_PERMUTATIONS", 199)
    monkeypatch.setattr(drift_tests, "_TRIALS", 5)


@pytest.fixture
def drifted(
    campaign: Campaign, people: dict[str, Any], make_rated_images: Callable[..., Any], make_version: Callable[..., Any]
) -> Callable[..., ModelVersion]:
    """Return a function: a champion that has learned from 60 older photos, and 40 photos of this week, other or alike.

    `rated` of the new photos have an answer that came after the champion's run.
    """
    from inference.selectors import backbone_key

    def make(*, rated: int, shift: float = 1.5) -> ModelVersion:
        Campaign.objects.update(retrain_on_drift=True, train_after=0)
        old = make_rated_images(train=60, votes=1)
        Image.objects.update(created_at=timezone.now() - timedelta(days=30))
        last = Annotation.objects.latest("pk").pk
        fresh = make_rated_images(train=40, votes=0, seed=1)
        rng = np.random.default_rng(0)
        for image in (*old, *fresh):
            vector = rng.normal(size=10) + shift * (image in fresh)
            Feature.objects.create(
                image=image, backbone=backbone_key(""), state=Feature.State.DONE, vector=vector.astype("<f2").tobytes()
            )
        version: ModelVersion = make_version(1, champion=True, predict=dict.fromkeys((*old, *fresh), (5.0, 0.2)))
        ModelVersion.objects.update(backbone=backbone_key(""))
        TrainingRun.objects.create(
            campaign=campaign, trigger="button", state="done", challenger=version, last_annotation_id=last
        )
        answer(fresh[:rated], campaign, people["alice"])
        drift_check(campaign=campaign)
        return version

    return make


def answer(images: list[Image], campaign: Campaign, annotator: Any) -> None:
    Annotation.objects.bulk_create(
        Annotation(client_id=uuid.uuid4(), campaign=campaign, image=image, annotator=annotator, watch="yes", score=5)
        for image in images
    )


def test_the_sweep_requests_the_run(drifted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # There is no broker in tests.
    monkeypatch.setattr(near_duplicates_run, "apply_async", lambda args, **options: None)
    drifted(rated=20)
    sweep()
    assert TrainingRun.objects.filter(trigger=TrainingRun.Trigger.DRIFT, state=State.QUEUED).count() == 1


def test_drift_starts_a_run_that_says_why(campaign: Campaign, drifted: Any, client_of: Callable[[str], Any]) -> None:
    drifted(rated=10)
    (run,) = runs_request_drifted()
    check = DriftCheck.objects.get()
    assert (run.state, run.trigger) == (State.QUEUED, TrainingRun.Trigger.DRIFT)
    assert run.reason.startswith("The photos of this week differ from those that version 1 has learned from: energy")
    assert f"coefficient {check.photos['coefficient']:.3f}" in run.reason
    assert f"p = {check.photos['p_value']:.3f} (40 new photos in 40 groups, 60 learned from)." in run.reason
    assert "predicted scores" not in run.reason  # they did not change
    page = client_of("rita").get(f"/campaigns/watches/runs/{run.pk}/").content.decode()
    assert run.reason in page
    assert "drift of photos" in page


def test_it_waits_for_answers_to_ten_groups_of_new_photos(
    campaign: Campaign, people: dict[str, Any], drifted: Any, client_of: Callable[[str], Any]
) -> None:
    drifted(rated=9)
    assert runs_request_drifted() == []
    page = client_of("rita").get("/campaigns/watches/models/").content.decode()
    assert "A run starts automatically when people have rated photos of 10 groups" in page
    old, new = Image.objects.order_by("pk")[:1], Image.objects.order_by("-pk")[:1]
    answer(list(old), campaign, people["bob"])
    assert runs_request_drifted() == []  # an answer to an old photo teaches nothing about the new ones
    answer(list(new), campaign, people["bob"])
    assert len(runs_request_drifted()) == 1


def test_near_duplicates_count_once(campaign: Campaign, drifted: Any) -> None:
    drifted(rated=12)
    new = Image.objects.order_by("pk")[60:64]
    Image.objects.filter(pk__in=[image.pk for image in new]).update(group=new[0].group)  # 12 photos in 9 groups
    assert runs_request_drifted() == []


@pytest.mark.parametrize("change", [{"retrain_on_drift": False}, {"state": "paused"}, {"state": "closed"}])
def test_other_campaigns_start_no_run(drifted: Any, client_of: Callable[[str], Any], change: dict[str, Any]) -> None:
    drifted(rated=20)
    Campaign.objects.update(**change)
    assert runs_request_drifted() == []
    if "retrain_on_drift" in change:
        assert "No run starts by itself" in client_of("rita").get("/campaigns/watches/models/").content.decode()


def test_photos_that_are_alike_start_no_run(drifted: Any) -> None:
    drifted(rated=20, shift=0.0)
    assert DriftCheck.objects.get().photos["verdict"] != "drift"
    assert runs_request_drifted() == []


def test_there_is_one_run_a_week_and_none_beside_a_live_one(
    campaign: Campaign, people: dict[str, Any], drifted: Any
) -> None:
    drifted(rated=20)
    (run,) = runs_request_drifted()
    assert runs_request_drifted() == []
    TrainingRun.objects.filter(pk=run.pk).update(state=State.DONE, last_annotation_id=run.last_annotation_id)
    answer(list(Image.objects.order_by("-pk")[:15]), campaign, people["bob"])
    assert runs_request_drifted() == []  # still within a week
    TrainingRun.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(days=8))
    assert len(runs_request_drifted()) == 1


def test_a_former_champion_and_an_old_check_start_no_run(drifted: Any) -> None:
    version = drifted(rated=20)
    DriftCheck.objects.update(made_at=timezone.now() - timedelta(days=8))
    assert runs_request_drifted() == []
    DriftCheck.objects.update(made_at=timezone.now())
    ModelVersion.objects.filter(pk=version.pk).update(is_champion=False)
    assert runs_request_drifted() == []


def test_the_settings_page_has_the_setting(campaign: Campaign, client_of: Callable[[str], Any]) -> None:
    page = client_of("ada").get("/campaigns/watches/settings/").content.decode()
    assert 'name="retrain_on_drift"' in page
