"""Decodes photos from untrusted bytes. All photo files are decoded here. Does not use Django.

The format is detected from the content, not from the file extension. The number of pixels is checked from the header
before decoding. Then the photo is decoded completely, so that truncated files are rejected.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, UnidentifiedImageError

from annotation.photos.decoding_cost import MAX_BYTES, DecodingCost, Reserve, unlimited
from annotation.photos.rejection import PhotoRejected as PhotoRejected

# Formats that browsers show, with the extension of the stored file. MPO is the format of .jpg files in which a camera
# adds a preview; the first picture is the photo.
SUFFIXES = {
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "GIF": ".gif",
    "BMP": ".bmp",
    "AVIF": ".avif",
}
_OPENERS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")  # Pillow opens MPO through JPEG
CONTENT_TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".avif": "image/avif",
}
MAX_PIXELS = 120_000_000
SMALLEST_SIDE = 16  # pixels; smaller photos cannot be rated
THUMBNAIL_SIDE = 320
# Value of perceptual_hash for a flat picture. No other picture has it: every hash has 32 bits set.
NO_HASH = 0

# The operation that undoes each EXIF orientation.
_UNDO_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {5, 6, 7, 8}

_HASH_SIDE = 32
# Rows 1 … 8 of the DCT-II matrix of size 32: row u, column x is cos(pi * u * (2x + 1) / 64).
_DCT = np.cos(np.pi / (2 * _HASH_SIDE) * np.outer(np.arange(1, 9), 2 * np.arange(_HASH_SIDE) + 1))
_FLAT = 2.0  # standard deviation in grey levels; below it, noise would decide the hash

# Pillow's own limit against decompression bombs is global and warns at half of it. This module checks the header in
# each call, so Pillow's limit would only block sites that allow larger photos.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class PhotoFacts:
    """Properties of a photo, and its thumbnail."""

    width: int  # pixels as shown, EXIF orientation applied
    height: int  # pixels as shown, EXIF orientation applied
    suffix: str  # file extension for the detected format, with the dot
    phash: int  # 64-bit perceptual hash as a signed number; NO_HASH for a flat picture
    thumbnail: bytes  # WebP, long side at most 320 pixels, upright


def photo_inspect(
    data: bytes, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES, reserve: Reserve = unlimited
) -> PhotoFacts:
    """Decode a photo completely, and return its properties.

    `max_bytes`: the memory that decoding at full size may take, with the conversion to RGB. `reserve` is called with
    the bytes that this call needs, before it decodes. Call the function for untrusted bytes in the sandbox only.

    Raises PhotoRejected with the reason when the file is not a photo, broken, animated, too small, has more than
    `max_pixels` pixels, needs more than `max_bytes`, or is a JPEG with too many scans. Raises MemoryError.
    """
    if not data:
        raise PhotoRejected("The file is empty.")
    source = io.BytesIO(data)
    with _opened(source, max_pixels) as picture:
        cost = DecodingCost(picture, source)
        cost.check(max_bytes)  # at full size: detectors and browsers decode the photo like this later
        suffix = SUFFIXES[str(picture.format)]
        width, height = picture.size
        profile = picture.info.get("icc_profile") if picture.mode in {"RGB", "RGBA"} else None
        # libjpeg can reduce the size while it decodes. It still reads the whole file, and takes a third of the time.
        picture.draft("RGB", (2 * THUMBNAIL_SIDE, 2 * THUMBNAIL_SIDE))
        reserve(cost.memory())
        small = _upright_rgb(picture)
        if _orientation(picture) in _SIDEWAYS:
            width, height = height, width
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=80, method=2, icc_profile=profile)
    return PhotoFacts(width, height, suffix, perceptual_hash(small), buffer.getvalue())


def photo_open(
    source: Path | IO[bytes],
    *,
    max_pixels: int = MAX_PIXELS,
    at_least: int = 0,
    max_bytes: int = MAX_BYTES,
    reserve: Reserve = unlimited,
) -> Image.Image:
    """Return a photo as people see it: RGB, upright, transparency on white. Full size unless `at_least` is given.

    `at_least`: a side in pixels. A JPEG whose sides are both at least twice as long is decoded at 1/2, 1/4 or 1/8 of
    its size, but not smaller than `at_least`. libjpeg does this several times faster.
    `max_bytes`, `reserve`: as for `photo_inspect`, but for the size at which the photo is decoded.

    Raises PhotoRejected and MemoryError as `photo_inspect` does, and OSError when the file cannot be read.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return photo_open(file, max_pixels=max_pixels, at_least=at_least, max_bytes=max_bytes, reserve=reserve)
    with _opened(source, max_pixels) as picture:
        cost = DecodingCost(picture, source)
        if at_least:
            picture.draft("RGB", (at_least, at_least))
        cost.check(max_bytes)
        reserve(cost.memory())
        return _upright_rgb(picture)


def perceptual_hash(picture: Image.Image) -> int:
    """Return the 64-bit pHash of a picture as a signed number, or NO_HASH when the picture is flat.

    One bit per low frequency of the DCT of the 32 × 32 grey picture: whether the coefficient is above the median. The
    frequencies are rows and columns 1 … 8; the brightness and the mean of each row and column are left out. Resizing,
    compression, blur, noise and brightness hardly change the hash; mirroring and larger crops do.

    Source: C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010,
    section 3.1.1.
    """
    grey = np.asarray(picture.convert("L").resize((_HASH_SIDE, _HASH_SIDE), Image.Resampling.BOX), dtype=np.float64)
    if grey.std() < _FLAT:
        return NO_HASH
    spectrum: npt.NDArray[np.float64] = (_DCT @ grey @ _DCT.T).ravel()
    bits = np.packbits(spectrum > np.median(spectrum))
    return int.from_bytes(bits.tobytes(), "big", signed=True)


def _opened(source: IO[bytes], max_pixels: int) -> Image.Image:
    """Read and check the header. Return the picture, not decoded yet."""
    try:
        picture = Image.open(source, formats=_OPENERS)
        # Not `n_frames`: a GIF can have millions, and Pillow reads them all to count them.
        is_animated = bool(getattr(picture, "is_animated", False)) and picture.format != "MPO"
    except UnidentifiedImageError:
        source.seek(0)
        if not source.read(1):
            raise PhotoRejected("The file is empty.") from None
        raise PhotoRejected(
            "Not a photo in a supported format (JPEG, PNG, WebP, AVIF, GIF or BMP), or damaged at its start."
        ) from None
    except MemoryError:
        raise
    except Exception as error:  # decoders raise many kinds of errors on malicious bytes
        raise PhotoRejected(f"The file's header cannot be read ({_one_line(error)}).") from error
    width, height = picture.size
    if width * height > max_pixels:
        raise PhotoRejected(f"{width} × {height} pixels are more than the allowed {max_pixels / 1e6:g} megapixels.")
    if min(width, height) < SMALLEST_SIDE:
        raise PhotoRejected(
            f"{width} × {height} pixels are too small to rate. Each side needs at least {SMALLEST_SIDE} pixels."
        )
    if is_animated:
        raise PhotoRejected("The picture is animated. Only still photos can be rated.")
    return picture


def _orientation(picture: Image.Image) -> int:
    """Return the EXIF orientation of a decoded picture, 1 (upright) when it is missing or broken.

    Pillow's own `getexif` also reads the orientation from XMP, which browsers ignore.
    """
    exif = Image.Exif()
    try:
        exif.load(picture.info.get("exif", b""))
        return int(exif.get(ExifTags.Base.Orientation, 1))
    except Exception:  # browsers ignore broken EXIF too
        return 1


def _upright_rgb(picture: Image.Image) -> Image.Image:
    """Decode the picture and return it upright in RGB. Raises PhotoRejected when it is broken."""
    try:
        picture.load()
    except MemoryError:
        raise
    except Exception as error:  # decoders raise many kinds of errors on malicious bytes
        raise PhotoRejected(f"The file is damaged or incomplete ({_one_line(error)}).") from error
    undo = _UNDO_ORIENTATION.get(_orientation(picture))
    upright: Image.Image = picture if undo is None else picture.transpose(undo)
    if upright.mode.startswith("I"):
        # 16-bit grey. Pillow's own conversion clips at 255 instead of scaling.
        upright = Image.fromarray((np.asarray(upright).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8))
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        ground = Image.new("RGBA", upright.size, "white")
        return Image.alpha_composite(ground, upright).convert("RGB")
    return upright.convert("RGB")


def _one_line(error: Exception) -> str:
    """Return the message of a decoder's error on one line."""
    return " ".join((str(error) or type(error).__name__).split())[:200]
