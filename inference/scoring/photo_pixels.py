"""The input pixels of photos for a network, decoded in several threads. Pure."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
from numpy.typing import NDArray

from annotation.photos.byte_budget import ByteBudget
from annotation.photos.decoding import PhotoRejected, photo_open
from inference.networks.transforms import pixels

T = TypeVar("T")
_AHEAD = 64  # photos whose pixels may wait for the caller


def photos_pixels(
    items: Sequence[T],
    *,
    source: Callable[[T], Path | IO[bytes]],
    side: int,
    interpolation: str,
    max_pixels: int,
    threads: int,
    budget: ByteBudget,
) -> Iterator[tuple[T, NDArray[np.uint8] | None]]:
    """Yield each photo with its pixels uint8 [side, side, 3], in order; None if it cannot be opened.

    The photos are those of a campaign, which were decoded within the limits when they were imported. `budget`: the
    memory for photos that the threads decode at the same time.
    """

    def read(item: T) -> NDArray[np.uint8] | None:
        try:
            file = source(item)
            with budget.hold() as reserve:
                picture = photo_open(
                    file, max_pixels=max_pixels, at_least=side, max_bytes=budget.total, reserve=reserve
                )
                return pixels(picture, side, interpolation)
        except (PhotoRejected, OSError, MemoryError):
            return None

    with ThreadPoolExecutor(threads, thread_name_prefix="pixels") as pool:
        for start in range(0, len(items), _AHEAD):
            some = items[start : start + _AHEAD]
            yield from zip(some, pool.map(read, some), strict=True)
