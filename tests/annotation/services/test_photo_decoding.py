"""Photos that an earlier version has decoded are looked at once, and read again only if they look different now."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone
from PIL import Image as PillowImage

from annotation.models import FileCheck, Image, PhotoFile
from annotation.photos.decoding_version import DECODING_VERSION, FIRST_VERSION
from annotation.services.batches import folder_import
from annotation.services.photo_decoding import photos_decoding_due, photos_decoding_update, photos_outdated
from annotation.signals import photos_changed
from annotation.tasks import photos_decoding_update as task
from annotation.tasks import sweep
from tests.annotation.photos.colour_files import profile_files
from tests.conftest import photo_bytes, photo_path, thumbnail_path

SWAPPED = "swapped.png"


@pytest.fixture
def changed() -> Iterator[list[int]]:
    """Return the ids of photos for which `photos_changed` was sent."""
    ids: list[int] = []

    def receive(*, image_ids: list[int], **kwargs: Any) -> None:
        ids.extend(image_ids)

    photos_changed.connect(receive)
    yield ids
    photos_changed.disconnect(receive)


@pytest.fixture
def photos(campaign: Any, tmp_path: Any) -> dict[str, Image]:
    """Import a plain photo and one with exchanged primaries, as if the first version had done it."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "plain.jpg").write_bytes(photo_bytes(1))
    (folder / SWAPPED).write_bytes(profile_files()[SWAPPED])
    folder_import(campaign=campaign, source=folder)
    images = {image.name: image for image in Image.objects.all()}
    for image in images.values():
        with PillowImage.open(photo_path(image)) as picture:  # without its profile, as the first version read it
            picture.convert("RGB").save(thumbnail_path(image), "WEBP")
    Image.objects.update(decoding=FIRST_VERSION, phash=1)
    return images


def update() -> int:
    return photos_decoding_update(seconds=60)


def test_an_import_stores_the_present_version(campaign: Any, make_image: Callable[..., Image]) -> None:
    assert make_image(1).decoding == DECODING_VERSION
    assert not photos_decoding_due()


def test_only_a_photo_that_looks_different_is_read_again(photos: dict[str, Image], changed: list[int]) -> None:
    plain, swapped = photos["plain.jpg"], photos[SWAPPED]
    before = {name: thumbnail_path(image).read_bytes() for name, image in photos.items()}
    assert photos_decoding_due()
    assert update() == 2
    assert changed == [swapped.pk]
    assert thumbnail_path(plain).read_bytes() == before["plain.jpg"]
    assert thumbnail_path(swapped).read_bytes() != before[SWAPPED]
    plain.refresh_from_db()
    assert plain.phash == 1
    hashed = swapped.phash
    swapped.refresh_from_db()
    assert swapped.phash == hashed  # that of the import, which has decoded it as the present version does
    assert set(Image.objects.values_list("decoding", flat=True)) == {DECODING_VERSION}
    assert (update(), photos_decoding_due()) == (0, False)


def test_width_and_height_are_those_of_the_present_version(photos: dict[str, Image]) -> None:
    Image.objects.update(width=1, height=2)
    update()
    swapped, plain = Image.objects.get(name=SWAPPED), Image.objects.get(name="plain.jpg")
    assert (swapped.width, swapped.height) == (photos[SWAPPED].width, photos[SWAPPED].height)
    assert (plain.width, plain.height) == (1, 2)  # not decoded


def test_a_photo_that_is_refused_now_is_announced_once(photos: dict[str, Image], changed: list[int]) -> None:
    data = profile_files()["broken-zeros.avif"]  # browsers do not show it
    image = photos[SWAPPED]
    Image.objects.filter(pk=image.pk).update(suffix=".avif", sha256=hashlib.sha256(data).hexdigest())
    image.refresh_from_db()
    photo_path(image).parent.mkdir(parents=True, exist_ok=True)
    photo_path(image).write_bytes(data)
    update()
    assert changed == [image.pk]
    assert not photos_decoding_due()


def test_a_missing_file_is_reported_and_waits_until_it_is_back(photos: dict[str, Image], changed: list[int]) -> None:
    path = photo_path(photos[SWAPPED])
    data = path.read_bytes()
    path.unlink()
    assert update() == 1
    assert changed == []
    assert PhotoFile.objects.get().finding.endswith("is missing on the server.")
    assert not photos_decoding_due()
    path.write_bytes(data)
    PhotoFile.objects.update(finding="")
    assert update() == 1
    assert changed == [photos[SWAPPED].pk]


def test_one_worker_at_a_time_does_it(photos: dict[str, Image]) -> None:
    FileCheck.objects.create(name="decoding", next_at=timezone.now() + timedelta(minutes=1))
    assert (photos_decoding_due(), update()) == (False, 0)
    assert photos_outdated().count() == 2
    FileCheck.objects.update(next_at=timezone.now())  # the worker has died, and its claim has ended
    assert update() == 2


def test_it_stops_when_it_is_asked_to_and_goes_on_later(photos: dict[str, Image]) -> None:
    assert photos_decoding_update(seconds=60, stop=lambda: True) == 0
    assert photos_decoding_due()


def test_the_sweep_announces_it_while_photos_are_left(
    photos: dict[str, Image], monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[str] = []  # unit tests have no broker
    monkeypatch.setattr(current_app, "send_task", lambda name, *rest, **options: sent.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        sweep()
    assert "annotation.tasks.photos_decoding_update" in sent
    assert task() == 2
    sent.clear()
    with django_capture_on_commit_callbacks(execute=True):
        sweep()
    assert "annotation.tasks.photos_decoding_update" not in sent


def test_all_campaigns_of_a_photo_are_told(
    photos: dict[str, Image], make_image: Callable[..., Image], changed: list[int]
) -> None:
    from annotation.models import Campaign

    other = Campaign.objects.create(slug="other", name="Other")
    swapped = photos[SWAPPED]
    twin = Image.objects.create(
        campaign=other,
        name="twin.png",
        queue_position=0.5,
        **{name: getattr(swapped, name) for name in ("sha256", "suffix", "byte_size", "width", "height", "phash")},
        decoding=FIRST_VERSION,
    )
    update()
    assert changed == [swapped.pk, twin.pk]
    assert set(Image.objects.values_list("decoding", flat=True)) == {DECODING_VERSION}
