import io
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from PIL import Image as PillowImage

from annotation.models import Campaign, Image, PhotoFile
from tests.annotation.photos.metadata.marked_files import MARKER, marked_files
from tests.conftest import photo_path

MARKED = {name: data for name, data in marked_files().items() if name.startswith(("exif", "everything", "behind"))}


def sent(client: Any, image: Image) -> bytes:
    response = client.get(reverse("photo-original", args=[image.pk]))
    data = b"".join(response.streaming_content)
    assert response["Content-Length"] == str(len(data))
    return data


@pytest.fixture
def stored(make_image: Callable[..., Image]) -> Callable[[str], Image]:
    def store(name: str) -> Image:
        image = make_image(1, name=name)
        image.suffix = f".{name.rpartition('.')[2]}"
        image.save()
        photo_path(image).write_bytes(MARKED[name])
        return image

    return store


@pytest.mark.parametrize("name", MARKED)
def test_members_get_no_metadata(client_of: Any, stored: Callable[[str], Image], name: str) -> None:
    image = stored(name)
    assert MARKER in photo_path(image).read_bytes()
    for member in ("alice", "rita", "ada"):
        data = sent(client_of(member), image)
        assert MARKER not in data
        with PillowImage.open(io.BytesIO(data)) as picture:
            picture.load()


def test_new_and_existing_campaigns_remove_metadata() -> None:
    assert Campaign().remove_metadata
    assert Campaign._meta.get_field("remove_metadata").default is True


def test_a_campaign_can_send_the_whole_file(client_of: Any, stored: Callable[[str], Image], campaign: Campaign) -> None:
    image = stored("exif.jpg")
    tag = client_of("alice").get(reverse("photo-original", args=[image.pk]))["ETag"]
    Campaign.objects.filter(pk=campaign.pk).update(remove_metadata=False)
    assert sent(client_of("alice"), image) == MARKED["exif.jpg"]
    # A browser that asks again does not keep the other file.
    answer = client_of("alice").get(reverse("photo-original", args=[image.pk]), headers={"If-None-Match": tag})
    assert answer.status_code == 200


def test_a_file_whose_metadata_cannot_be_removed_is_not_sent(client_of: Any, make_image: Callable[..., Image]) -> None:
    image = make_image(1)
    photo_path(image).write_bytes(b"\xff\xd8\xff\xe1" + MARKER)
    response = client_of("alice").get(reverse("photo-original", args=[image.pk]))
    assert (response.status_code, response["Cache-Control"]) == (404, "no-store")
    assert MARKER not in response.content
    assert b"cannot be removed" in response.content
    assert PhotoFile.objects.get(sha256=image.sha256).checked_at is None  # the check looks at it next


def test_the_photo_page_shows_no_place(client_of: Any, stored: Callable[[str], Image], campaign: Campaign) -> None:
    image = stored("exif.jpg")
    page = client_of("rita").get(reverse("photo", args=[campaign.slug, image.pk])).content
    assert b"exif.jpg" in page
    assert MARKER not in page
