"""Decodes photos from outside in the sandbox, and computes there what scoring needs of their pixels. Pure.

So the full-size picture stays in the decoding process, and only the network's small input comes back.
"""

import io
import math
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotation.photos.decoding import MAX_PIXELS, PhotoRejected, photo_open
from annotation.photos.decoding_cost import MAX_BYTES, SMALL_BYTES, Reserve, unlimited
from annotation.photos.sandbox import STOPPED, Sandbox
from inference.distortion.combine import DistortionScores, distortions_measure
from inference.networks.transforms import pixels

_SECONDS_SMALL = 1.0  # of processor time; the photos that are left are read one at a time
_THUMBNAIL_SIDE = 480  # pixels of the long side: sharp at 240 on a dense screen


@dataclass(frozen=True)
class ReadPhoto:
    """What is computed from the pixels of a photo."""

    pixels: NDArray[np.uint8] | None
    """The network's input, uint8 [side, side, 3]; None without a network."""
    distortion: DistortionScores | None
    """None also if distortions are not measured."""


class Reader:
    """Reads photos in the sandbox. Safe to call from several threads."""

    def __init__(
        self, sandbox: Sandbox, *, side: int, interpolation: str, has_distortions: bool, max_pixels: int
    ) -> None:
        """Prepare. `side`, `interpolation`: as for `inference.networks.transforms.pixels`."""
        self._sandbox = sandbox
        self._side = side
        self._options: dict[str, Any] = {
            "side": side,
            "interpolation": interpolation,
            "has_distortions": has_distortions,
            "max_pixels": max_pixels,
            "max_bytes": sandbox.limits.max_bytes,
        }

    def one(self, source: Path | IO[bytes]) -> ReadPhoto:
        """Read the file at a path, or an open file, which is closed.

        Raises PhotoRejected with the reason, OSError when the file cannot be read, and SandboxError.
        """
        options = self._options | {"is_path": isinstance(source, Path)}
        result, parts = self._sandbox.call(f"{__name__}:read", options, [_bytes(source)])
        return self._photo(result, parts[0] if parts else b"")

    def several(self, paths: Sequence[Path]) -> dict[Path, ReadPhoto]:
        """Read small photos with one request, and return those without any difficulty.

        For all others, call `one`: it finds the reason, and harms no other photo. A request for each small photo would
        take a twentieth of the time that scoring it takes.
        """
        try:
            result, parts = self._sandbox.call(
                f"{__name__}:read_small", self._options, [_bytes(path) for path in paths]
            )
            found = zip(result["places"], result["photos"], parts, strict=True)
            return {paths[place]: self._photo(photo, part) for place, photo, part in found}
        except (PhotoRejected, OSError, ValueError, TypeError, KeyError, IndexError):
            return {}

    def _photo(self, result: dict[str, Any], part: bytes) -> ReadPhoto:
        """Return a photo of an answer. Raises PhotoRejected if the answer is none."""
        try:
            values = np.frombuffer(part, dtype=np.uint8).reshape(self._side, self._side, 3)
            return ReadPhoto(values, _scores(result["distortion"]) if self._options["has_distortions"] else None)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PhotoRejected(STOPPED) from error


def thumbnail_apart(path: Path, sandbox: Sandbox, *, max_pixels: int) -> bytes:
    """Return the thumbnail that `thumbnail_make` makes, made in the sandbox."""
    options = {"max_pixels": max_pixels, "max_bytes": sandbox.limits.max_bytes}
    _, parts = sandbox.call(f"{__name__}:thumbnail", options, [_bytes(path)])
    return parts[0] if parts else b""


def read(arguments: dict[str, Any], parts: list[bytes], reserve: Reserve) -> tuple[dict[str, Any], list[bytes]]:
    """Read a photo in a decoding process, which calls this function."""
    has_distortions, side = arguments["has_distortions"], arguments["side"]
    picture = photo_open(
        _source(arguments, parts),
        max_pixels=arguments["max_pixels"],
        at_least=0 if has_distortions else side,
        max_bytes=arguments["max_bytes"],
        reserve=reserve,
    )
    values = pixels(picture, side, arguments["interpolation"])
    result = {"distortion": _plain(distortions_measure(picture)) if has_distortions else None}
    return result, [values.tobytes()]


class _NotSmall(Exception):
    """The photo needs more memory than may be used without asking."""


def read_small(arguments: dict[str, Any], parts: list[bytes], reserve: Reserve) -> tuple[dict[str, Any], list[bytes]]:
    """Read small photos in a decoding process, which calls this function; leave out every photo with a difficulty."""

    def refuse(size: int) -> None:
        if size > SMALL_BYTES:
            raise _NotSmall

    began = time.process_time()
    places: list[int] = []
    photos, answer = [], []
    for place, path in enumerate(parts):
        if time.process_time() - began > _SECONDS_SMALL:
            break
        with suppress(Exception):
            result, values = read(arguments | {"is_path": True}, [path], refuse)
            places.append(place)
            photos.append(result)
            answer += values
    return {"places": places, "photos": photos}, answer


def thumbnail(arguments: dict[str, Any], parts: list[bytes], reserve: Reserve) -> tuple[dict[str, Any], list[bytes]]:
    """Make a thumbnail in a decoding process, which calls this function."""
    return {}, [thumbnail_make(Path(os.fsdecode(parts[0])), **arguments, reserve=reserve)]


def thumbnail_make(
    path: Path, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES, reserve: Reserve = unlimited
) -> bytes:
    """Return a thumbnail of a photo as WebP. Raises PhotoRejected, OSError and MemoryError as `photo_open` does."""
    picture = photo_open(path, max_pixels=max_pixels, at_least=_THUMBNAIL_SIDE, max_bytes=max_bytes, reserve=reserve)
    picture.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=80, method=2)
    return buffer.getvalue()


def _bytes(source: Path | IO[bytes]) -> bytes:
    """Return the path as bytes, or the content of an open file, which is closed."""
    if isinstance(source, Path):
        return os.fsencode(source.absolute())
    with source:
        return source.read()


def _source(arguments: dict[str, Any], parts: list[bytes]) -> Path | IO[bytes]:
    return Path(os.fsdecode(parts[0])) if arguments["is_path"] else io.BytesIO(parts[0])


def _plain(scores: DistortionScores) -> dict[str, float | str]:
    """Return the values as JSON holds them. JSON keeps every float exactly."""
    return {name: value if isinstance(value, str) else float(value) for name, value in asdict(scores).items()}


def _scores(values: dict[str, Any]) -> DistortionScores:
    """Return the scores of an answer. Raises ValueError, TypeError."""
    numbers = {name: value for name, value in values.items() if name != "quality_class"}
    if not all(math.isfinite(float(number)) for number in numbers.values()):
        raise ValueError("not finite")
    return DistortionScores(
        **{name: float(value) for name, value in numbers.items()}, quality_class=str(values["quality_class"])
    )
