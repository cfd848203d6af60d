"""Every file that an earlier version of the decoding showed differently is recognised from its header."""

import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, ImageCms
from PIL import Image as PillowImage

from annotation.photos.decoding import PhotoRejected, photo_open
from annotation.photos.decoding_changes import decoding_changed
from annotation.photos.decoding_version import DECODING_VERSION, FIRST_VERSION
from tests.annotation.photos import colour_code_files, colour_files, shape_files
from tests.conftest import photo_bytes

GROUPS: list[Callable[[], dict[str, bytes]]] = [
    colour_files.profile_files,
    colour_files.transparent_files,
    colour_code_files.png_chunk_files,
    colour_code_files.code_files,
    shape_files.orientation_files,
    shape_files.jpeg_files,
    shape_files.png_files,
    shape_files.bmp_files,
    shape_files.gif_files,
    shape_files.webp_avif_files,
]
_UNDO = [
    PillowImage.Transpose.FLIP_LEFT_RIGHT,
    PillowImage.Transpose.ROTATE_180,
    PillowImage.Transpose.FLIP_TOP_BOTTOM,
    PillowImage.Transpose.TRANSPOSE,
    PillowImage.Transpose.ROTATE_270,
    PillowImage.Transpose.TRANSVERSE,
    PillowImage.Transpose.ROTATE_90,
]


def decoded_by_version_1(data: bytes, at_least: int) -> NDArray[np.uint8] | None:
    """Decode as the first version did: without colour, and turned by any EXIF that Pillow finds."""
    try:
        picture: Any = PillowImage.open(io.BytesIO(data))
        if at_least:
            picture.draft("RGB", (at_least, at_least))
        picture.load()
    except Exception:  # the first version refused the file, so no photo is like it
        return None
    exif = PillowImage.Exif()
    try:
        exif.load(picture.info.get("exif", b""))
        turned = int(exif.get(ExifTags.Base.Orientation, 1))
    except Exception:  # broken EXIF was ignored
        turned = 1
    if 2 <= turned <= 8:
        picture = picture.transpose(_UNDO[turned - 2])
    if picture.mode.startswith("I"):
        picture = PillowImage.fromarray((np.asarray(picture).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = PillowImage.alpha_composite(PillowImage.new("RGBA", picture.size, "white"), picture)
    return np.asarray(picture.convert("RGB"))


def decoded_now(data: bytes, at_least: int) -> NDArray[np.uint8] | None:
    try:
        return np.asarray(photo_open(io.BytesIO(data), at_least=at_least))
    except PhotoRejected:
        return None


@pytest.mark.parametrize("files", GROUPS)
def test_a_file_that_version_1_showed_differently_is_recognised(files: Callable[[], dict[str, bytes]]) -> None:
    missed = []
    with warnings.catch_warnings(action="ignore"):  # Pillow warns about broken files
        for name, data in files().items():
            for at_least in (0, 16):
                before, now = decoded_by_version_1(data, at_least), decoded_now(data, at_least)
                if before is None or now is None:
                    continue
                if not np.array_equal(before, now) and not decoding_changed(data, since=FIRST_VERSION):
                    missed.append((name, at_least))
    assert missed == []


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"])
def test_an_ordinary_photo_has_not_changed(kind: str) -> None:
    assert not decoding_changed(photo_bytes(1, kind=kind), since=FIRST_VERSION)


def test_a_photo_turned_by_ordinary_exif_has_not_changed() -> None:
    exif = PillowImage.Exif()
    exif[ExifTags.Base.Orientation] = 6
    buffer = io.BytesIO()
    PillowImage.open(io.BytesIO(photo_bytes(1))).save(buffer, "JPEG", exif=exif)
    assert not decoding_changed(buffer.getvalue(), since=FIRST_VERSION)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_with_a_profile_of_srgb_has_not_changed(kind: str) -> None:
    buffer = io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    PillowImage.open(io.BytesIO(photo_bytes(1))).save(buffer, kind, icc_profile=profile)
    assert not decoding_changed(buffer.getvalue(), since=FIRST_VERSION)


def test_nothing_has_changed_since_the_present_version() -> None:
    files = colour_files.profile_files()
    assert not any(
        decoding_changed(data, since=DECODING_VERSION) for data in files.values() if decoded_now(data, 0) is not None
    )


def test_a_file_that_is_refused_now_counts_as_changed() -> None:
    assert decoding_changed(b"no photo", since=FIRST_VERSION)
