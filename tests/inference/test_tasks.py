"""What tasks do, and which work the sweep finds. Tests record messages instead of sending them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from annotation.models import Campaign
from inference import tasks
from inference.models import Distortion, Feature, ModelVersion, Prediction
from inference.selectors import backbone_key, backlog, distortion_version, features_queue
from inference.services import versions
from inference.services.backlog import work_enqueue

Sent = list[tuple[str, list[Any], int | None]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Return the list of recorded messages: (task, arguments, seconds until the message expires)."""
    messages: Sent = []

    def recorder(task: Any) -> Callable[..., None]:
        def apply_async(args: Any = (), **options: Any) -> None:
            messages.append((task.name.rpartition(".")[2], list(args), options.get("expires")))

        return apply_async

    for task in (tasks.features_run, tasks.distortions_run, tasks.predictions_run, tasks.priorities_run):
        monkeypatch.setattr(task, "apply_async", recorder(task))
    return messages


def features_store(image: Any, vector: np.ndarray, *, backbone: str = "tiny@0", **fields: Any) -> None:
    Feature.objects.create(
        image=image, backbone=backbone, **{"state": "done", "vector": vector.astype("<f2").tobytes(), **fields}
    )


def test_the_sweep_queues_new_photos_and_sends_a_task(
    campaign: Any, make_image: Callable[..., Any], version_of: Callable[..., Any], sent: Sent
) -> None:
    version_of(campaign)
    make_image(0)
    tasks.sweep()
    assert Feature.objects.get().state == "queued"
    assert [name for name, _args, _expires in sent] == ["features_run"]


def test_messages_of_the_sweep_expire_within_a_minute(
    campaign: Any, make_image: Callable[..., Any], version_of: Callable[..., Any], features: np.ndarray, sent: Sent
) -> None:
    version_of(campaign)
    make_image(0)
    features_store(make_image(1), features[0])
    tasks.sweep()
    assert sorted(name for name, _args, _expires in sent) == ["features_run", "predictions_run"]
    assert all(expires is not None and expires <= 60 for _name, _args, expires in sent)


def test_the_sweep_finds_claims_of_dead_workers(
    campaign: Any, make_image: Callable[..., Any], version_of: Callable[..., Any], sent: Sent
) -> None:
    version_of(campaign)
    Feature.objects.create(
        image=make_image(0),
        backbone=backbone_key(""),
        state="running",
        attempts=1,
        claimed_at=timezone.now() - timedelta(hours=1),
    )
    tasks.sweep()
    # No photo is queued for features, so another worker may measure distortions at the same time.
    assert [name for name, _args, _expires in sent] == ["features_run", "distortions_run"]


def test_the_sweep_finds_photos_that_the_champion_has_not_predicted(
    campaign: Any, make_image: Callable[..., Any], version_of: Callable[..., Any], features: np.ndarray, sent: Sent
) -> None:
    former, champion = version_of(campaign), version_of(campaign, seed=1)
    image = make_image(0)
    features_store(image, features[0])
    tasks.predictions_run(former.pk)  # a prediction of another version does not count
    Feature.objects.create(image=image, backbone=backbone_key(""), state="failed")
    Distortion.objects.create(image=image, version=distortion_version(), state="done")
    tasks.sweep()
    assert [message[:2] for message in sent] == [("predictions_run", [champion.pk])]
    assert tasks.predictions_run(champion.pk) == 1
    sent.clear()
    tasks.sweep()
    assert sent == []
    assert Prediction.objects.count() == 2


def test_the_sweep_continues_when_the_prior_cannot_be_installed(
    campaign: Any, make_image: Callable[..., Any], sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def failing_install(*, campaign: Any) -> ModelVersion:
        calls.append(campaign)
        raise OSError("No space left on device")

    monkeypatch.setattr(versions, "prior_install", failing_install)
    make_image(0)
    tasks.sweep()
    assert calls == [campaign]
    assert [name for name, _args, _expires in sent] == ["features_run"]


def test_distortions_wait_until_every_photo_has_a_prediction(
    campaign: Any, make_image: Callable[..., Any], version_of: Callable[..., Any], sent: Sent
) -> None:
    version_of(campaign)
    image = make_image(0)
    tasks.sweep()
    assert Distortion.objects.get().state == "queued"
    assert tasks.distortions_run() == 0
    assert [name for name, _args, _expires in sent] == ["features_run", "features_run"]
    sent.clear()
    Feature.objects.filter(image=image).update(state="failed")
    tasks.sweep()
    assert [name for name, _args, _expires in sent] == ["distortions_run"]
    sent.clear()
    assert tasks.distortions_run() == 1
    assert Distortion.objects.get().state == "done"
    assert sent == []


def test_missing_weights_log_one_line_and_do_not_stop_distortions(
    campaign: Any,
    make_image: Callable[..., Any],
    version_of: Callable[..., Any],
    sent: Sent,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    version_of(campaign)
    make_image(0)
    campaign.backbone = "no_such_network"
    campaign.save()
    tasks.sweep()
    assert [name for name, _args, _expires in sent] == ["distortions_run"]
    assert tasks.features_run() == 0
    log_lines = [record for record in caplog.records if record.name == "inference.tasks"]
    assert len(log_lines) == 2
    assert all("no_such_network" in record.message and not record.exc_info for record in log_lines)
    assert "no_such_network" in backlog(campaign).problem
    assert backlog(campaign).queued == 1
    assert tasks.distortions_run() == 1


def test_a_missing_device_logs_one_line(
    make_image: Callable[..., Any],
    sent: Sent,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from inference.scoring import predictor
    from inference.serving import runtime

    settings.IQS_DEVICE = "cuda"
    monkeypatch.setattr(predictor.onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    monkeypatch.setattr(
        runtime, "backbone", lambda name: predictor.session(Path("unread"), threads=1, device=settings.IQS_DEVICE)
    )
    make_image(0)
    work_enqueue(queue=features_queue(""))
    assert tasks.features_run() == 0
    (log_line,) = [record for record in caplog.records if record.name == "inference.tasks"]
    assert "install onnxruntime-gpu or set IQS_DEVICE=cpu" in log_line.message
    assert not log_line.exc_info


def test_the_sweep_finds_queue_lanes_without_priorities(
    campaign: Any, make_image: Callable[..., Any], version_of: Callable[..., Any], sent: Sent
) -> None:
    version_of(campaign)
    make_image(0)
    Campaign.objects.update(lane_shares={"fewest_votes": 1.0})
    tasks.sweep()
    assert ("priorities_run", [campaign.pk], 30) in sent
    assert tasks.priorities_run(campaign.pk) == 1
    sent.clear()
    tasks.sweep()
    assert "priorities_run" not in [name for name, _args, _expires in sent]


def test_new_predictions_start_a_refresh_of_priorities(
    campaign: Any, version_of: Callable[..., Any], sent: Sent, django_capture_on_commit_callbacks: Any
) -> None:
    version = version_of(campaign)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.predictions_run(version.pk)
    assert "priorities_run" not in [name for name, _args, _expires in sent], "the lane `random` needs no priorities"
    Campaign.objects.update(lane_shares={"fewest_votes": 1.0})
    with django_capture_on_commit_callbacks(execute=True):
        tasks.predictions_run(version.pk)
    assert ("priorities_run", [campaign.pk], 30) in sent
