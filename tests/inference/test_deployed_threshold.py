"""The threshold of a version: promotion and rollback move it, and pages and exports use it."""

from collections.abc import Callable
from typing import Any

import pytest

from annotation.models import Campaign, Image
from inference.gallery.places import gallery_places, places_read
from inference.gallery.predictions_table import prediction_records
from inference.gallery.query import GalleryQuery
from inference.gallery.table import gallery_records
from inference.gallery.tasks_table import task_records
from inference.models import ModelVersion
from inference.selectors import champion, deployed_threshold, deployed_threshold_sql, shown_threshold
from inference.services.watch_voter import _decisions
from tests.opinions_and_predictions import images_make, predictions_make, version_make

OWN = 0.5


@pytest.fixture
def version(campaign: Campaign) -> ModelVersion:
    made = version_make(campaign)
    ModelVersion.objects.filter(pk=made.pk).update(watch_threshold=OWN)
    made.refresh_from_db()
    return made


@pytest.fixture
def photos(campaign: Campaign, version: ModelVersion) -> list[Image]:
    """Two photos above the campaign's threshold .05; only the second is above that of the version."""
    images = images_make(campaign, 2)
    predictions_make(version, images, [5.0, 6.0], watch=[0.3, 0.9])
    return images


def test_each_export_decides_at_the_threshold_of_the_version(
    campaign: Campaign, version: ModelVersion, photos: list[Image]
) -> None:
    assert [row.watch for row in prediction_records(campaign)] == [False, True]
    found = {row.image: row.watch for row in gallery_records(campaign, version, GalleryQuery())}
    assert found == {photos[0].pk: False, photos[1].pk: True}
    assert [row.predictions[0].is_watch for row in task_records(campaign, str)] == [False, True]
    assert list(_decisions(campaign, version)[1]) == [0, 1]


@pytest.mark.parametrize(("label", "place"), [("yes", 1), ("no", 0)])
def test_the_filter_of_the_gallery_uses_it(
    campaign: Campaign, version: ModelVersion, photos: list[Image], label: str, place: int
) -> None:
    places = places_read(gallery_places(campaign, version, GalleryQuery(watch=label)))
    assert [one.image_id for one in places] == [photos[place].pk]


def test_pages_name_the_threshold_of_the_version(
    campaign: Campaign, photos: list[Image], client_of: Callable[[str], Any]
) -> None:
    client = client_of("rita")
    gallery = client.get("/campaigns/watches/photos/").content.decode()
    assert "watch, above 0.5" in gallery
    assert gallery.count('class="badge watch"') == 1
    assert client.get("/campaigns/watches/photos/?watch=yes").content.decode().count("/thumbnail") == 1
    page = client.get(f"/campaigns/watches/photos/{photos[0].pk}/").content.decode()
    assert "at threshold 0.5" in page


def test_a_promotion_and_a_rollback_move_the_threshold(campaign: Campaign, version: ModelVersion) -> None:
    other = version_make(campaign, 2, champion=False)

    def promoted(one: ModelVersion) -> float:
        ModelVersion.objects.update(is_champion=False)
        ModelVersion.objects.filter(pk=one.pk).update(is_champion=True)
        current = champion(campaign)
        assert current is not None
        (in_sql,) = ModelVersion.objects.filter(is_champion=True).values_list(deployed_threshold_sql())
        assert in_sql[0] == deployed_threshold(current)
        return deployed_threshold(current)

    assert [promoted(one) for one in (version, other, version)] == [OWN, campaign.watch_threshold, OWN]


def test_a_person_who_fixes_the_threshold_overrides_the_version(campaign: Campaign, version: ModelVersion) -> None:
    campaign.watch_aim, campaign.watch_threshold = Campaign.WatchAim.FIXED, 0.2
    campaign.save()
    assert shown_threshold(campaign, version) == 0.2
    assert ModelVersion.objects.values_list(deployed_threshold_sql()).get() == (0.2,)
    assert shown_threshold(campaign, None) == 0.2


def test_the_photo_page_says_between_which_probabilities_the_labels_of_people_put_it(
    campaign: Campaign, version: ModelVersion, photos: list[Image], client_of: Callable[[str], Any]
) -> None:
    address = f"/campaigns/watches/photos/{photos[0].pk}/"  # its probability is .3
    assert "by the labels of people" not in client_of("rita").get(address).content.decode()
    table = {"probability": [0.1, 0.5], "low": [0.0, 0.4], "high": [0.3, 0.7]}
    ModelVersion.objects.update(figures={"watch": {"intervals": table}})
    page = client_of("rita").get(address).content.decode()
    assert "by the labels of people between 0.20 and 0.50" in page
