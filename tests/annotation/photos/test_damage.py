import io
import os
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

from annotation.photos.decoding import PhotoRejected, photo_inspect, photo_open
from tests.annotation.bad_files import encoded, scene
from tests.annotation.photos import profiles as icc

JPEG = encoded(scene(1), "JPEG", quality=90)
PROGRESSIVE = encoded(scene(2), "JPEG", quality=90, progressive=True)
RESTARTS = encoded(scene(3), "JPEG", quality=90, restart_marker_blocks=2)
PNG = encoded(scene(4), "PNG")
GIF = encoded(scene(5).quantize(64), "GIF")
WEBP, LOSSLESS = encoded(scene(6), "WEBP", quality=90), encoded(scene(6), "WEBP", lossless=True)
AVIF = encoded(scene(7), "AVIF", quality=90)
BMP = encoded(scene(8), "BMP")
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
END = b"\xff\xd9"


def _png_of(rows: bytes, *, end: bytes = icc.png_chunk(b"IEND", b"")) -> bytes:
    return PNG[:33] + icc.png_chunk(b"IDAT", rows) + end


def _rows() -> bytes:
    """Return the rows of the PNG, unpacked."""
    return b"".join(b"\0" + row.tobytes() for row in np.asarray(scene(4)))


def _interlaced() -> bytes:
    """Return an interlaced PNG that ends before the seventh pass."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
    pixels = np.asarray(scene(4))
    rows = b"".join(b"\0" + row.tobytes() for x, y, dx, dy in passes for row in pixels[y::dy, x::dx])
    header = icc.png_chunk(b"IHDR", PNG[16:28] + b"\1")
    return PNG[:8] + header + icc.png_chunk(b"IDAT", zlib.compress(rows)) + PNG[-12:]


def _with_wrong_checksum(data: bytes, kind: bytes) -> bytes:
    place = data.index(kind) - 4
    end = place + 8 + int.from_bytes(data[place : place + 4], "big")
    return data[:end] + b"\1\2\3\4" + data[end + 4 :]


def _without_last_scan(data: bytes) -> bytes:
    return data[: data.rindex(b"\xff\xda")] + END


def _webp_with_size(data: bytes) -> bytes:
    """Correct the size in the header of a WebP that was cut."""
    data = data[: len(data) // 2 * 2]
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:16] + struct.pack("<I", len(data) - 20) + data[20:]


def _text(kind: bytes, data: bytes) -> bytes:
    return icc.png_with(PNG, icc.png_chunk(kind, data))


LARGE = os.urandom(16) * 90_000

#: name → (the file, the file without the fault), complete pictures that are taken.
TAKEN: dict[str, tuple[bytes, bytes]] = {
    "no end mark": (JPEG[:-2], JPEG),
    "half an end mark": (JPEG[:-1], JPEG),
    "no end mark, progressive": (PROGRESSIVE[:-2], PROGRESSIVE),
    "no end mark, restart marks": (RESTARTS[:-2], RESTARTS),
    "no end mark, zeros instead": (JPEG[:-2] + bytes(4096), JPEG),
    "zeros before the end mark": (JPEG[:-2] + bytes(3000) + END, JPEG),
    "a byte before the end mark": (JPEG[:-2] + b"\x12" + END, JPEG),
    "bytes behind the end of a JPEG": (JPEG + os.urandom(4096), JPEG),
    "unknown JFIF version": (JPEG[:11] + b"\7" + JPEG[12:], JPEG),
    "unknown colour code of Adobe": (
        icc.jpeg_with(JPEG, icc.jpeg_segment(0xEE, b"Adobe\0\x64\0\0\0\0\7")),
        JPEG,
    ),
    "wrong range of coefficients": (JPEG.replace(b"\0\x3f\0", b"\0\x05\0", 1), JPEG),
    "profile in pieces that do not fit": (
        icc.jpeg_with(JPEG, icc.jpeg_segment(0xE2, b"ICC_PROFILE\0\2\5xyz")),
        JPEG,
    ),
    "compressed text of 1.4 MB": (_text(b"zTXt", b"workflow\0\0" + zlib.compress(LARGE)), PNG),
    "international text of 1.4 MB": (_text(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(LARGE)), PNG),
    "plain text of 2 MB": (_text(b"iTXt", b"prompt\0\0\0\0\0" + b"{}" * 1_000_000), PNG),
    "many texts": (icc.png_with(PNG, *[icc.png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000)))] * 80), PNG),
    "profile of 1.2 MB": (_text(b"iCCP", b"icc\0\0" + zlib.compress(SRGB + bytes(1_200_000))), PNG),
    "profile that unpacks to 300 MB": (_text(b"iCCP", b"icc\0\0" + zlib.compress(bytes(300_000_000), 9)), PNG),
    "profile of an unknown compression": (_text(b"iCCP", b"icc\0\7" + b"data"), PNG),
    "text of an unknown compression": (_text(b"zTXt", b"icc\0\7" + b"data"), PNG),
    "wrong checksum of a text": (_with_wrong_checksum(_text(b"tEXt", b"a\0bc"), b"tEXt"), PNG),
    "gamma that is too short": (_text(b"gAMA", b"\1"), PNG),
    "bytes behind the end of a PNG": (PNG + bytes(1000), PNG),
    "bytes behind the end of a GIF": (GIF + bytes(1000), GIF),
    "bytes behind the end of a WebP": (WEBP + bytes(1000), WEBP),
    "bytes behind the end of a BMP": (BMP + bytes(1000), BMP),
    "wrong file length in a BMP": (BMP[:2] + struct.pack("<I", 7) + BMP[6:], BMP),
}

#: name → (the file, part of the reason), damaged pictures that are refused.
REFUSED: dict[str, tuple[bytes, str]] = {
    "half a JPEG": (JPEG[: len(JPEG) // 2], "incomplete: rows"),
    "half a JPEG with an end mark": (JPEG[: len(JPEG) // 2] + END, "incomplete: rows"),
    "95 percent of a JPEG": (JPEG[: int(len(JPEG) * 0.95)], "incomplete: rows"),
    "95 percent of a JPEG with an end mark": (JPEG[: int(len(JPEG) * 0.95)] + END, "incomplete: rows"),
    "zeros in the second half of a JPEG": (JPEG[: len(JPEG) // 2] + bytes(len(JPEG) // 2) + END, "damaged"),
    "header that says twice the rows": (
        JPEG.replace(struct.pack(">HH", 160, 240), struct.pack(">HH", 320, 240)),
        "rows",
    ),
    "part of a JPEG cut out": (JPEG[: len(JPEG) // 2] + JPEG[len(JPEG) // 2 + 400 :], "damaged"),
    "lost restart mark": (RESTARTS.replace(b"\xff\xd3", b"\xff\xd5", 1), "damaged"),
    "two thirds of a progressive JPEG": (PROGRESSIVE[: len(PROGRESSIVE) * 2 // 3], "damaged"),
    "last scan missing": (_without_last_scan(PROGRESSIVE), "scans"),
    "last two scans missing, no end mark": (_without_last_scan(_without_last_scan(PROGRESSIVE))[:-2], "scans"),
    "JPEG without a picture": (JPEG[: JPEG.index(b"\xff\xda")] + END, "header"),
    "half a PNG": (PNG[: len(PNG) // 2], "end chunk"),
    "half a PNG with an end": (_png_of(zlib.compress(_rows())[:20_000]), "damaged"),
    "PNG with half the rows": (_png_of(zlib.compress(_rows()[: len(_rows()) // 2])), "damaged"),
    "PNG with all rows but the last": (_png_of(zlib.compress(_rows()[:-721])), "damaged"),
    "interlaced PNG without its last pass": (_interlaced(), "rows"),
    "PNG without pixels": (PNG[:33] + PNG[-12:], "damaged"),
    "PNG without an end": (PNG[:-12], "end chunk"),
    "PNG with half an end": (PNG[:-5], "end chunk"),
    "wrong checksum of the pixels": (_with_wrong_checksum(PNG, b"IDAT"), "checksum"),
    "wrong checksum of the header": (_with_wrong_checksum(PNG, b"IHDR"), "checksum"),
    "wrong checksum of the palette": (
        _with_wrong_checksum(encoded(scene(4).quantize(16), "PNG"), b"PLTE"),
        "checksum",
    ),
    "one pixel byte changed": (PNG[:3000] + bytes([PNG[3000] ^ 1]) + PNG[3001:], "checksum"),
    "wrong checksum inside the packed pixels": (
        _png_of(zlib.compress(_rows())[:-4] + b"\1\2\3\4"),
        "damaged",
    ),
    "half a GIF": (GIF[: len(GIF) // 2], "incomplete"),
    "half a GIF with an end": (GIF[: len(GIF) // 2] + b"\0;", "damaged"),
    "GIF without an end": (GIF[:-1], "end mark"),
    "half a WebP": (WEBP[: len(WEBP) // 2], "."),
    "half a WebP with the right size": (_webp_with_size(WEBP[: len(WEBP) // 2]), "."),
    "90 percent of a WebP": (WEBP[: int(len(WEBP) * 0.9)], "."),
    "90 percent of a WebP with the right size": (_webp_with_size(WEBP[: int(len(WEBP) * 0.9)]), "."),
    "half a lossless WebP": (LOSSLESS[: len(LOSSLESS) // 2], "."),
    "half a lossless WebP with the right size": (_webp_with_size(LOSSLESS[: len(LOSSLESS) // 2]), "."),
    "half an AVIF": (AVIF[: len(AVIF) // 2], "."),
    "90 percent of an AVIF": (AVIF[: int(len(AVIF) * 0.9)], "."),
    "half a BMP": (BMP[: len(BMP) // 2], "damaged"),
    "BMP without its last row": (BMP[:-720], "damaged"),
}


def _open(data: bytes) -> Image.Image:
    return photo_open(io.BytesIO(data))


def _open_small(data: bytes) -> Image.Image:
    return photo_open(io.BytesIO(data), at_least=40)


@pytest.mark.parametrize("name", TAKEN)
def test_a_complete_picture_is_taken_whatever_stands_beside_it(name: str) -> None:
    data, whole = TAKEN[name]
    assert np.array_equal(np.asarray(_open(data)), np.asarray(_open(whole)))
    assert photo_inspect(data) == photo_inspect(whole)


@pytest.mark.parametrize("read", [photo_inspect, _open, _open_small])
@pytest.mark.parametrize("name", REFUSED)
def test_a_damaged_picture_is_refused_with_its_reason(name: str, read: Callable[[bytes], object]) -> None:
    data, reason = REFUSED[name]
    with pytest.raises(PhotoRejected, match=reason):
        read(data)


@pytest.mark.parametrize("percent", range(30, 100, 3))
@pytest.mark.parametrize("end", [b"", END])
@pytest.mark.parametrize("kind", [JPEG, PROGRESSIVE, RESTARTS], ids=["sequential", "progressive", "restarts"])
def test_no_cut_jpeg_is_taken(kind: bytes, end: bytes, percent: int) -> None:
    with pytest.raises(PhotoRejected):
        photo_inspect(kind[: len(kind) * percent // 100] + end)


def test_the_last_bytes_of_a_jpeg_are_missed_when_they_hold_pixels() -> None:
    """A block at the end may need no more bits than there are. Whatever is taken is the whole picture."""
    whole = np.asarray(_open(JPEG))
    for missing in range(3, 12):
        for end in (b"", END):
            try:
                opened = _open(JPEG[:-missing] + end)
            except PhotoRejected:
                continue
            assert np.array_equal(np.asarray(opened), whole), missing
