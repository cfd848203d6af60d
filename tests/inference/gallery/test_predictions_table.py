"""The predictions of a campaign as a table."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from annotation.models import Campaign, Image
from inference.distortion.combine import ALGORITHM_VERSION
from inference.gallery.predictions_table import prediction_records
from inference.models import Distortion, ModelVersion
from tests.annotation.exchange.test_parquet import rows_in
from tests.opinions_and_predictions import images_make, predictions_make, version_make


@pytest.fixture
def predicted(campaign: Campaign, people: dict[str, Any]) -> list[Image]:
    """Three photos with predictions of two versions, and distortions of the first."""
    images = images_make(campaign, 3)
    for number, means in enumerate(([3.0, 5.5, 7.0], [4.0, 5.0, 8.0]), start=1):
        version = version_make(campaign, number, champion=number == 1)
        predictions_make(version, images, means, watch=[0.9, 0.01, 0.02])
    severities = {"blur": 0.1, "noise": 0.2, "exposure": 0.3, "compression": 0.4}
    Distortion.objects.create(image=images[0], version=ALGORITHM_VERSION, state="done", **severities)
    return images


def export(*arguments: object) -> str:
    out = io.StringIO()
    call_command("export_predictions", "watches", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_each_prediction_is_a_row_with_its_whole_distribution(campaign: Campaign, predicted: list[Image]) -> None:
    rows = list(prediction_records(campaign))
    assert [row.image for row in rows] == [image.name for image in predicted for _ in range(2)]
    first = rows[0]
    assert (first.quality_mean, first.quality_class, first.watch) == (3.0, "rejected", True)
    assert (len(first.distribution), round(sum(first.distribution), 6)) == (campaign.bins, 1)
    assert (first.blur, first.noise, first.exposure, first.compression) == (0.1, 0.2, 0.3, 0.4)
    assert rows[2].blur is None
    assert [row.quality_class for row in rows[2::2]] == ["pending", "accepted"]


def test_a_version_with_another_scale_says_its_lowest_score_and_has_no_class(
    campaign: Campaign, predicted: list[Image]
) -> None:
    ModelVersion.objects.filter(number=1).update(recipe={"scale_min": 1, "bins": 10})
    ModelVersion.objects.filter(number=2).update(recipe={"scale_min": 0, "bins": 10})
    Campaign.objects.filter(pk=campaign.pk).update(scale_min=0, scale_max=9)
    campaign.refresh_from_db()
    old, new = list(prediction_records(campaign))[:2]
    assert (old.lowest_score, old.quality_class) == (1, None)
    assert (new.lowest_score, new.quality_class) == (0, "rejected")


def test_the_number_of_queries_does_not_grow(
    campaign: Campaign, predicted: list[Image], django_assert_num_queries: Any
) -> None:
    version = ModelVersion.objects.get(number=1)
    images = images_make(campaign, 2100, prefix="more")
    predictions_make(version, images, [5.0] * len(images))
    with django_assert_num_queries(2):
        assert len(list(prediction_records(campaign, 1))) == 2103


def test_a_failed_measurement_is_unknown(campaign: Campaign, predicted: list[Image]) -> None:
    Distortion.objects.create(image=predicted[1], version=ALGORITHM_VERSION, state="failed", blur=1.0)
    Distortion.objects.create(image=predicted[2], version=ALGORITHM_VERSION + 1, state="done", blur=1.0)
    rows = list(prediction_records(campaign))
    assert [row.blur for row in rows] == [0.1, 0.1, None, None, None, None]


def test_withdrawn_photos_have_no_row(campaign: Campaign, predicted: list[Image]) -> None:
    Image.objects.filter(pk=predicted[0].pk).update(withdrawn_at=timezone.now())
    assert {row.image for row in prediction_records(campaign)} == {image.name for image in predicted[1:]}


def test_the_command_writes_one_version_or_all_in_each_format(
    campaign: Campaign, predicted: list[Image], tmp_path: Path
) -> None:
    table = list(csv.DictReader(io.StringIO(export())))
    assert len(table) == 6
    numbers = sorted({int(row["model_version"]) for row in table})
    assert len(table[0]["distribution"].split(" ")) == campaign.bins
    lines = [json.loads(line) for line in export("--format", "predictions-jsonl", "--model", numbers[1]).splitlines()]
    assert [line["quality_mean"] for line in lines] == [4.0, 5.0, 8.0]
    export("--format", "predictions-parquet", "--out", tmp_path / "p.parquet")
    found = rows_in((tmp_path / "p.parquet").read_bytes())
    assert [row["quality_mean"] for row in found] == [float(row["quality_mean"]) for row in table]
    photos = [json.loads(line) for line in export("--format", "photos-jsonl").splitlines()]
    assert {row["file"] for row in photos} == {image.name for image in predicted}


def test_a_version_that_does_not_exist_is_an_error(campaign: Campaign, predicted: list[Image]) -> None:
    with pytest.raises(CommandError, match=r"watches has no model version 99\."):
        export("--model", 99)
    with pytest.raises(CommandError, match="Leave out --model"):
        export("--model", 1, "--format", "photos-csv")


@pytest.mark.parametrize(
    ("name", "status"),
    [("anonymous", 302), ("mallory", 404), ("alice", 403), ("bob", 403), ("rita", 200), ("ada", 200)],
)
def test_only_reviewers_and_admins_download_predictions(
    client_of: Any, predicted: list[Image], name: str, status: int
) -> None:
    response = client_of(name).get(reverse("predictions-table", args=["watches"]))
    assert response.status_code == status
    if status == 200:
        assert b"".join(response.streaming_content).count(b"\r\n") == 7
