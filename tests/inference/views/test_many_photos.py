"""Counts, tags, saved views, bulk actions and the map: who may, and that hidden predictions stay hidden."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotation.models import (
    AuditKind,
    AuditRecord,
    BulkAction,
    Campaign,
    Image,
    PhotoMap,
    PhotoSelection,
    SavedView,
    Withdrawal,
)
from annotation.selectors.adjudications import predictions_hidden
from annotation.services.consensus import consensus_refresh
from annotation.services.queue import counters_rebuild
from annotation.services.tags import photos_tag
from annotation.services.withdrawals import photo_withdraw
from inference.gallery import counts as counts_module
from inference.gallery.counts import gallery_counts
from inference.gallery.places import gallery_places
from inference.gallery.query import GalleryQuery
from inference.models import Feature, ModelVersion
from inference.selectors import backbone_key
from inference.services import photo_map
from inference.tasks import photo_map_make
from tests.opinions_and_predictions import distortions_make, images_make, predictions_make, version_make, votes

GALLERY = "/campaigns/watches/photos/"


@pytest.fixture
def version(campaign: Campaign) -> ModelVersion:
    return version_make(campaign)


@pytest.fixture
def disputed(campaign: Campaign, make_user: Callable[..., Any], version: ModelVersion) -> list[Image]:
    """Ten rated photos; people disagree about the first one, which alone is predicted as accepted."""
    images = images_make(campaign, 10)
    scores = np.tile([5, 5, 6, 6], (10, 1))
    scores[0] = [1, 4, 8, 10]
    watch = np.full((10, 4), "no", dtype=object)
    watch[:5] = "yes"
    votes(images, [make_user(f"person-{number}") for number in range(4)], scores, watch)
    counters_rebuild(campaign=campaign)
    consensus_refresh(campaign=campaign)
    predictions_make(version, images, [9.0, *[3.0] * 9], watch=[0.9, *[0.01] * 9])
    return images


@pytest.fixture
def placed(campaign: Campaign, disputed: list[Image], monkeypatch: pytest.MonkeyPatch) -> PhotoMap:
    """A stored map of these photos in one row."""
    monkeypatch.setattr(photo_map, "_fingerprint", lambda features: ("f" * 64, 40))
    places = np.stack([np.arange(10) * 1000, np.full(10, 500)], 1)
    return PhotoMap.objects.create(
        campaign=campaign,
        fingerprint="f" * 64,
        photos=10,
        image_ids=np.array([image.pk for image in disputed], "<i8").tobytes(),
        places=places.astype("<u2").tobytes(),
        clusters=np.zeros(10, "u1").tobytes(),
        made_at="2026-11-01T12:00Z",
    )


def columns_of(content: bytes) -> dict[str, np.ndarray]:
    """Read the points as the page does."""
    length = int.from_bytes(content[:4], "little")
    about = json.loads(content[4 : 4 + length])
    data = content[4 + length :]
    return {one["name"]: np.frombuffer(data, one["type"], one["length"], one["at"]) for one in about["columns"]}


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 200), ("ada", 200)]
)
@pytest.mark.parametrize("page", ["counts/", "map/", "map/points", "bulk/", "{pk}/facts"])
def test_only_reviewers_and_admins_open_the_pages(
    client_of: Callable[[str], Client], placed: PhotoMap, disputed: list[Image], name: str, status: int, page: str
) -> None:
    assert client_of(name).get(GALLERY + page.format(pk=disputed[0].pk)).status_code == status


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", None), ("ada", None)]
)
@pytest.mark.parametrize("page", ["bulk/start", "selection", "views", "map/selection", "{pk}/tags"])
def test_only_reviewers_and_admins_change_photos(
    client_of: Callable[[str], Client], placed: PhotoMap, disputed: list[Image], name: str, status: int, page: str
) -> None:
    data = {"kind": "tag", "text": "x", "ids": disputed[0].pk, "add": "x", "name": "x", "cluster": "0"}
    response = client_of(name).post(GALLERY + page.format(pk=disputed[0].pk), data | {"fingerprint": "f" * 64})
    assert response.status_code == (status or response.status_code)
    assert response.status_code in ({status} if status else {200, 302})


def test_practice_photos_need_an_admin(client_of: Callable[[str], Client], disputed: list[Image]) -> None:
    data = {"kind": "practice", "ids": disputed[1].pk}
    assert client_of("rita").post(f"{GALLERY}bulk/start", data).status_code == 403
    assert client_of("ada").post(f"{GALLERY}bulk/start", data).status_code == 302
    action = BulkAction.objects.get()
    assert client_of("rita").post(f"{GALLERY}bulk/{action.pk}/undo").status_code == 403


RESTORE = {"kind": "restore"}


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 302), ("ada", 302)]
)
def test_reviewers_put_withdrawn_photos_back(
    client_of: Callable[[str], Client], people: dict[str, Any], disputed: list[Image], name: str, status: int
) -> None:
    ids = [image.pk for image in disputed[:3]]
    for image in disputed[:3]:
        photo_withdraw(image=image, reason="Private", by=people["rita"])
    client = client_of(name)
    response = client.post(f"{GALLERY}bulk/start", RESTORE | {"ids": [ids[0], ids[2], disputed[5].pk]})
    assert response.status_code == status
    may = name in ("rita", "ada")
    assert set(Withdrawal.objects.values_list("image_id", flat=True)) == ({ids[1]} if may else set(ids))
    assert AuditRecord.objects.filter(kind=AuditKind.WITHDRAWAL_UNDONE).count() == (2 if may else 0)
    if may:
        assert response["Location"] == "/campaigns/watches/withdrawn/"
        assert b"2 photos are back." in client.get(response["Location"]).content
        assert set(BulkAction.objects.get().image_ids) == {ids[0], ids[2]}


def test_a_restoration_and_a_withdrawal_of_many_photos_can_be_undone(
    client_of: Callable[[str], Client], people: dict[str, Any], disputed: list[Image]
) -> None:
    client, ids = client_of("rita"), [image.pk for image in disputed[:3]]
    text = ",".join(map(str, ids))
    client.post(f"{GALLERY}bulk/start", {"kind": "withdraw", "text": "Private", "ids": text})
    assert Withdrawal.objects.count() == 3
    withdrawal = BulkAction.objects.get()
    client.post(f"{GALLERY}bulk/{withdrawal.pk}/undo")
    assert not Withdrawal.objects.exists()
    client.post(f"{GALLERY}bulk/start", {"kind": "withdraw", "text": "Private", "ids": text})
    client.post(f"{GALLERY}bulk/start", RESTORE | {"ids": text})
    assert not Withdrawal.objects.exists()
    restoration = BulkAction.objects.filter(kind="restore", undoes=None).get()
    client.post(f"{GALLERY}bulk/{restoration.pk}/undo")
    assert set(Withdrawal.objects.values_list("reason", flat=True)) == {"Withdrawn again"}
    assert Withdrawal.objects.count() == 3


def test_photos_without_files_stay_withdrawn(
    client_of: Callable[[str], Client], people: dict[str, Any], disputed: list[Image]
) -> None:
    for image in disputed[:2]:
        photo_withdraw(image=image, reason="Private", by=people["rita"])
    Withdrawal.objects.filter(image=disputed[0]).update(files_deleted_at="2026-11-01T12:00Z")
    client, page = client_of("rita"), "/campaigns/watches/withdrawn/"
    assert client.get(page).content.count(b'name="ids"') == 1
    client.post(f"{GALLERY}bulk/start", RESTORE | {"ids": [image.pk for image in disputed[:2]]})
    assert Withdrawal.objects.get().image == disputed[0]
    assert b"their files are deleted" in client.get(page).content
    client.post(f"{GALLERY}bulk/start", RESTORE)
    content = client.get(page).content
    assert b"Select photos first." in content
    assert b"data-restore" not in content, "nothing is left that can be put back"


def test_photos_of_another_campaign_are_not_changed(client_of: Callable[[str], Client], disputed: list[Image]) -> None:
    (foreign,) = images_make(Campaign.objects.create(slug="other", name="Other"), 1)
    client_of("rita").post(f"{GALLERY}bulk/start", {"kind": "tag", "text": "x", "ids": f"{foreign.pk}"})
    client_of("rita").post(f"{GALLERY}selection", {"ids": f"{foreign.pk},{disputed[0].pk}"})
    assert not BulkAction.objects.exists()
    assert PhotoSelection.objects.get().image_ids == [disputed[0].pk]


def test_all_that_match_are_those_of_the_filter_except_some(
    client_of: Callable[[str], Client], disputed: list[Image]
) -> None:
    data = {"kind": "tag", "text": "x", "all": "1", "ids": disputed[3].pk, "query": "quality_class=rejected"}
    client_of("rita").post(f"{GALLERY}bulk/start", data)
    assert BulkAction.objects.get().image_ids == [image.pk for image in disputed[1:] if image != disputed[3]]


def test_counts_are_those_of_the_grid(campaign: Campaign, version: ModelVersion) -> None:
    images = images_make(campaign, 12)
    predictions_make(version, images[:10], [3.0, 5.5, 8.0, 3.0, 8.0, 8.0, 5.5, 3.0, 8.0, 3.0], watch=[0.9, 0.01] * 5)
    distortions_make(images[:6], quality=[5.0, 50.0, 90.0] * 2)
    Image.objects.filter(pk__in=[image.pk for image in images[:4]]).update(vote_count=1)
    photos_tag(campaign=campaign, name="odd", image_ids=[image.pk for image in images[1::2]], by=None)
    base = GalleryQuery(watch="no", split="train")
    found = gallery_counts(campaign, version, base)

    def grid(**more: Any) -> int:
        return len(gallery_places(campaign, version, GalleryQuery(**{"watch": "no", "split": "train", **more})))

    assert found.total == grid() == 5
    for name, choices in found.choices.items():
        assert choices == {value: grid(**{name: value}) for value in choices}, name
    assert found.tags == {"odd": grid(tag="odd")}
    assert gallery_counts(campaign, version, GalleryQuery(order="blur", tag="odd")).total == 3
    assert not found.is_estimate


def test_counts_of_very_many_photos_are_estimates_and_say_so(
    client_of: Callable[[str], Client], campaign: Campaign, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    images_make(campaign, 60)
    monkeypatch.setattr(counts_module, "EXACT", 20)
    found = gallery_counts(campaign, version, GalleryQuery())
    assert found.is_estimate
    assert found.total % 3 == 0
    assert 45 <= found.total <= 75
    assert "about" in client_of("rita").get(f"{GALLERY}counts/").content.decode()


@pytest.mark.parametrize(
    "chosen", [{}, {"quality_class": "rejected"}, {"watch": "yes", "split": "train"}, {"order": "best"}], ids=str
)
def test_counts_without_hidden_photos_are_those_of_the_grid(
    campaign: Campaign, people: dict[str, Any], version: ModelVersion, disputed: list[Image], chosen: dict[str, str]
) -> None:
    hidden = predictions_hidden(campaign, people["rita"])
    assert {row["image_id"] for row in hidden} == {disputed[0].pk}
    Image.objects.filter(pk=disputed[1].pk).update(split="holdout")

    def grid(**more: str) -> int:
        return len(gallery_places(campaign, version, GalleryQuery(**{**chosen, **more}), hidden))

    found = gallery_counts(campaign, version, GalleryQuery(**chosen), hidden)
    assert found.total == grid()
    for name, choices in found.choices.items():
        assert choices == {value: grid(**{name: value}) for value in choices}, name


def test_counts_tags_and_facts_do_not_tell_a_hidden_prediction(
    client_of: Callable[[str], Client], disputed: list[Image]
) -> None:
    client = client_of("rita")
    page = client.get(GALLERY).content.decode()
    assert '<span data-for="count-quality_class-accepted">0</span>' in page
    assert '<span data-for="count-quality_class-rejected">9</span>' in page
    facts = client.get(f"{GALLERY}{disputed[0].pk}/facts").content.decode()
    assert facts.count("hidden until you have answered") == 2
    assert "9.00" not in facts
    assert "3.00" in client.get(f"{GALLERY}{disputed[1].pk}/facts").content.decode()


def test_the_map_does_not_tell_a_hidden_prediction(
    client_of: Callable[[str], Client], placed: PhotoMap, disputed: list[Image]
) -> None:
    columns = columns_of(client_of("rita").get(f"{GALLERY}map/points").content)
    assert columns["id"].tolist() == [image.pk for image in disputed]
    assert columns["quality"].tolist() == [65_535, *[400] * 9]
    assert columns["deviation"].tolist() == [65_535, *[200] * 9]
    assert columns["class"].tolist() == [255, *[0] * 9]
    assert columns["mos"].tolist()[0] == 675
    matching = columns_of(client_of("rita").get(f"{GALLERY}map/points?quality_class=accepted").content)
    assert matching["match"].tolist() == [0] * 10


def test_a_withdrawn_photo_leaves_the_map(
    client_of: Callable[[str], Client], placed: PhotoMap, disputed: list[Image]
) -> None:
    Image.objects.filter(pk=disputed[4].pk).update(withdrawn_at="2026-11-01T12:00Z")
    columns = columns_of(client_of("rita").get(f"{GALLERY}map/points").content)
    assert disputed[4].pk not in columns["id"]
    assert columns["x"].tolist() == [0, 1000, 2000, 3000, 5000, 6000, 7000, 8000, 9000]


def test_a_lasso_is_stored_under_a_short_address(
    client_of: Callable[[str], Client], placed: PhotoMap, disputed: list[Image]
) -> None:
    lasso = {"corners": "500,0,3500,0,3500,900,500,900", "fingerprint": "f" * 64, "query": "order=best"}
    answer = client_of("rita").post(f"{GALLERY}map/selection", lasso)
    assert answer.json()["photos"] == 3
    assert PhotoSelection.objects.get().image_ids == [image.pk for image in disputed[1:4]]
    assert client_of("ada").post(f"{GALLERY}map/selection", lasso).json() == answer.json(), (
        "one row for the same photos"
    )
    assert client_of("ada").get(answer.json()["address"]).status_code == 200
    for change, status in [
        ({"fingerprint": "old"}, 409),
        ({"corners": "1,2,3"}, 422),
        ({"corners": "0,0,1,0,1,1"}, 422),
    ]:
        assert client_of("rita").post(f"{GALLERY}map/selection", lasso | change).status_code == status


def test_a_view_belongs_to_its_person_and_its_address_to_everybody(
    client_of: Callable[[str], Client], campaign: Campaign
) -> None:
    images_make(campaign, 1)
    data = {"name": " Best  ones ", "query": "order=best&watch=yes&nonsense=1"}
    address = client_of("rita").post(f"{GALLERY}views", data).headers["Location"]
    assert address == f"{GALLERY}?order=best&watch=yes"
    assert "Best ones" in client_of("rita").get(GALLERY).content.decode()
    assert "Best ones" not in client_of("ada").get(GALLERY).content.decode()
    client_of("ada").post(f"{GALLERY}views", {"delete": SavedView.objects.get().pk})
    assert SavedView.objects.count() == 1


def test_a_worker_makes_the_map_from_stored_features(
    client_of: Callable[[str], Client], campaign: Campaign, rng: np.random.Generator
) -> None:
    from inference.serving.runtime import backbone_chosen

    config = backbone_chosen(campaign.backbone)
    size = max(config.pooled_start + config.pooled_size, config.feature_size if hasattr(config, "feature_size") else 0)
    images = images_make(campaign, 30)
    client = client_of("rita")
    assert "No map yet" in client.get(f"{GALLERY}map/").content.decode()
    Feature.objects.bulk_create(
        Feature(
            image=image,
            backbone=backbone_key(campaign.backbone),
            state="done",
            vector=rng.normal(size=size).astype("<f2").tobytes(),
        )
        for image in images
    )
    assert "waiting for a worker" in client.get(f"{GALLERY}map/").content.decode()
    row = PhotoMap.objects.get()
    assert photo_map_make(row.pk) is True
    row.refresh_from_db()
    assert (row.state, row.photos) == ("idle", 30)
    assert photo_map.placed_photos(row).image_ids.tolist() == [image.pk for image in images]
    with CaptureQueriesContext(connection) as captured:
        assert "30 photos" in client.get(f"{GALLERY}map/").content.decode().replace(
            '<span class="number">', ""
        ).replace("</span>", "")
    assert len(captured) <= 18
    assert PhotoMap.objects.get().state == "idle", "the map is new enough"
