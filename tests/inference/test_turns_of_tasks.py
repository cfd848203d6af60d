"""Distortions of finished imports get some time while other imports wait for features."""

from collections.abc import Callable
from typing import Any

import pytest
from celery import current_app

from inference import tasks
from inference.models import Distortion, Feature
from inference.selectors import distortions_queue, features_queue
from inference.services.backlog import work_enqueue


@pytest.fixture(autouse=True)
def _without_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: None)  # unit tests have no broker


@pytest.fixture
def photos(make_image: Callable[..., Any], version_of: Callable[..., Any], campaign: Any) -> None:
    version_of(campaign)
    for seed in range(3):
        make_image(seed)
    work_enqueue(queue=features_queue(""))
    work_enqueue(queue=distortions_queue())


def test_distortions_are_measured_between_the_features_of_a_long_queue(
    photos: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The time of the task is over before a photo is finished.
    monkeypatch.setattr(tasks.features, "features_compute", lambda **options: 0)
    tasks.features_run()
    assert set(Feature.objects.values_list("state", flat=True)) == {"queued"}
    assert set(Distortion.objects.values_list("state", flat=True)) == {"done"}


def test_features_do_not_wait_for_distortions(photos: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_SECONDS_OF_DISTORTIONS", 0)
    monkeypatch.setattr(tasks.features, "features_compute", lambda **options: 0)
    tasks.features_run()
    assert set(Distortion.objects.values_list("state", flat=True)) == {"queued"}


def test_distortions_have_their_own_task_when_all_features_are_there(
    photos: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finish(**options: Any) -> int:
        return Feature.objects.update(state=Feature.State.DONE)

    monkeypatch.setattr(tasks.features, "features_compute", finish)
    assert tasks.features_run() == 3
    assert set(Distortion.objects.values_list("state", flat=True)) == {"queued"}
    assert tasks.distortions_run() == 3
