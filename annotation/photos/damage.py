"""What counts as a damaged photo, for every format. Does not use Django.

One rule: a photo is taken when its whole picture is in the file, and refused with a reason otherwise. Whatever stands
beside the picture (text, profiles, EXIF, bytes behind the end) never stops a photo.

Refused are:

* JPEG: rows or scans missing, codes that no table has, lost restart marks;
* PNG: a wrong checksum of the header, the palette or the pixels; pixels missing; no end chunk;
* GIF: pixels missing; no end mark;
* WebP and AVIF: shorter than the header says; data that the decoder refuses (neither format has checksums);
* BMP: rows missing.

JPEG is the only format that may lack its end mark. Cameras write such files, and the decoder counts the blocks, so it
is certain that none is missing. No program writes a PNG or a GIF without its end: such a file was cut.
"""

import re
import zlib

import numpy as np
import numpy.typing as npt
import simplejpeg

from annotation.language import gettext_noop
from annotation.photos.jpeg_file import JpegFile, jpeg_end, jpeg_has_all_scans
from annotation.photos.png_file import PngFile
from annotation.photos.rejected import PhotoRejected

_EXTRANEOUS = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
_NO_END = "Premature end of JPEG file"
# More bytes than this that belong to no block mean that the decoder lost its way, unless all are fill bytes.
_FEW_BYTES = 16
_ATTEMPTS = 4  # the end mark is added, and fill bytes are removed in at most two steps
_PIECE = 1 << 20  # bytes unpacked at a time
_PIXEL_CHUNKS = {b"IHDR", b"PLTE", b"IDAT"}


def damaged(reason: str) -> PhotoRejected:
    """Return the error for a damaged file. reason: a short text for people."""
    return PhotoRejected(
        gettext_noop("The file is damaged or incomplete (%(why)s).") % {"why": " ".join(reason.split())[:200]}
    )


def jpeg_pixels(data: bytes, file: JpegFile, scale: int) -> npt.NDArray[np.uint8]:
    """Decode a JPEG at 1/scale of its size (1, 2, 4 or 8), uint8 [H, W, components], CMYK as stored.

    Raises PhotoRejected when the picture is not complete.
    """
    if not jpeg_has_all_scans(data, file):
        raise damaged(gettext_noop("some scans of the picture are missing"))
    for _ in range(_ATTEMPTS):
        try:
            return _decoded(data, file, scale)
        except ValueError as error:
            warning = str(error)
        extra = _EXTRANEOUS.search(warning)
        if warning == _NO_END:
            data += b"\xff\xd9"
        elif extra and _is_fill(data, file, int(extra.group(1))):
            end = jpeg_end(data, file)
            data = data[: end - int(extra.group(1))] + data[end:]
        else:
            break
    raise damaged(_in_words(warning))


def png_check(file: PngFile) -> None:
    """Raise PhotoRejected when a chunk of the picture is missing or has a wrong checksum.

    That all rows are there, `png_rows_check` finds out.
    """
    if not file.has_end:
        raise damaged(gettext_noop("the PNG is incomplete: its end chunk is missing"))
    for chunk in file.chunks:
        if chunk.kind in _PIXEL_CHUNKS and not file.has_right_checksum(chunk):
            raise damaged(
                gettext_noop("a checksum in the PNG is wrong, in chunk %(chunk)s") % {"chunk": chunk.kind.decode()}
            )


def png_rows_check(file: PngFile) -> None:
    """Raise PhotoRejected when the packed pixels end before the last row.

    Pillow does not say so: it leaves the missing rows black.
    """
    unpacker = zlib.decompressobj()
    missing = file.unpacked_bytes
    for packed in file.pixel_parts():
        while packed and missing > 0 and not unpacker.eof:
            missing -= len(unpacker.decompress(packed, _PIECE))
            packed = unpacker.unconsumed_tail
    if missing > 0:
        raise damaged(gettext_noop("the PNG is incomplete: rows of the picture are missing"))


def gif_check(data: bytes) -> None:
    """Raise PhotoRejected when a GIF has no end mark (GIF89a, section 27)."""
    place = 13 + (3 << (data[10] & 7) + 1 if data[10:11] and data[10] & 0x80 else 0)
    while place < len(data):
        kind = data[place]
        if kind == 0x3B:
            return
        if kind == 0x21:
            place += 2
        elif kind == 0x2C and place + 10 <= len(data):
            flags = data[place + 9]
            place += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        elif kind == 0:  # decoders skip zeros between blocks
            place += 1
            continue
        else:
            break
        while place < len(data) and data[place]:
            place += 1 + data[place]
        place += 1
    raise damaged(gettext_noop("the GIF is incomplete: its end mark is missing"))


def webp_check(data: bytes) -> None:
    """Raise PhotoRejected when a WebP is shorter than its header says."""
    if 8 + int.from_bytes(data[4:8], "little") > len(data):
        raise damaged(gettext_noop("the WebP is incomplete: it is shorter than its header says"))


def _decoded(data: bytes, file: JpegFile, scale: int) -> npt.NDArray[np.uint8]:
    space = {1: "GRAY", 3: "RGB", 4: "CMYK"}[file.components]
    height, width = -(-file.height // scale), -(-file.width // scale)
    pixels: npt.NDArray[np.uint8] = simplejpeg.decode_jpeg(
        file.needed(data), space, min_height=height, min_width=width, min_factor=1, strict=True
    )
    return pixels


def _is_fill(data: bytes, file: JpegFile, count: int) -> bool:
    """Return whether the bytes before the end mark are few, or nothing but fill bytes."""
    end = jpeg_end(data, file)
    return end > 0 and (count <= _FEW_BYTES or not data[end - count : end].strip(b"\0\xff"))


def _in_words(warning: str) -> str:
    """Return libjpeg's remark in words for people."""
    if "premature end" in warning.lower():
        return gettext_noop("the JPEG is incomplete: rows of the picture are missing")
    return warning
