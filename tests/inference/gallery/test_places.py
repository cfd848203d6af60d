"""The gallery's orders list each photo once and in the right position, with ties and missing values."""

import csv
import io
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.exchange.records import PhotoRecord
from annotation.exchange.registry import FORMATS
from annotation.models import Campaign, Image, PhotoConsensus
from annotation.services.tags import photos_tag
from inference.gallery.places import gallery_places, places_after, places_before, places_read
from inference.gallery.query import BY_VOTES, ORDERS, GalleryQuery
from inference.gallery.table import gallery_records
from inference.models import Distortion, ModelVersion, Prediction
from inference.services.disagreements import disagreements_refresh
from tests.opinions_and_predictions import (
    consensus_make,
    distortions_make,
    images_make,
    predictions_make,
    version_make,
    vote,
)

# Few values, so that there are ties. None: unknown. 0.1 and 0.1 + 2**-56 are neighboring floats.
VALUES = st.sampled_from([None, 0.0, 0.1, 0.1 + 2**-56, 1 / 3, 1.0])
ROWS = st.lists(st.tuples(VALUES, VALUES, st.sampled_from([None, 1, 7])), min_size=1, max_size=9)


@pytest.fixture
def version(campaign: Campaign) -> ModelVersion:
    return version_make(campaign)


def all_places(campaign: Campaign, version: ModelVersion, query: GalleryQuery, size: int) -> list[Any]:
    """Return all places, page by page."""
    places = gallery_places(campaign, version, query)
    found = page = places_read(places[:size])
    while page:
        page = places_read(places_after(places, query, page[-1].cursor)[:size])
        found = found + page
    return found


def expected(images: list[Image], rows: list[Any], order: str) -> list[int]:
    """Return the ids in the expected order, sorted by Python."""

    def key(pk: int, model: float | None, measured: float | None, score: int | None) -> float | None:
        if order == "newest":
            return pk
        if order in BY_VOTES:
            return pk % 3
        if order in ("best", "worst", "watch", "unlike"):
            return model
        if order in ("apart", "watch_apart"):
            return None if model is None or score is None else abs(model - (score if order == "apart" else 1.0))
        return measured

    keyed = [(key(image.pk, *row), image.pk) for image, row in zip(images, rows, strict=True)]
    return [pk for value, pk in sorted((pair for pair in keyed if pair[0] is not None), reverse=ORDERS[order][1])]


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=ROWS, size=st.integers(1, 4))
def test_pages_list_every_photo_once_and_in_order(
    campaign: Campaign, people: dict[str, Any], version: ModelVersion, rows: list[Any], size: int
) -> None:
    # Annotations cannot be deleted, so each example has its own campaign and photos.
    campaign = Campaign.objects.create(slug=f"c{Campaign.objects.count()}", name="Example")
    version = version_make(campaign)
    images = images_make(campaign, len(rows))
    predicted = [(image, row[0]) for image, row in zip(images, rows, strict=True) if row[0] is not None]
    predictions_make(version, [i for i, _ in predicted], [v for _, v in predicted], watch=[v for _, v in predicted])
    for image, (_, measured, score) in zip(images, rows, strict=True):
        if measured is not None:
            consensus_make(image, measured)
            distortions_make(
                [image], quality=measured, blur=measured, noise=measured, exposure=measured, compression=measured
            )
        if score is not None:
            vote(image, people["alice"], score, "yes")
    Image.objects.filter(campaign=campaign).update(vote_count=F("pk") % 3)
    disagreements_refresh(version=version)
    for order in ORDERS:
        query = GalleryQuery(order=order)
        found = all_places(campaign, version, query, size)
        assert [place.image_id for place in found] == expected(images, rows, order), order
        places = gallery_places(campaign, version, query)
        for before, after in pairwise(found):
            assert places_read(places_before(places, query, after.cursor)[:1]) == [before]


@settings(max_examples=40)
@given(
    st.builds(
        GalleryQuery,
        order=st.sampled_from(list(ORDERS)),
        quality_class=st.sampled_from(["", "pending"]),
        quality_from=st.none() | st.floats(-100, 0),
        quality_to=st.none() | st.floats(0, 100),
        blur_from=st.none() | st.floats(0, 1),
        name=st.text(max_size=20).map(lambda text: text.strip().replace("\0", "")),
    )
)
def test_a_query_does_not_change_when_it_is_encoded_and_read(query: GalleryQuery) -> None:
    from django.http import QueryDict

    assert GalleryQuery.read(QueryDict(query.encode()).dict()) == query


def test_each_order_reads_its_index(campaign: Campaign, version: ModelVersion) -> None:
    """Every page takes the same time: the plan finds the cursor in the index and does not sort."""
    images = images_make(campaign, 2000)
    predictions_make(version, images, [5 + 0.001 * (i % 500) for i in range(2000)])
    distortions_make(images, quality=[float(i % 90) for i in range(2000)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE annotation_image, inference_prediction, inference_distortion")
    Image.objects.filter(campaign=campaign).update(vote_count=F("pk") % 7)
    PhotoConsensus.objects.bulk_create(
        PhotoConsensus(
            image=image, campaign=campaign, votes=1, mos=one % 9, low=1, high=10, corrected_mos=one % 9,
            corrected_error=1.0, updated_at=timezone.now(),
        )
        for one, image in enumerate(images)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE annotation_image, annotation_photoconsensus")
    orders = ("newest", "best", "worst", "watch", "unlike", "distorted", "undistorted", "blur")
    for order in (*orders, "mos_best", "mos_worst", "votes_most", "votes_fewest"):
        query = GalleryQuery(order=order)
        places = gallery_places(campaign, version, query)
        cursor_text = places_read(places[900:901])[0].cursor
        plan = places_after(places, query, cursor_text)[:48].explain()
        assert "Sort" not in plan, f"{order}: {plan}"
        assert "ROW(" in plan.split("Filter")[0] or order == "newest", f"{order}: {plan}"


def csv_chunks(campaign: Campaign, version: ModelVersion | None, **query: Any) -> list[bytes]:
    return list(FORMATS["photos-csv"].write(gallery_records(campaign, version, GalleryQuery(**query))))


def csv_rows(campaign: Campaign, version: ModelVersion | None, **query: Any) -> list[dict[str, str]]:
    text = b"".join(csv_chunks(campaign, version, **query)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_csv_table_matches_the_gallery(campaign: Campaign, version: ModelVersion, people: dict[str, Any]) -> None:
    low, high, unpredicted = images_make(campaign, 3)
    predictions_make(version, [low, high], [3.0, 8.0], watch=[0.9, 0.01])
    distortions_make([high], quality=80.0, blur=0.25)
    vote(high, people["alice"], 7, "yes")
    vote(high, people["bob"], 8, "no", saw_prediction=True)
    for name in ("old", "blurry"):
        photos_tag(campaign=campaign, name=name, image_ids=[high.pk], by=None)
    first, second = csv_rows(campaign, version, order="best")
    assert tuple(first) == PhotoRecord._fields
    assert first == {
        "image": str(high.pk),
        "file": high.name,
        "sha256": high.sha256,
        "split": "train",
        "quality_mean": "8.0",
        "quality_std": "1.0",
        "quality_class": "accepted",
        "watch_probability": "0.01",
        "watch": "0",
        "blur": "0.25",
        "noise": "0.0",
        "exposure": "0.0",
        "compression": "0.0",
        "laplacian_variance": "100.0",
        "distortion_quality": "80.0",
        "distortion_class": "accepted",
        "mos": "7.0",
        "votes": "1",
        "watch_votes": "1",
        "model_version": "1",
        "tags": "blurry; old",
    }
    assert (second["image"], second["watch"], second["blur"], second["mos"], second["votes"]) == (
        str(low.pk),
        "1",
        "",
        "",
        "0",
    )
    assert [row["image"] for row in csv_rows(campaign, None)] == [str(pk) for pk in (unpredicted.pk, high.pk, low.pk)]


@pytest.mark.parametrize("name", ["=1+1.jpg", "+1.jpg", "-1.jpg", "@SUM(A1).jpg", "  =1.jpg", "\t=1.jpg"])
def test_names_are_never_spreadsheet_formulas(campaign: Campaign, version: ModelVersion, name: str) -> None:
    (image,) = images_make(campaign, 1)
    Image.objects.filter(pk=image.pk).update(name=name)
    assert [row["file"] for row in csv_rows(campaign, version)] == [f"'{name}"]


def test_a_long_table_is_read_and_sent_in_chunks(campaign: Campaign, version: ModelVersion) -> None:
    images = images_make(campaign, 1003)
    predictions_make(version, images, [5.0] * len(images))
    with CaptureQueriesContext(connection) as captured:
        chunks = csv_chunks(campaign, version, order="best")
    assert len(chunks) == 3, "the response has one chunk per 500 rows"
    rows = list(csv.reader(io.StringIO(b"".join(chunks).decode())))
    assert [row[0] for row in rows[1:]] == [str(image.pk) for image in reversed(images)]
    assert len(captured) <= 4


def test_photos_with_a_failed_measurement_are_not_listed(campaign: Campaign, version: ModelVersion) -> None:
    images = images_make(campaign, 1)
    distortions_make(images, quality=0.0, blur=1.0, state=Distortion.State.FAILED)
    assert not gallery_places(campaign, version, GalleryQuery(order="blur"))
    assert not Prediction.objects.exists()
