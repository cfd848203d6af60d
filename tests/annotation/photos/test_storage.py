import contextlib
import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, Storage, storages

from annotation.models import Image
from annotation.photos.storage import (
    photo_file_delete,
    photo_file_exists,
    photo_file_open,
    photo_file_source,
    photo_file_write,
    photo_name,
    thumbnail_name,
)
from tests.conftest import photo_bytes

DIGEST = hashlib.sha256(b"a photo").hexdigest()
NAME = photo_name(DIGEST, ".jpg")
BACKENDS = {
    "folder": "django.core.files.storage.FileSystemStorage",
    "objects": "tests.annotation.photos.test_storage.Objects",
}


class Objects(InMemoryStorage):
    """Like some object storages: no file paths, whole files only, and an existing file is never replaced."""

    def __init__(self) -> None:
        super().__init__()
        self._one_at_a_time = threading.RLock()

    def save(self, *arguments: Any, **options: Any) -> str:
        with self._one_at_a_time:
            return super().save(*arguments, **options)

    def open(self, *arguments: Any, **options: Any) -> Any:
        with self._one_at_a_time:
            return ContentFile(super().open(*arguments, **options).read())

    def delete(self, name: str) -> None:
        with self._one_at_a_time, contextlib.suppress(KeyError):  # the class of Django refuses what does not exist
            super().delete(name)


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, settings: Any) -> Storage:
    settings.STORAGES = settings.STORAGES | {"photos": {"BACKEND": BACKENDS[request.param]}}
    return storages["photos"]


def read(name: str) -> bytes:
    with photo_file_open(name) as file:
        return file.read()


def stored(store: Storage) -> dict[str, bytes]:
    folders = store.listdir("")[0] if store.exists(DIGEST[:2]) else []
    names = [f"{folder}/{name}" for folder in folders for name in store.listdir(folder)[1]]
    return {name: store.open(name).read() for name in names}


def test_names_are_made_from_the_hash_of_the_content() -> None:
    assert f"{DIGEST[:2]}/{DIGEST}.jpg" == NAME
    assert thumbnail_name(DIGEST) == f"{DIGEST[:2]}/{DIGEST}.thumb.webp"


def test_photos_are_in_the_media_folder_by_default(settings: Any, make_image: Callable[..., Image]) -> None:
    """Existing instances keep using their files."""
    image = make_image(1)
    path = Path(settings.MEDIA_ROOT) / image.sha256[:2] / f"{image.sha256}.jpg"
    assert path.read_bytes() == photo_bytes(1)
    assert photo_file_source(image.photo_name) == path
    assert read(image.photo_name) == photo_bytes(1)


def test_a_file_is_written_read_and_deleted(store: Storage) -> None:
    assert not photo_file_exists(NAME)
    photo_file_write(NAME, b"a photo")
    assert photo_file_exists(NAME)
    assert read(NAME) == read(NAME) == b"a photo"
    photo_file_delete(NAME)
    photo_file_delete(NAME)
    assert not photo_file_exists(NAME)
    with pytest.raises(FileNotFoundError):
        read(NAME)


def test_an_existing_file_is_not_written_again(store: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    photo_file_write(NAME, b"a photo")
    monkeypatch.setattr(type(store), "save", lambda *args, **kwargs: pytest.fail("written again"))
    photo_file_write(NAME, b"a photo")


def test_an_incomplete_file_is_replaced(store: Storage) -> None:
    photo_file_write(NAME, b"a ph")
    photo_file_write(NAME, b"a photo")
    assert stored(store) == {NAME: b"a photo"}


@pytest.mark.parametrize("before", [None, b"a damaged file"])
def test_concurrent_writes_of_the_same_photo_leave_one_file(store: Storage, before: bytes | None) -> None:
    data = bytes(300_000)
    for _round in range(10):
        photo_file_delete(NAME)
        if before is not None:
            photo_file_write(NAME, before)
        start = threading.Barrier(6)

        def write(_worker: int, start: threading.Barrier = start) -> None:
            start.wait()
            photo_file_write(NAME, data)

        with ThreadPoolExecutor(6) as workers:
            list(workers.map(write, range(6)))  # an error of a worker is raised here
        found = stored(store)
        assert (list(found), found[NAME] == data) == ([NAME], True)


def test_the_source_is_a_path_in_a_folder_and_an_open_file_in_other_storages(store: Storage) -> None:
    photo_file_write(NAME, b"a photo")
    source = photo_file_source(NAME)
    if isinstance(store, InMemoryStorage):
        assert not isinstance(source, Path)
        assert source.read() == b"a photo"
    else:
        assert source == Path(store.path(NAME))


def test_a_full_disk_leaves_no_incomplete_file(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_disk_full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    # fsync is the last call that can report a full disk.
    monkeypatch.setattr("annotation.files.whole_file.os.fsync", raise_disk_full)
    with pytest.raises(OSError, match="No space left"):
        photo_file_write(NAME, b"a photo")
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a_write_waits_until_file_and_folder_are_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("annotation.files.whole_file.os.fsync", synced.append)
    photo_file_write(NAME, b"a photo")
    assert len(synced) == 2, "sync the file, then the folder that contains its name"
