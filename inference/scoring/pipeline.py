"""From files to features and distortions, as fast as the machine decodes. Pure: bytes in, arrays out.

Each thread takes a whole batch: it decodes, then runs the network on one core. So decoding in one
thread always runs beside the network in another, no thread waits for a slower one, and no photo is
held in memory that is not being worked on.
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

from annotation.photos.decoding import PhotoRejected, photo_open
from inference.distortion.combine import DistortionScores

BATCH = 4  # larger ones gain nothing on a CPU and make a killed worker lose more

T = TypeVar("T")


class Network(Protocol):
    """What turns pixels into features: `inference.scoring.predictor.Backbone`."""

    side: int

    def prepare(self, picture: Image.Image) -> NDArray[np.uint8]:
        """Return the pixels that the network sees, uint8."""
        ...

    def features(self, pixels: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return features float32 [N, D]."""
        ...


@dataclass(frozen=True)
class Sight:
    """What one photo gave; nothing but a reason where it could not be opened."""

    features: NDArray[np.float32] | None
    """float32 [D], rounded as they are stored: predicting again later gives the same numbers."""
    distortion: DistortionScores | None
    """None also where nobody asked for it."""
    reason: str = ""


def photos_see(
    batches: Iterable[Sequence[T]],
    *,
    source: Callable[[T], Path | IO[bytes]],
    network: Network | None,
    distortion: Callable[[Image.Image], DistortionScores] | None = None,
    max_pixels: int,
    threads: int,
) -> Iterator[list[tuple[T, Sight]]]:
    """Yield each batch with what its photos gave, in the order of the batches.

    `batches` is read one batch ahead of the threads and no further, so it may claim work as it goes.
    `network` None: no features. `distortion` measures the full-size picture; without it JPEG files
    are decoded no larger than the network needs. `source` is called in the threads; a file that it
    opens is closed here. A photo that cannot be opened, of whatever cause, carries its reason and
    disturbs no other.
    """

    def work(batch: Sequence[T]) -> list[tuple[T, Sight]]:
        return list(zip(batch, _see(batch, source, network, distortion, max_pixels), strict=True))

    with ThreadPoolExecutor(threads, thread_name_prefix="see") as pool:
        waiting: deque[Future[list[tuple[T, Sight]]]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(work, batch))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:  # whoever stopped listening does not wait for batches that nobody has begun
            for future in waiting:
                future.cancel()


def _see(
    items: Sequence[T],
    source: Callable[[T], Path | IO[bytes]],
    network: Network | None,
    distortion: Callable[[Image.Image], DistortionScores] | None,
    max_pixels: int,
) -> list[Sight]:
    pixels: list[NDArray[np.uint8]] = []
    sights: list[Sight] = []
    seen: list[int] = []
    for place, item in enumerate(items):
        try:
            picture = _opened(source(item), max_pixels, network.side if network and not distortion else 0)
            scores = distortion(picture) if distortion else None
            if network:
                pixels.append(network.prepare(picture))
                seen.append(place)
            sights.append(Sight(None, scores))
        except PhotoRejected as rejection:
            sights.append(Sight(None, None, str(rejection)))
        except OSError as error:
            sights.append(Sight(None, None, f"The file cannot be read: {error.strerror or error}."))
        except Exception as error:  # whatever it is, it is about this one file
            sights.append(Sight(None, None, f"{type(error).__name__}: {error}"))
    if network and pixels:
        vectors = network.features(pixels).astype("<f2").astype(np.float32)
        for place, vector in zip(seen, vectors, strict=True):
            sights[place] = Sight(vector, sights[place].distortion)
    return sights


def _opened(file: Path | IO[bytes], max_pixels: int, at_least: int) -> Image.Image:
    if isinstance(file, Path):
        return photo_open(file, max_pixels=max_pixels, at_least=at_least)
    with file:
        return photo_open(file, max_pixels=max_pixels, at_least=at_least)
