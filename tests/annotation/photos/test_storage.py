import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import InMemoryStorage, Storage, storages

from annotation.models import Image
from annotation.photos.storage import (
    PhotoFolder,
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
    "folder": "annotation.photos.storage.PhotoFolder",
    # One has no files to give a path of, and neither replaces a file: as some object storages.
    "memory": "django.core.files.storage.InMemoryStorage",
    "plain folder": "django.core.files.storage.FileSystemStorage",
}


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


def test_names_are_made_of_the_content() -> None:
    assert f"{DIGEST[:2]}/{DIGEST}.jpg" == NAME
    assert thumbnail_name(DIGEST) == f"{DIGEST[:2]}/{DIGEST}.thumb.webp"


def test_photos_lie_below_the_media_folder_by_default(settings: Any, make_image: Callable[..., Image]) -> None:
    """An instance that exists goes on with the files that it has."""
    image = make_image(1)
    where = Path(settings.MEDIA_ROOT) / image.sha256[:2] / f"{image.sha256}.jpg"
    assert where.read_bytes() == photo_bytes(1)
    assert photo_file_source(image.photo_name) == where
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


def test_a_file_that_is_there_is_not_written_again(store: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    photo_file_write(NAME, b"a photo")
    monkeypatch.setattr(type(store), "save", lambda *args, **kwargs: pytest.fail("written again"))
    photo_file_write(NAME, b"a photo")


def test_a_file_that_was_cut_off_is_replaced(store: Storage) -> None:
    photo_file_write(NAME, b"a ph")
    photo_file_write(NAME, b"a photo")
    assert stored(store) == {NAME: b"a photo"}


def test_workers_that_write_the_same_photo_at_once_leave_one_file(store: Storage) -> None:
    data = bytes(300_000)
    start = threading.Barrier(6)

    def write() -> None:
        start.wait()
        photo_file_write(NAME, data)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stored(store) == {NAME: data}


def test_a_folder_gives_the_path_and_another_storage_a_file(store: Storage) -> None:
    photo_file_write(NAME, b"a photo")
    source = photo_file_source(NAME)
    if isinstance(store, InMemoryStorage):
        assert not isinstance(source, Path)
        assert source.read() == b"a photo"
    else:
        assert source == Path(store.path(NAME))


def test_a_disk_that_takes_no_more_leaves_no_half_file(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("annotation.files.whole_file.os.fsync", full)  # where a full disk shows at the latest
    with pytest.raises(OSError, match="No space left"):
        photo_file_write(NAME, b"a photo")
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_the_folder_waits_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("annotation.files.whole_file.os.fsync", synced.append)
    photo_file_write(NAME, b"a photo")
    assert isinstance(storages["photos"], PhotoFolder)
    assert len(synced) == 2, "the file, then the folder with its name"
