"""Which colour space a PNG is in: of its four ways to say so, the first valid one counts. Does not use Django.

Source: W3C, Portable Network Graphics (third edition), section 4.3.
"""

import struct
from contextlib import suppress

from annotation.photos.colour import ColourTransform, ProfileUnusable, colour_of_primaries, profile_transform
from annotation.photos.colour_codes import png_codes_transform
from annotation.photos.icc_profile import SRGB, power
from annotation.photos.png_file import PngFile

# A gamma this near to 1/2.2, without primaries, means sRGB. libpng has the same threshold.
_SRGB_GAMMA = 1 / 2.2
_SAME_GAMMA = 0.05
_KNOWN_SPACES = {b"RGB ", b"GRAY", b"CMYK"}


def png_colour(file: PngFile, mode: str) -> ColourTransform | None:
    """Return how to convert a PNG to sRGB, None when nothing is to be done. mode: L or RGB.

    The order is cICP, iCCP, sRGB, then cHRM and gAMA. Raises PhotoRejected when Chromium cannot show the picture or
    shows it differently on every screen.
    """
    with suppress(LookupError):
        return png_codes_transform(file.before_pixels(b"cICP"), mode)
    profile = file.profile
    if profile and profile[16:20] not in _KNOWN_SPACES:
        profile = profile[:16] + b"RGB " + profile[20:]  # Chromium does not look at it in a PNG
    with suppress(ProfileUnusable):
        return profile_transform(profile, mode)
    if file.before_pixels(b"sRGB"):
        return None
    primaries, gamma = file.before_pixels(b"cHRM"), file.before_pixels(b"gAMA")
    if len(gamma) != 4 or not any(gamma):
        return None
    value = int.from_bytes(gamma, "big") / 100_000
    if len(primaries) == 32:
        x_and_y = struct.unpack(">8I", primaries)
        return colour_of_primaries(tuple(number / 100_000 for number in x_and_y), power(1 / value), mode)
    if abs(value / _SRGB_GAMMA - 1) < _SAME_GAMMA:
        return None
    return colour_of_primaries(SRGB, power(1 / value), mode)
