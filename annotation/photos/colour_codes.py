"""Colour spaces by the codes of ITU-T H.273, as Chromium understands them in PNG and AVIF. Does not use Django."""

import numpy as np

from annotation.language import gettext_noop
from annotation.photos.colour import ColourTransform, colour_of_primaries
from annotation.photos.icc_profile import SRGB, Curve, Floats, Primaries, power, srgb_to_linear
from annotation.photos.rejected import PhotoRejected

# H.273, table 2: x and y of white, red, green and blue.
_PRIMARIES: dict[int, Primaries] = {
    1: SRGB,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (0.310, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (0.3127, 0.3290, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
_XYZ = 10
_HDR = {16, 18}  # PQ and HLG


def _smpte_240(values: Floats) -> Floats:
    return np.where(values < 0.0913, values / 4, ((values + 0.1115) / 1.1115) ** (1 / 0.45))


def _smpte_428(values: Floats) -> Floats:
    return np.minimum(1, 52.37 / 48 * values**2.6)


# H.273, table 3: the curve of a transfer function. Chromium shows those for video (1, 6, 11, 14, 15) as a television
# does in a PNG, with a power of 2.4, and as if they were sRGB in an AVIF.
_CURVES: dict[int, Curve] = {
    4: power(2.2),
    5: power(2.8),
    7: _smpte_240,
    8: power(1.0),
    13: srgb_to_linear,
    17: _smpte_428,
}
_PNG_CURVES = _CURVES | dict.fromkeys((1, 6, 11, 14, 15), power(2.4))
_AVIF_CURVES = _CURVES | dict.fromkeys((1, 6, 14, 15), srgb_to_linear)
_AVIF_NOT_SHOWN = {9, 10, 11, 12}
_AVIF_RESERVED = {0, 3}


def png_codes_transform(codes: bytes, mode: str) -> ColourTransform | None:
    """Return how to convert a PNG with the chunk cICP to sRGB; None when nothing is to be done.

    codes: primaries, transfer function, matrix, whether the range is full. Raises LookupError when Chromium ignores the
    chunk, and PhotoRejected when it cannot show the picture or shows it differently on every screen.
    """
    if len(codes) != 4:
        raise LookupError
    primaries, transfer, matrix, is_full = codes
    if matrix != 0:
        raise PhotoRejected(gettext_noop("Its colour codes (chunk cICP) are wrong: browsers do not show it."))
    if is_full != 1:
        raise LookupError
    if primaries == _XYZ:
        raise PhotoRejected(gettext_noop("Its colours are coded as XYZ (chunk cICP). Export it as sRGB."))
    if primaries in _PRIMARIES:
        _hdr_check(transfer)
    return colour_of_primaries(_PRIMARIES[primaries], _PNG_CURVES[transfer], mode)


def avif_codes_transform(primaries: int, transfer: int, mode: str) -> ColourTransform | None:
    """Return how to convert an AVIF with these codes to sRGB; None when nothing is to be done.

    Raises PhotoRejected when Chromium cannot show the picture or shows it differently on every screen.
    """
    _hdr_check(transfer)
    if transfer in _AVIF_NOT_SHOWN or primaries == _XYZ:
        raise PhotoRejected(gettext_noop("Browsers do not show an AVIF with its colour codes. Export it as sRGB."))
    if transfer in _AVIF_RESERVED:
        return None
    curve = _AVIF_CURVES.get(transfer, srgb_to_linear)
    return colour_of_primaries(_PRIMARIES.get(primaries, SRGB), curve, mode)


def _hdr_check(transfer: int) -> None:
    """Raise PhotoRejected for the two curves of high dynamic range.

    How bright such a picture is depends on the screen, so people and models cannot see the same one.
    """
    if transfer in _HDR:
        raise PhotoRejected(
            gettext_noop("The photo has a high dynamic range (HDR). Export it with a standard range, as sRGB.")
        )
