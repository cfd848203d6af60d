"""How a stored picture is turned, from its EXIF, as Chromium reads it. Does not use Django.

Source: CIPA DC-008 (EXIF), section 4.6.4 A; TIFF 6.0, section 2.
"""

import struct

from PIL import Image

UPRIGHT = 1
SIDEWAYS = {5, 6, 7, 8}
"""Orientations that exchange width and height."""
_TAG = 0x0112
_SHORT = 3

# The operation that undoes each orientation.
_UNDO = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def exif_orientation(tiff: bytes) -> int:
    """Return the orientation 1 … 8 that a TIFF structure names in its first directory; 1 (upright) when it is broken.

    Only one value of 16 bits counts, as in the standard. Other types and values outside 1 … 8 mean upright.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return UPRIGHT
    (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
    if directory + 2 > len(tiff):
        return UPRIGHT
    (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
    for place in range(directory + 2, min(directory + 2 + 12 * entries, len(tiff) - 11), 12):
        tag, kind, count, value = struct.unpack_from(f"{order}HHIH", tiff, place)
        if tag == _TAG and kind == _SHORT and count == 1:
            return value if value in _UNDO else UPRIGHT
    return UPRIGHT


def upright(picture: Image.Image, orientation: int) -> Image.Image:
    """Return the picture turned upright."""
    undo = _UNDO.get(orientation)
    return picture if undo is None else picture.transpose(undo)
