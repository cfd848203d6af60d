"""Computes features and distortions of files in several threads. Pure: bytes in, arrays out.

Photos of a campaign were decoded within the limits when they were imported, so they are decoded in this process. Other
files are read by a `Reader`, which uses the sandbox.

Each thread processes a whole batch: it decodes, then runs the network on one core. So decoding in one thread overlaps
with the network in another, no thread waits for a slower one, and only photos in progress are in memory.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotation.language import gettext_noop
from annotation.photos.byte_budget import ByteBudget
from annotation.photos.decoding import PhotoRejected, photo_open
from annotation.photos.decoding_cost import MAX_BYTES, Reserve
from inference.distortion.combine import DistortionScores
from inference.scoring.photo_reading import Reader, ReadPhoto

BATCH = 4  # larger batches are not faster on a CPU, and a killed worker would lose more

T = TypeVar("T")

_UNREAD = gettext_noop("The file cannot be read: %(error)s.")


class Network(Protocol):
    """A network that turns pixels into features: `inference.scoring.predictor.Backbone`."""

    side: int

    def prepare(self, picture: Image.Image) -> NDArray[np.uint8]:
        """Return the pixels for the network, uint8."""
        ...

    def features(self, pixels: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return features float32 [N, D]."""
        ...


@dataclass(frozen=True)
class PhotoResult:
    """Features and distortions of one photo, or the reason why it could not be opened."""

    features: NDArray[np.float32] | None
    """float32 [D], already rounded to float16, so that predictions from stored features are the same."""
    distortion: DistortionScores | None
    """None also if distortions are not measured."""
    reason: str = ""


def photos_extract(
    batches: Iterable[Sequence[T]],
    *,
    source: Callable[[T], Path | IO[bytes]],
    network: Network | None,
    distortion: Callable[[Image.Image], DistortionScores] | None = None,
    max_pixels: int,
    threads: int,
    budget: ByteBudget | None = None,
    reader: Reader | None = None,
) -> Iterator[list[tuple[T, PhotoResult]]]:
    """Yield each batch with the results of its photos, in the order of the batches.

    `batches` is read at most one batch ahead of the threads, so the iterator may claim work lazily. Without `network`,
    no features are computed. `distortion` measures the full-size picture; without it, JPEG files are decoded no larger
    than the network needs. `source` is called in the threads; files that it opens are closed here. If a photo cannot be
    opened, its result has the reason, and the others go on.

    `budget`: the memory for photos that the threads decode at the same time; a photo that needs more is not opened.
    `reader`: decodes the files instead of this process, and then decides about limits and distortions.
    """
    shared = budget or ByteBudget(MAX_BYTES)

    def read(file: Path | IO[bytes]) -> ReadPhoto:
        side = network.side if network and not distortion else 0
        with shared.hold() as reserve:
            picture = _opened(file, max_pixels, side, shared.total, reserve)
            return ReadPhoto(network.prepare(picture) if network else None, distortion(picture) if distortion else None)

    def work(batch: Sequence[T]) -> list[tuple[T, PhotoResult]]:
        return list(zip(batch, _extract(batch, source, network, reader.one if reader else read, reader), strict=True))

    with ThreadPoolExecutor(threads, thread_name_prefix="extract") as pool:
        waiting: deque[Future[list[tuple[T, PhotoResult]]]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(work, batch))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:  # when the caller stops early, batches that have not begun are cancelled
            for future in waiting:
                future.cancel()


def _extract(
    items: Sequence[T],
    source: Callable[[T], Path | IO[bytes]],
    network: Network | None,
    read: Callable[[Path | IO[bytes]], ReadPhoto],
    reader: Reader | None,
) -> list[PhotoResult]:
    pixels: list[NDArray[np.uint8]] = []
    places: list[int] = []  # indices of the photos in `pixels`
    results: list[PhotoResult] = []
    early: dict[Path, ReadPhoto] = {}
    if reader and len(items) > 1:
        early = reader.several([file for item in items if isinstance(file := source(item), Path)])
    for place, item in enumerate(items):
        try:
            file = source(item)
            photo = early.get(file) if isinstance(file, Path) else None
            photo = photo or read(file)
            if photo.pixels is not None:
                pixels.append(photo.pixels)
                places.append(place)
            results.append(PhotoResult(None, photo.distortion))
        except PhotoRejected as rejection:
            results.append(PhotoResult(None, None, str(rejection)))
        except OSError as error:
            results.append(PhotoResult(None, None, _UNREAD % {"error": error.strerror or error}))
        except Exception as error:  # any error affects this file only
            results.append(PhotoResult(None, None, f"{type(error).__name__}: {error}"))
    if network and pixels:
        vectors = network.features(pixels).astype("<f2").astype(np.float32)
        for place, vector in zip(places, vectors, strict=True):
            results[place] = PhotoResult(vector, results[place].distortion)
    return results


def _opened(file: Path | IO[bytes], max_pixels: int, at_least: int, max_bytes: int, reserve: Reserve) -> Image.Image:
    if isinstance(file, Path):
        return photo_open(file, max_pixels=max_pixels, at_least=at_least, max_bytes=max_bytes, reserve=reserve)
    with file:
        return photo_open(file, max_pixels=max_pixels, at_least=at_least, max_bytes=max_bytes, reserve=reserve)
