"""Checks of the stored files of photos."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages

from annotation.photos.decoding import NO_HASH, photo_inspect
from annotation.photos.file_check import (
    FileFindings,
    StoredContent,
    original_found,
    photo_files_check,
    thumbnail_is_good,
)
from annotation.photos.storage import photo_file_write, photo_name, thumbnail_name
from tests.conftest import photo_bytes

DATA = photo_bytes(1, width=640, height=400)
FACTS = photo_inspect(DATA)
CONTENT = StoredContent(sha256(DATA).hexdigest(), ".jpg", len(DATA), FACTS.phash)


def place(name: str) -> Path:
    return Path(storages["photos"].path(name))


@pytest.fixture
def stored() -> tuple[Path, Path]:
    """Return the paths of the original and the thumbnail."""
    photo_file_write(photo_name(CONTENT.sha256, ".jpg"), DATA)
    photo_file_write(thumbnail_name(CONTENT.sha256), FACTS.thumbnail)
    return place(photo_name(CONTENT.sha256, ".jpg")), place(thumbnail_name(CONTENT.sha256))


def test_good_files_have_no_finding_and_are_read_completely(stored: Any) -> None:
    assert photo_files_check(CONTENT) == FileFindings(CONTENT.sha256, bytes_read=len(DATA) + len(FACTS.thumbnail))


def test_a_missing_original_and_a_missing_thumbnail_are_found(stored: tuple[Path, Path]) -> None:
    stored[0].unlink()
    assert photo_files_check(CONTENT).original == "The file of this photo is missing on the server."
    stored[1].unlink()
    assert photo_files_check(CONTENT).thumbnail == "The thumbnail of this photo is missing on the server."


@pytest.mark.parametrize("place_of_damage", [0, len(DATA) // 2, len(DATA) - 1])
def test_one_changed_byte_is_found(stored: tuple[Path, Path], place_of_damage: int) -> None:
    damaged = bytearray(DATA)
    damaged[place_of_damage] ^= 1
    stored[0].write_bytes(damaged)
    assert "is damaged" in photo_files_check(CONTENT).original
    assert original_found(CONTENT)  # it looks at the size only


@pytest.mark.parametrize("content", [b"", DATA[:-1], DATA + b"x"], ids=["empty", "cut", "longer"])
def test_another_length_is_found(stored: tuple[Path, Path], content: bytes) -> None:
    stored[0].write_bytes(content)
    assert "is damaged" in photo_files_check(CONTENT).original
    assert not original_found(CONTENT)


def test_a_file_that_cannot_be_read_is_a_finding_with_the_reason(stored: tuple[Path, Path]) -> None:
    stored[0].unlink()
    stored[0].mkdir()
    assert photo_files_check(CONTENT).original == "The file of this photo cannot be read (Is a directory)."


@pytest.mark.parametrize(
    "thumbnail",
    [b"", FACTS.thumbnail[:-40], b"RIFF....WEBP", DATA, photo_inspect(photo_bytes(2, width=640, height=400)).thumbnail],
    ids=["empty", "cut", "no picture", "the original", "of another photo"],
)
def test_a_wrong_thumbnail_is_found(stored: tuple[Path, Path], thumbnail: bytes) -> None:
    stored[1].write_bytes(thumbnail)
    assert "is damaged" in photo_files_check(CONTENT).thumbnail
    assert photo_files_check(CONTENT).original == ""


def test_thumbnails_of_many_photos_are_recognised() -> None:
    for seed in range(40):
        facts = photo_inspect(photo_bytes(seed, width=700, height=500))
        assert thumbnail_is_good(facts.thumbnail, facts.phash)


def test_the_thumbnail_of_a_flat_picture_is_good_with_any_hash() -> None:
    assert thumbnail_is_good(FACTS.thumbnail, NO_HASH)


def test_a_file_of_the_same_length_with_other_content_is_replaced(stored: tuple[Path, Path]) -> None:
    name = photo_name(CONTENT.sha256, ".jpg")
    assert not photo_file_write(name, DATA)  # already there
    stored[0].write_bytes(bytes(len(DATA)))
    assert photo_file_write(name, DATA)
    assert stored[0].read_bytes() == DATA
