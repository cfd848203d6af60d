"""Writes ICC profiles for colour spaces that files name by numbers. Does not use Django.

Source: ICC.1:2001-04 (version 2), sections 6.1 and 6.5; ITU-T H.273 for the codes.
"""

import struct
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Primaries = tuple[float, ...]
"""x and y of white, red, green and blue: eight numbers."""

Curve = Callable[[Floats], Floats]
"""From coded values 0 … 1 to light 0 … 1."""

_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_ENTRIES = 4096  # of a curve

SRGB: Primaries = (0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)


def srgb_to_linear(values: Floats) -> Floats:
    """Return the light for coded values 0 … 1 (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def power(gamma: float) -> Curve:
    """Return the curve values ** gamma."""
    return lambda values: values**gamma


def matrix_profile(primaries: Primaries, curve: Curve) -> bytes:
    """Return a display profile of version 2. Its curve is shared by the three channels.

    Raises ValueError when the primaries span no colour space.
    """
    white, *corners = (np.array([x, y, 1 - x - y]) for x, y in zip(primaries[::2], primaries[1::2], strict=True))
    if white[1] <= 0:
        raise ValueError("The white point has no luminance.")
    white = white / white[1]
    try:
        matrix = np.stack(corners, axis=1)
        matrix = matrix * np.linalg.solve(matrix, white)
    except np.linalg.LinAlgError as error:
        raise ValueError("The primaries lie on a line.") from error
    adapt = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white)) @ _BRADFORD
    matrix = adapt @ matrix
    values = np.clip(np.round(65535 * curve(np.linspace(0, 1, _ENTRIES))), 0, 65535).astype(">u2").tobytes()
    coded = b"curv" + bytes(4) + struct.pack(">I", _ENTRIES) + values
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 4) + b"IQS\0" + bytes(78),
        b"cprt": b"text" + bytes(5),
        b"wtpt": _xyz(_D50),
        **{name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), matrix.T, strict=True)},
        b"rTRC": coded,
    }
    return _profile(tags)


@cache
def srgb_profile() -> bytes:
    """Return sRGB as a profile of version 2.

    Little CMS's own sRGB profile has version 4, which makes Little CMS move the black point of tables.
    """
    return matrix_profile(SRGB, srgb_to_linear)


def _xyz(values: Floats) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(float(value) * 65536)) for value in values)


def _profile(tags: dict[bytes, bytes]) -> bytes:
    """Return the profile; the three channels share the curve of red."""
    body = b""
    places = {}
    start = 128 + 4 + 12 * (len(tags) + 2)
    for name, value in tags.items():
        places[name] = (start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    places[b"gTRC"] = places[b"bTRC"] = places[b"rTRC"]
    table = b"".join(name + struct.pack(">II", *place) for name, place in places.items())
    head = struct.pack(">I4sI", start + len(body), b"lcms", 0x02400000) + b"mntrRGB XYZ "
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp"
    head = head.ljust(68, b"\0") + b"".join(struct.pack(">i", round(float(value) * 65536)) for value in _D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(places)) + table + body
