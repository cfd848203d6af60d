"""The EXIF that a file keeps: nothing but the orientation. Does not use Django.

Source: CIPA DC-008 (EXIF), section 4.6.4 A; TIFF 6.0, section 2.
"""

import struct

_TAG, _SHORT = 0x0112, 3
#: A TIFF structure whose only directory is empty.
EMPTY = struct.pack(">4sIHI", b"MM\0*", 8, 0, 0)


def orientation_exif(orientation: int) -> bytes:
    """Return a TIFF structure of 26 bytes that has only the orientation, 1 … 8."""
    return struct.pack(">4sIHHHIHHI", b"MM\0*", 8, 1, _TAG, _SHORT, 1, orientation, 0, 0)
