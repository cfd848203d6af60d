from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from annotation.models import Campaign, Image
from tests.conftest import photo_path, thumbnail_path

URL_NAMES = ["photo-original", "photo-thumbnail"]


@pytest.fixture
def photo(make_image: Callable[..., Image]) -> Image:
    image = make_image(1, name="folder/fünf.jpg")
    thumbnail_path(image).write_bytes(b"RIFF....WEBP")
    return image


@pytest.mark.parametrize("url_name", URL_NAMES)
@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 200), ("rita", 200), ("ada", 200)]
)
def test_only_members_can_open_photos(client_of: Any, photo: Image, url_name: str, name: str, status: int) -> None:
    assert client_of(name).get(reverse(url_name, args=[photo.pk])).status_code == status


def test_members_cannot_open_photos_of_another_campaign(client_of: Any, make_image: Callable[..., Image]) -> None:
    other_image = make_image(2, campaign=Campaign.objects.create(slug="other", name="Other"))
    assert client_of("ada").get(reverse("photo-original", args=[other_image.pk])).status_code == 404


def test_superuser_can_open_every_photo(client_of: Any, photo: Image, people: dict[str, Any], make_user: Any) -> None:
    people["root"] = make_user("root", is_superuser=True)
    assert client_of("root").get(reverse("photo-original", args=[photo.pk])).status_code == 200


def test_original_is_sent_unchanged_and_cached_forever(client_of: Any, photo: Image) -> None:
    response = client_of("alice").get(reverse("photo-original", args=[photo.pk]))
    assert b"".join(response.streaming_content) == photo_path(photo).read_bytes()
    assert response["Content-Type"] == "image/jpeg"
    assert response["Content-Length"] == str(photo.byte_size)
    assert response["Cache-Control"] == "private, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"] == "inline; filename*=utf-8''f%C3%BCnf.jpg"
    assert response["ETag"] == f'"{photo.sha256}.plain-1"'


def test_thumbnail_is_webp_with_its_own_etag(client_of: Any, photo: Image) -> None:
    response = client_of("alice").get(reverse("photo-thumbnail", args=[photo.pk]))
    assert (response["Content-Type"], response["ETag"]) == ("image/webp", f'"{photo.sha256}.thumb"')
    assert b"".join(response.streaming_content) == b"RIFF....WEBP"


@pytest.mark.parametrize("url_name", URL_NAMES)
def test_cached_photo_is_not_sent_again(client_of: Any, photo: Image, url_name: str) -> None:
    client = client_of("alice")
    tag = client.get(reverse(url_name, args=[photo.pk]))["ETag"]
    response = client.get(reverse(url_name, args=[photo.pk]), headers={"If-None-Match": tag})
    assert (response.status_code, response.content) == (304, b"")
    assert client.get(reverse(url_name, args=[photo.pk]), headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("url_name", URL_NAMES)
def test_photo_takes_three_queries(client_of: Any, photo: Image, url_name: str, django_assert_num_queries: Any) -> None:
    client = client_of("alice")
    with django_assert_num_queries(3):  # session, user, photo with membership
        client.get(reverse(url_name, args=[photo.pk]))


@pytest.mark.parametrize("url_name", URL_NAMES)
def test_the_error_for_a_missing_file_is_not_cached(client_of: Any, photo: Image, url_name: str) -> None:
    photo_path(photo).unlink()
    thumbnail_path(photo).unlink()
    response = client_of("alice").get(reverse(url_name, args=[photo.pk]))
    assert response.status_code == 404
    assert b"is missing from the photo storage" in response.content
    assert response["Cache-Control"] == "no-store"


def test_photo_urls_accept_only_get(client_of: Any, photo: Image) -> None:
    assert client_of("ada").post(reverse("photo-original", args=[photo.pk])).status_code == 405
