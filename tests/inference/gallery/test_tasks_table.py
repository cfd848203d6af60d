"""Photos as tasks, with votes and predictions."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.exchange.registry import READERS
from annotation.models import Campaign, Image
from inference.gallery.tasks_table import task_records
from inference.models import ModelVersion
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote


@pytest.fixture
def predicted(campaign: Campaign, people: dict[str, Any]) -> list[Image]:
    images = images_make(campaign, 3)
    vote(images[0], people["alice"], 7, "yes")
    vote(images[0], people["bob"], 4, "unsure")
    predictions_make(version_make(campaign), images, [3.0, 5.0, 7.0])
    return images


def test_tasks_have_votes_and_predictions_of_every_version(campaign: Campaign, predicted: list[Image]) -> None:
    rows = list(task_records(campaign, lambda name: f"/p/{name}"))
    assert [row.file for row in rows] == [image.name for image in predicted]
    assert rows[0].address == f"/p/{predicted[0].name}"
    assert [(one.annotator, one.score, one.watch) for one in rows[0].votes] == [
        ("alice", 7, "yes"),
        ("bob", 4, "unsure"),
    ]
    assert [len(row.votes) for row in rows] == [2, 0, 0]
    assert [len(row.predictions) for row in rows] == [1, 1, 1]
    assert 0 <= rows[0].predictions[0].watch_probability <= 1


def test_predictions_on_another_scale_are_left_out(campaign: Campaign, predicted: list[Image]) -> None:
    ModelVersion.objects.update(recipe={"bins": 10, "scale_min": 0})
    assert [row.predictions for row in task_records(campaign, str)] == [()] * 3


def test_withdrawn_photos_are_no_tasks(campaign: Campaign, predicted: list[Image]) -> None:
    Image.objects.filter(pk=predicted[1].pk).update(withdrawn_at=timezone.now())
    assert len(list(task_records(campaign, str))) == 2


def test_the_number_of_queries_does_not_depend_on_the_photos(
    campaign: Campaign, people: dict[str, Any], predicted: list[Image]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            list(task_records(campaign, str))
        return len(captured)

    few = queries()
    for image in images_make(campaign, 20):
        vote(image, people["alice"], 7, "yes")
    assert queries() == few


def test_exported_tasks_are_read_again(
    campaign: Campaign, predicted: list[Image], tmp_path: Path, make_user: Callable[..., Any]
) -> None:
    path = tmp_path / "tasks.json"
    call_command(
        "export_tasks", "watches", "--address", "/data/local-files/?d=", "--out", str(path), stdout=io.StringIO()
    )
    tasks = json.loads(path.read_text())
    assert tasks[0]["data"]["image"] == f"/data/local-files/?d={predicted[0].name}"
    rows: list[Any] = list(READERS["label-studio"].read(path, (1, 10)))
    assert [(row.photo, row.annotator, row.score, row.watch) for row in rows] == [
        (predicted[0].name, "alice", 7, "yes"),
        (predicted[0].name, "bob", 4, "unsure"),
    ]
