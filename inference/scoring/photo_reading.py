"""Decodes photos from outside in the sandbox, and computes there what scoring needs of their pixels. Pure.

So the full-size picture stays in the decoding process, and only the network's small input comes back.
"""

import io
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotation.photos.decoding import MAX_PIXELS, PhotoRejected, photo_open
from annotation.photos.decoding_cost import MAX_BYTES, Reserve, unlimited
from annotation.photos.sandbox import STOPPED, Sandbox
from inference.distortion.combine import DistortionScores, distortions_measure
from inference.networks.transforms import pixels

_THUMBNAIL_SIDE = 480  # pixels of the long side: sharp at 240 on a dense screen


@dataclass(frozen=True)
class ReadPhoto:
    """What is computed from the pixels of a photo."""

    pixels: NDArray[np.uint8] | None
    """The network's input, uint8 [side, side, 3]; None without a network."""
    distortion: DistortionScores | None
    """None also if distortions are not measured."""


#: Decodes an open file or the file at a path. Raises PhotoRejected, and OSError when the file cannot be read.
Reader = Callable[[Path | IO[bytes]], ReadPhoto]


def sandbox_reader(
    sandbox: Sandbox, *, side: int, interpolation: str, has_distortions: bool, max_pixels: int
) -> Reader:
    """Return a reader that uses the sandbox. `side`, `interpolation`: as for `inference.networks.transforms.pixels`."""
    options = {
        "side": side,
        "interpolation": interpolation,
        "has_distortions": has_distortions,
        "max_pixels": max_pixels,
        "max_bytes": sandbox.limits.max_bytes,
    }

    def read(source: Path | IO[bytes]) -> ReadPhoto:
        result, parts = sandbox.call(f"{__name__}:read", options | _kind(source), [_bytes(source)])
        try:
            values = np.frombuffer(parts[0], dtype=np.uint8).reshape(side, side, 3)
            return ReadPhoto(values, _scores(result["distortion"]) if has_distortions else None)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            raise PhotoRejected(STOPPED) from error

    return read


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


def _kind(source: Path | IO[bytes]) -> dict[str, bool]:
    return {"is_path": isinstance(source, Path)}


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
