"""The colour profile of a BMP file. Does not use Django, decodes no pixels.

Source: Microsoft, BITMAPV5HEADER.
"""

_V5_BYTES = 124
_EMBEDDED = b"DEBM"  # 'MBED' in little-endian order


def bmp_profile(data: bytes) -> bytes:
    """Return the colour profile in a BMP with a header of version 5, or b""."""
    header = data[14 : 14 + _V5_BYTES]
    if len(header) < _V5_BYTES or int.from_bytes(header[:4], "little") != _V5_BYTES or header[56:60] != _EMBEDDED:
        return b""
    start, length = (int.from_bytes(header[place : place + 4], "little") for place in (112, 116))
    return data[14 + start : 14 + start + length]
