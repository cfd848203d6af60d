"""The quality class by the limits of a version: pages, filters and exports agree."""

from collections.abc import Callable
from typing import Any

import pytest

from annotation.models import Campaign, Image
from inference.gallery.places import gallery_places, places_read
from inference.gallery.predictions_table import prediction_records
from inference.gallery.query import GalleryQuery
from inference.gallery.table import gallery_records
from inference.models import ModelVersion, Prediction
from inference.selectors import class_limits
from tests.opinions_and_predictions import images_make, predictions_make, version_make

MEANS = [4.5, 5.2, 5.4, 5.9]
CLASSES = ["rejected", "pending", "accepted", "accepted"]


@pytest.fixture
def version(campaign: Campaign) -> ModelVersion:
    """A version that decides at the predicted means 5.125 and 5.375 where people decide at 5 and 6."""
    made = version_make(campaign)
    ModelVersion.objects.filter(pk=made.pk).update(class_stretch=4.0, class_shift=-15.5)
    made.refresh_from_db()
    return made


@pytest.fixture
def photos(campaign: Campaign, version: ModelVersion) -> list[Image]:
    images = images_make(campaign, len(MEANS))
    predictions_make(version, images, MEANS)
    return images


def test_the_limits_are_moved_by_stretch_and_shift(campaign: Campaign, version: ModelVersion) -> None:
    assert class_limits(campaign, version) == (5.125, 5.375)
    assert class_limits(campaign, None) == (5.0, 6.0)
    assert class_limits(campaign, version_make(campaign, 2, champion=False)) == (5.0, 6.0)


@pytest.mark.usefixtures("photos")
def test_queries_and_exports_agree(campaign: Campaign, version: ModelVersion) -> None:
    rows = Prediction.objects.with_quality_class().order_by("quality_mean")  # type: ignore[attr-defined]
    assert [row.quality_class for row in rows] == CLASSES
    assert [row.quality_class for row in prediction_records(campaign)] == CLASSES
    found = {row.quality_mean: row.quality_class for row in gallery_records(campaign, version, GalleryQuery())}
    assert [found[mean] for mean in MEANS] == CLASSES


@pytest.mark.parametrize("name", sorted(set(CLASSES)))
def test_the_filter_finds_the_photos_of_a_class(
    campaign: Campaign, version: ModelVersion, photos: list[Image], name: str
) -> None:
    places = places_read(gallery_places(campaign, version, GalleryQuery(quality_class=name)))
    expected = {photo.pk for photo, one in zip(photos, CLASSES, strict=True) if one == name}
    assert {place.image_id for place in places} == expected


def test_the_photo_page_names_both_limits(photos: list[Image], client_of: Callable[[str], Any]) -> None:
    page = client_of("rita").get(f"/campaigns/watches/photos/{photos[2].pk}/").content.decode()
    assert '<span class="badge accepted">accepted</span>' in page
    assert "rejected ≤ 5.13 &lt; pending ≤ 5.38 &lt; accepted; for a MOS 5 and 6" in page
