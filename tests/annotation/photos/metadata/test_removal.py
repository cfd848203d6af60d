import io
from contextlib import suppress
from pathlib import PurePath

import numpy as np
import pytest
from PIL import Image

from annotation.photos.decoding import PhotoRejected, photo_inspect, photo_open
from annotation.photos.metadata.removal import MetadataStays, metadata_remove
from tests.annotation.bad_files import encoded, scene
from tests.annotation.photos import colour_code_files, colour_files, shape_files
from tests.annotation.photos.metadata.marked_files import MARKER, SRGB, exif, marked_files

GROUPS = {
    "profiles": colour_files.profile_files,
    "transparency": colour_files.transparent_files,
    "PNG chunks": colour_code_files.png_chunk_files,
    "colour codes": colour_code_files.code_files,
    "orientation": shape_files.orientation_files,
    "JPEG": shape_files.jpeg_files,
    "PNG": shape_files.png_files,
    "BMP": shape_files.bmp_files,
    "GIF": shape_files.gif_files,
    "WebP and AVIF": shape_files.webp_avif_files,
    "marked": marked_files,
}
MARKED = marked_files()


def plain(data: bytes, name: str) -> bytes:
    return b"".join(metadata_remove(data, PurePath(name).suffix))


def pixels(data: bytes) -> np.ndarray | None:
    try:
        return np.asarray(photo_open(io.BytesIO(data)))
    except PhotoRejected:
        return None


@pytest.mark.parametrize("group", GROUPS)
def test_the_picture_stays_the_same(group: str) -> None:
    taken = 0
    for name, data in GROUPS[group]().items():
        before = pixels(data)
        if before is None:
            continue  # no such photo is ever stored
        taken += 1
        without = plain(data, name)
        assert np.array_equal(before, pixels(without)), name
        assert plain(without, name) == without, name
    assert taken > 5


@pytest.mark.parametrize("name", MARKED)
def test_the_marker_is_gone(name: str) -> None:
    data = MARKED[name]
    assert MARKER in data
    assert pixels(data) is not None, "the import would refuse this example"
    assert MARKER not in plain(data, name)
    assert b"ECRETGP" not in plain(data, name)


@pytest.mark.parametrize("name", MARKED)
def test_thumbnails_have_no_metadata(name: str) -> None:
    thumbnail = photo_inspect(MARKED[name]).thumbnail
    assert MARKER not in thumbnail
    with Image.open(io.BytesIO(thumbnail)) as picture:
        assert not {"exif", "xmp", "icc_profile"} & picture.info.keys()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("JPEG", {"quality": 95, "icc_profile": SRGB * 30}),
        ("PNG", {}),
        ("WEBP", {"quality": 95}),
        ("WEBP", {"lossless": True}),
        ("GIF", {}),
        ("BMP", {}),
    ],
)
def test_a_file_without_metadata_stays_as_it_is(kind: str, options: dict[str, object]) -> None:
    data = encoded(scene(1), kind, **options)
    name = f"photo.{'jpg' if kind == 'JPEG' else kind.lower()}"
    assert plain(data, name) == data


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_other_programs_still_turn_the_picture(kind: str, orientation: int) -> None:
    data = encoded(scene(1), kind, exif=exif(orientation), quality=90)
    suffix = {"JPEG": "jpg"}.get(kind, kind.lower())
    with Image.open(io.BytesIO(plain(data, f"photo.{suffix}"))) as picture:
        tags = dict(picture.getexif())
    assert tags == ({0x0112: orientation} if orientation > 1 else {})


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_the_profile_stays_to_the_last_byte(kind: str) -> None:
    data = encoded(scene(1), kind, icc_profile=SRGB, exif=exif(), quality=90)
    suffix = {"JPEG": "jpg"}.get(kind, kind.lower())
    with Image.open(io.BytesIO(plain(data, f"photo.{suffix}"))) as picture:
        assert picture.info["icc_profile"] == SRGB


def test_only_the_first_picture_of_an_mpo_is_left() -> None:
    with Image.open(io.BytesIO(plain(MARKED["mpo.jpg"], "mpo.jpg"))) as picture:
        assert (picture.format, getattr(picture, "n_frames", 1)) == ("JPEG", 1)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".gif", ".bmp", ".avif"])
@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"RIFF", b"GIF89a", b"BM", b"\0\0\0\x18ftypavif"])
def test_a_damaged_file_is_never_sent_with_its_metadata(suffix: str, data: bytes) -> None:
    sent = b""
    with suppress(MetadataStays):
        sent = b"".join(metadata_remove(data + MARKER, suffix))
    assert MARKER not in sent


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"])
def test_files_cut_anywhere_raise_nothing_else(kind: str) -> None:
    options = {} if kind in {"GIF", "BMP"} else {"exif": exif(6), "quality": 90}
    data = encoded(scene(1, 40, 30), kind, **options)
    suffix = {"JPEG": ".jpg"}.get(kind, f".{kind.lower()}")
    refused = 0
    for end in range(0, len(data), max(1, len(data) // 300)):
        try:
            metadata_remove(data[:end], suffix)
        except MetadataStays:
            refused += 1
    assert refused
