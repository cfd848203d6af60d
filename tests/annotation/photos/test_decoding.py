import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from annotation.photos.decoding import NO_HASH, PhotoRejected, perceptual_hash, photo_inspect, photo_open
from tests.annotation.bad_files import BAD, encoded, png_header, scene
from tests.annotation.photos.profiles import SWAPPED, gamma_curve, matrix_profile


def distance(one: int, other: int) -> int:
    return ((one ^ other) & (2**64 - 1)).bit_count()


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp"), ("GIF", ".gif"), ("BMP", ".bmp"), ("AVIF", ".avif")],
)
def test_format_is_read_from_the_content(kind: str, suffix: str) -> None:
    facts = photo_inspect(encoded(scene(1), kind))
    assert (facts.suffix, facts.width, facts.height) == (suffix, 240, 160)


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_rejected_with_their_reason(name: str) -> None:
    data, reason = BAD[name]
    with pytest.raises(PhotoRejected, match=reason):
        photo_inspect(data)


def test_pixel_limit_is_checked_before_decoding() -> None:
    with pytest.raises(PhotoRejected, match="more than the allowed"):
        photo_inspect(png_header(1000, 1001), max_pixels=1_000_000)
    with pytest.raises(PhotoRejected, match="incomplete"):  # within the limit, so the photo is decoded
        photo_inspect(png_header(1000, 1000), max_pixels=1_000_000)


def test_a_photo_above_pillows_limit_is_allowed_if_the_site_allows_it() -> None:
    with pytest.raises(PhotoRejected, match="incomplete"):
        photo_inspect(png_header(20_000, 10_000), max_pixels=200_000_000, max_bytes=4_000_000_000)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    upright = scene(3)
    inverse = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}  # the orientation that reverses each orientation
    exif = Image.Exif()
    exif[0x0112] = inverse.get(orientation, 1)
    rotated = ImageOps.exif_transpose(_with_exif(upright, exif))
    exif[0x0112] = orientation
    data = encoded(rotated, "JPEG", quality=95, exif=exif.tobytes())
    facts = photo_inspect(data)
    assert (facts.width, facts.height) == upright.size
    opened = photo_open(io.BytesIO(data))
    assert np.abs(np.asarray(opened, float) - np.asarray(upright, float)).mean() < 6
    assert Image.open(io.BytesIO(facts.thumbnail)).size == upright.size
    assert distance(facts.phash, perceptual_hash(upright)) <= 4


def _with_exif(picture: Image.Image, exif: Image.Exif) -> Image.Image:
    opened = Image.open(io.BytesIO(encoded(picture, "PNG", exif=exif.tobytes())))
    opened.load()
    return opened


def test_broken_exif_is_ignored() -> None:
    assert photo_inspect(encoded(scene(1), "JPEG", exif=b"Exif\0\0MM\0*nonsense")).width == 240


def test_orientation_in_xmp_is_ignored_as_browsers_do() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
    assert photo_inspect(encoded(scene(1), "JPEG", xmp=xmp)).width == 240


@pytest.mark.parametrize("mode", ["CMYK", "L", "P", "LA", "RGBA", "1", "YCbCr"])
def test_every_colour_mode_becomes_the_same_picture_in_rgb(mode: str) -> None:
    kind = {"CMYK": "JPEG", "YCbCr": "JPEG"}.get(mode, "PNG")
    picture = scene(4).convert(mode)
    facts = photo_inspect(encoded(picture, kind))
    opened = photo_open(io.BytesIO(encoded(picture, kind)))
    assert opened.mode == "RGB"
    grey = np.asarray(scene(4).convert("L"), float).mean()
    assert abs(np.asarray(opened.convert("L"), float).mean() - grey) < 12
    assert Image.open(io.BytesIO(facts.thumbnail)).mode == "RGB"


def test_sixteen_bit_values_are_scaled_to_eight_bits() -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (64, 1))
    opened = photo_open(io.BytesIO(encoded(Image.fromarray(ramp), "PNG")))
    assert np.abs(np.asarray(opened)[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_transparent_pixels_become_white() -> None:
    transparent = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    assert np.asarray(photo_open(io.BytesIO(encoded(transparent, "PNG")))).min() == 255


def test_thumbnail_keeps_the_aspect_ratio_and_is_never_enlarged() -> None:
    large = Image.open(io.BytesIO(photo_inspect(encoded(scene(5, 1600, 800))).thumbnail))
    small = Image.open(io.BytesIO(photo_inspect(encoded(scene(5, 60, 40))).thumbnail))
    assert (large.size, large.format, small.size) == ((320, 160), "WEBP", (60, 40))


def test_thumbnail_is_in_srgb_whatever_the_profile_of_the_photo() -> None:
    photo = encoded(scene(5), "PNG", icc_profile=matrix_profile(SWAPPED, gamma_curve(2.2)))
    thumbnail = Image.open(io.BytesIO(photo_inspect(photo).thumbnail))
    assert "icc_profile" not in thumbnail.info
    shown = np.asarray(photo_open(io.BytesIO(photo)), float)
    assert np.abs(np.asarray(thumbnail.convert("RGB"), float) - shown).mean() < 6
    assert np.abs(np.asarray(scene(5), float) - shown).mean() > 20


def test_hash_is_similar_for_edited_copies_and_different_for_other_scenes() -> None:
    photo = scene(6, 480, 320)
    original = perceptual_hash(photo)
    copies = [
        Image.open(io.BytesIO(encoded(photo, "JPEG", quality=30))),
        photo.resize((200, 133)),
        photo.point(lambda value: value * 0.5),
    ]
    assert max(distance(original, perceptual_hash(copy)) for copy in copies) <= 4
    assert min(distance(original, perceptual_hash(scene(seed, 480, 320))) for seed in range(7, 37)) > 12


def test_hash_equals_that_of_an_explicit_cosine_transform() -> None:
    picture = scene(8).convert("L").resize((32, 32), Image.Resampling.BOX)
    grey = np.asarray(picture, float)
    x = np.arange(32)
    spectrum = [
        sum(
            grey[i, j] * np.cos(np.pi * (2 * i + 1) * u / 64) * np.cos(np.pi * (2 * j + 1) * v / 64)
            for i in x
            for j in x
        )
        for u in range(1, 9)
        for v in range(1, 9)
    ]
    bits = "".join("1" if value > np.median(spectrum) else "0" for value in spectrum)
    assert perceptual_hash(scene(8)) & (2**64 - 1) == int(bits, 2)


def test_flat_pictures_have_no_hash() -> None:
    assert perceptual_hash(Image.new("RGB", (100, 100), (200, 10, 10))) == NO_HASH


def test_missing_file_raises_oserror(tmp_path) -> None:
    with pytest.raises(OSError, match="No such file"):
        photo_open(tmp_path / "missing.jpg")
