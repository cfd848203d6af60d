"""Colour profiles: from the colours of a file to sRGB, as Chromium converts them. Does not use Django.

A profile is examined once per process. One that changes no colour by more than a level, such as the many editions of
sRGB, costs nothing afterwards.
"""

import io
import struct
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from annotation.photos.icc_profile import SRGB, Curve, Primaries, matrix_profile, srgb_profile, srgb_to_linear

_KEPT = 64  # profiles in memory
_SAME = 1  # grey levels; a profile whose colours all stay this near is sRGB
# Grey levels. A picture can be reduced before the conversion when no grey moves further than this; a profile that moves
# them further has another curve, and the mean of two of its values is not the value of the mean.
_MILD = 8
_CHANNELS = {"L": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}


@dataclass(frozen=True)
class ColourTransform:
    """A conversion to sRGB for pictures of one mode: L, RGB or CMYK.

    is_mild: whether reducing a picture before the conversion gives nearly the same as after it.
    """

    mode: str
    is_mild: bool
    _convert: Callable[[Image.Image], Image.Image]

    def apply(self, picture: Image.Image) -> Image.Image:
        """Return a picture of any mode in RGB."""
        return self._convert(picture.convert(self.mode))


class ProfileUnusable(Exception):
    """The bytes are no colour profile for pictures of this mode, or a damaged one."""


class _Cache:
    """The transforms used last, by digest of the profile. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[bytes, str], ColourTransform | ProfileUnusable | None] = OrderedDict()

    def get(self, profile: bytes, mode: str) -> ColourTransform | None:
        key = blake2b(profile, digest_size=16).digest(), mode
        with self._lock:
            known = key in self._known
            if known:
                self._known.move_to_end(key)
                found = self._known[key]
        if not known:
            try:
                found = _transform(profile, mode)
            except ProfileUnusable as error:
                found = error
            with self._lock:
                self._known[key] = found
                if len(self._known) > _KEPT:
                    self._known.popitem(last=False)
        if isinstance(found, ProfileUnusable):
            raise found
        return found


_cache = _Cache()


def profile_transform(profile: bytes, mode: str) -> ColourTransform | None:
    """Return how to convert a picture with this profile to sRGB; None when nothing is to be done.

    mode: L, RGB or CMYK. Raises ProfileUnusable for a profile that Chromium does not use either.
    """
    if not profile or not _has_right_header(profile, mode):
        raise ProfileUnusable
    return _cache.get(profile, mode)


def colour_transform(profile: bytes, mode: str) -> ColourTransform | None:
    """Do the same as `profile_transform`, and return None for a profile that cannot be used."""
    try:
        return profile_transform(profile, mode)
    except ProfileUnusable:
        return None


def colour_of_primaries(primaries: Primaries, curve: Curve, mode: str) -> ColourTransform | None:
    """Return how to convert a picture with these primaries and this curve to sRGB; None when nothing is to be done."""
    if primaries == SRGB and curve is srgb_to_linear:
        return None
    try:
        return colour_transform(matrix_profile(primaries, curve), mode)
    except ValueError:
        return None


def _has_right_header(profile: bytes, mode: str) -> bool:
    """Return whether the header is one of a profile for pictures of this mode."""
    if len(profile) < 132 or profile[36:40] != b"acsp" or profile[8] > 4:
        return False
    if int.from_bytes(profile[:4], "big") > len(profile):
        return False
    space = profile[16:20]
    if space == b"GRAY":
        return mode == "L" and profile[20:24] == b"XYZ "
    return space == _CHANNELS[mode] or (mode == "L" and space == b"RGB ")


def _transform(profile: bytes, mode: str) -> ColourTransform | None:
    source = "RGB" if profile[16:20] == b"RGB " else mode
    if source == "L":
        return _grey_transform(profile)
    transform = _built(profile, source, ImageCms.Flags.HIGHRESPRECALC)
    if source == "CMYK":
        return ColourTransform(source, False, partial(_converted, transform))
    levels = np.linspace(0, 255, 18).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
    if _largest_change(transform, colours) <= _SAME:
        return None
    greys = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    is_mild = _largest_change(transform, greys) <= _MILD
    return ColourTransform(source, is_mild, partial(_converted, transform))


def _grey_transform(profile: bytes) -> ColourTransform | None:
    """Return the conversion of grey values by a table. Little CMS's own table for them is five levels off."""
    ramp = np.arange(256, dtype=np.uint8)[None]
    transform = _built(profile, "L", ImageCms.Flags.NOOPTIMIZE)
    table = np.asarray(_converted(transform, Image.fromarray(ramp)))[0]
    change = np.abs(table.astype(int) - ramp.T).max()
    if change <= _SAME:
        return None
    columns = [table[:, channel].tolist() for channel in range(3)]
    return ColourTransform(
        "L", bool(change <= _MILD), lambda grey: Image.merge("RGB", [grey.point(column) for column in columns])
    )


def _built(profile: bytes, mode: str, flags: ImageCms.Flags) -> ImageCms.ImageCmsTransform:
    # Of the two tables that a profile may have, Chromium takes the first; Little CMS takes it for this intent only.
    tags = _tags(profile)
    has_second_only = b"A2B1" in tags and b"A2B0" not in tags
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC if has_second_only else ImageCms.Intent.PERCEPTUAL
    # Chromium does not look at the class of a profile. Little CMS refuses some classes.
    profile = profile[:12] + b"mntr" + profile[16:]
    if profile[20:24] == b"Lab ":
        profile = _with_lab_as_in_chromium(profile, tags)
    try:
        return ImageCms.buildTransform(
            io.BytesIO(profile), io.BytesIO(srgb_profile()), mode, "RGB", intent, flags=flags
        )
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise ProfileUnusable from error


def _tags(profile: bytes) -> dict[bytes, tuple[int, int]]:
    """Return start and length of each tag in a profile."""
    count = min(int.from_bytes(profile[128:132], "big"), (len(profile) - 132) // 12)
    entries = (struct.unpack_from(">4sII", profile, 132 + 12 * place) for place in range(count))
    return {name: (start, length) for name, start, length in entries}


def _with_lab_as_in_chromium(profile: bytes, tags: dict[bytes, tuple[int, int]]) -> bytes:
    """Return the profile with the Lab values of its tables of 16 bits scaled by 65280/65535.

    In such a table, 65280 stands for L = 100 (ICC.1:2022, section 10.10). Chromium takes 65535 for it, as in newer
    tables. All values pass through the output curves at the end of the table, so these are scaled.
    """
    changed = bytearray(profile)
    for name in (b"A2B0", b"A2B1"):
        start, length = tags.get(name, (0, 0))
        head = profile[start : start + 52]
        if length < 52 or not head.startswith(b"mft2"):
            continue
        inputs, outputs, grid = head[8:11]
        input_entries, output_entries = struct.unpack_from(">HH", head, 48)
        curves = start + 52 + 2 * (inputs * input_entries + grid**inputs * outputs)
        end = curves + 2 * outputs * output_entries
        if end <= min(start + length, len(profile)):
            values = np.frombuffer(profile[curves:end], ">u2") * (65280 / 65535)
            changed[curves:end] = np.round(values).astype(">u2").tobytes()
    return bytes(changed)


def _converted(transform: ImageCms.ImageCmsTransform, picture: Image.Image) -> Image.Image:
    converted = ImageCms.applyTransform(picture, transform)
    assert converted is not None  # only None when it changes the picture in place
    return converted


def _largest_change(transform: ImageCms.ImageCmsTransform, colours: NDArray[np.uint8]) -> int:
    after = np.asarray(_converted(transform, Image.fromarray(colours)))
    return int(np.abs(after.astype(int) - colours).max())
