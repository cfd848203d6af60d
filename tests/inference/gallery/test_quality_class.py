"""The quality class follows the campaign's class limits at once, in every place that shows or filters it."""

import csv
import io
from typing import Any

import pytest
from django.db import connection

from annotation.models import Campaign
from annotation.services.campaigns import campaign_update
from inference.gallery.places import gallery_photos, gallery_places, places_read
from inference.gallery.query import GalleryQuery
from inference.models import ModelVersion, Prediction
from inference.scoring.decode import quality_class
from tests.opinions_and_predictions import images_make, predictions_make, version_make

# Each limit itself, and its neighbours among the floats.
MEANS = [1.0, 4.999999999999999, 5.0, 5.000000000000001, 6.0, 6.000000000000001, 10.0]


@pytest.fixture
def version(campaign: Campaign) -> ModelVersion:
    version = version_make(campaign)
    predictions_make(version, images_make(campaign, len(MEANS)), MEANS)
    return version


def filtered(campaign: Campaign, version: ModelVersion, **query: Any) -> dict[str, list[float]]:
    """Return {class: the means that the gallery's filter finds}."""
    found = {}
    for name in ("rejected", "pending", "accepted"):
        places = gallery_places(campaign, version, GalleryQuery(order="worst", quality_class=name, **query))
        found[name] = [place.key for place in places_read(places)]
    return found


@pytest.mark.parametrize("limits", [(5.0, 6.0), (1.0, 1.0), (5.0, 5.0), (2.5, 9.5), (10.0, 10.0)])
def test_filter_badge_and_export_agree_with_the_present_limits(
    campaign: Campaign, version: ModelVersion, client_of: Any, limits: tuple[float, float]
) -> None:
    changed = campaign_update(campaign=campaign, reject_at=limits[0], pending_at=limits[1])
    classes = quality_class(MEANS, reject_at=limits[0], pending_at=limits[1])
    for name, means in filtered(changed, version).items():
        assert means == [mean for mean, one in zip(MEANS, classes, strict=True) if one == name]
    places = places_read(gallery_places(changed, version, GalleryQuery(order="worst")))
    assert [photo.image.quality_class for photo in gallery_photos(version, places)] == classes
    stored = Prediction.objects.with_quality_class().order_by("quality_mean")
    assert [row.quality_class for row in stored] == classes
    table = client_of("rita").get("/campaigns/watches/photos/table.csv?order=worst")
    rows = csv.DictReader(io.StringIO(b"".join(table.streaming_content).decode()))
    assert [row["quality_class"] for row in rows] == classes


def test_photos_without_a_prediction_have_no_class(campaign: Campaign, version: ModelVersion) -> None:
    (image,) = images_make(campaign, 1, prefix="later")
    places = places_read(gallery_places(campaign, version, GalleryQuery()))
    photos = {photo.image.pk: photo.image.quality_class for photo in gallery_photos(version, places)}
    assert photos[image.pk] is None
    assert sum(map(len, filtered(campaign, version).values())) == len(MEANS)


def test_class_and_range_limit_each_other(campaign: Campaign, version: ModelVersion) -> None:
    assert filtered(campaign, version, quality_from=5.0, quality_to=6.0) == {
        "rejected": [5.0],
        "pending": [5.000000000000001, 6.0],
        "accepted": [],
    }


def test_the_photo_page_shows_the_present_class(campaign: Campaign, version: ModelVersion, client_of: Any) -> None:
    photo = campaign.images.get(predictions__quality_mean=5.0)
    page = f"/campaigns/watches/photos/{photo.pk}/"
    assert 'class="badge rejected"' in client_of("rita").get(page).content.decode()
    campaign_update(campaign=campaign, reject_at=2, pending_at=3)
    html = client_of("rita").get(page).content.decode()
    assert 'class="badge accepted"' in html
    assert 'class="badge rejected"' not in html


def test_the_filter_uses_the_index_on_the_mean(campaign: Campaign, version: ModelVersion) -> None:
    places = gallery_places(campaign, version, GalleryQuery(order="best", quality_class="pending"))[:48]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # the table is too small for the planner to use an index
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        sql, parameters = places.query.sql_with_params()
        cursor.execute(f"EXPLAIN {sql}", parameters)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    condition = plan[plan.index("prediction_quality") :].splitlines()[1]
    assert "quality_mean >" in condition
    assert "quality_mean <=" in condition
