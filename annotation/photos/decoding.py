"""Decodes photos from untrusted bytes. All photo files are decoded here. Does not use Django.

The format is detected from the content, not from the file extension. The number of pixels is checked from the header
before decoding. Then the photo is decoded completely, so that damaged files are rejected (`annotation.photos.damage`).
The result is the picture that Chromium shows: upright, in sRGB, on white (`tests/browser/test_same_picture.py`).
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from PIL import Image

from annotation.language import gettext_noop
from annotation.photos.damage import damaged
from annotation.photos.decoding_cost import MAX_BYTES, DecodingCost, Reserve, unlimited
from annotation.photos.orientation import SIDEWAYS, upright
from annotation.photos.readers import picture_read
from annotation.photos.rejected import PhotoRejected as PhotoRejected
from annotation.photos.stored_picture import StoredPicture

# Formats that browsers show, with the extension of the stored file.
SUFFIXES = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "GIF": ".gif",
    "BMP": ".bmp",
    "AVIF": ".avif",
}
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
GROUND = "white"  # behind transparent pixels; static/css/site.css puts the same colour behind photos
# Value of perceptual_hash for a flat picture. No other picture has it: every hash has 32 bits set.
NO_HASH = 0

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
    stored = _opened(data, max_pixels)
    DecodingCost(stored).check(max_bytes)  # at full size: detectors and browsers decode the photo like this later
    # libjpeg can reduce the size while it decodes. It still reads the whole file, and takes a third of the time.
    reserve(DecodingCost(stored, 2 * THUMBNAIL_SIDE).memory())
    small = _decoded(stored, 2 * THUMBNAIL_SIDE)
    width, height = stored.width, stored.height
    if stored.orientation in SIDEWAYS:
        width, height = height, width
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=80, method=2)
    return PhotoFacts(width, height, SUFFIXES[stored.format], perceptual_hash(small), buffer.getvalue())


def photo_open(
    source: Path | IO[bytes],
    *,
    max_pixels: int = MAX_PIXELS,
    at_least: int = 0,
    max_bytes: int = MAX_BYTES,
    reserve: Reserve = unlimited,
) -> Image.Image:
    """Return a photo as people see it: sRGB, upright, transparency on white. Full size unless `at_least` is given.

    `at_least`: a side in pixels. A JPEG whose sides are both at least twice as long is decoded at 1/2, 1/4 or 1/8 of
    its size, but not smaller than `at_least`. libjpeg does this several times faster. A JPEG in CMYK or with a colour
    profile of another curve is always decoded at full size.
    `max_bytes`, `reserve`: as for `photo_inspect`, but for the size at which the photo is decoded.

    Raises PhotoRejected and MemoryError as `photo_inspect` does, and OSError when the file cannot be read.
    """
    data = source.read_bytes() if isinstance(source, Path) else source.read()
    stored = _opened(data, max_pixels)
    cost = DecodingCost(stored, at_least)
    cost.check(max_bytes)
    reserve(cost.memory())
    return _decoded(stored, at_least)


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


def _opened(data: bytes, max_pixels: int) -> StoredPicture:
    """Read and check the header. Return the picture, not decoded yet."""
    if not data:
        raise PhotoRejected(gettext_noop("The file is empty."))
    try:
        stored = picture_read(data)
    except (PhotoRejected, MemoryError):
        raise
    except SyntaxError:  # Pillow's error for another format, or a damaged one
        stored = None
    except Exception as error:  # decoders raise many kinds of errors on malicious bytes
        raise PhotoRejected(
            gettext_noop("The file's header cannot be read (%(error)s).") % {"error": _one_line(error)}
        ) from error
    if stored is None:
        raise PhotoRejected(
            gettext_noop(
                "Not a photo in a supported format (JPEG, PNG, WebP, AVIF, GIF or BMP), or damaged at its start."
            )
        )
    width, height = stored.width, stored.height
    if width * height > max_pixels:
        raise PhotoRejected(
            gettext_noop("%(width)s × %(height)s pixels are more than the allowed %(max_pixels)s megapixels.")
            % {"width": width, "height": height, "max_pixels": f"{max_pixels / 1e6:g}"}
        )
    if min(width, height) < SMALLEST_SIDE:
        raise PhotoRejected(
            gettext_noop(
                "%(width)s × %(height)s pixels are too small to rate. Each side needs at least %(smallest_side)s "
                "pixels."
            )
            % {"width": width, "height": height, "smallest_side": SMALLEST_SIDE}
        )
    if stored.is_animated:
        raise PhotoRejected(gettext_noop("The picture is animated. Only still photos can be rated."))
    return stored


def _decoded(stored: StoredPicture, at_least: int) -> Image.Image:
    """Decode the picture and return it upright in sRGB. Raises PhotoRejected when it is damaged."""
    try:
        picture, alpha = stored.decode(at_least)
    except (PhotoRejected, MemoryError):
        raise
    except Exception as error:  # decoders raise many kinds of errors on malicious bytes
        raise damaged(_one_line(error)) from error
    if stored.colour is not None:
        picture = stored.colour.apply(picture)
    picture = picture.convert("RGB")
    if alpha is not None:
        picture.putalpha(alpha)
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, GROUND), picture).convert("RGB")
    return upright(picture, stored.orientation)


def _one_line(error: Exception) -> str:
    """Return the message of a decoder's error on one line."""
    return " ".join((str(error) or type(error).__name__).split())[:200]
