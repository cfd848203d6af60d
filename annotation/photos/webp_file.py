"""The colour profile of a WebP file. Does not use Django, decodes no pixels.

Source: RFC 9649, WebP Image Format.
"""

_PROFILE_FLAG = 0x20


def webp_profile(data: bytes) -> bytes:
    """Return the colour profile, or b"". Only extended files have one, and they say so in a flag."""
    if data[12:16] != b"VP8X" or not data[20:21] or not data[20] & _PROFILE_FLAG:
        return b""
    place = 12
    end = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while place + 8 <= end:
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        if data[place : place + 4] == b"ICCP":
            return data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2
    return b""
