"""Photos of the same scene, found by the Hamming distance of their perceptual hashes. Knows no Django."""

import numpy as np
import numpy.typing as npt

from annotation.photos.decoding import NO_HASH

NEAR = 10
"""Bits of 64 by which the hashes of near-duplicates may differ.

Measured on 900 different photographs (Caltech-101 and ImageNet, 404,550 pairs): 3 pairs are that near,
and all three show the same scene twice; at 12 bits there are 5 pairs, two of them wrong. With mirrored
copies and quarters of the same photos (14.6 million pairs of unlike pictures) 1.8 pairs in a million.
Found again among copies of 300 of them: JPEG quality 20, half and double size, blur, noise and 40 % of
the brightness 100 %; brightness clipped at 120 % 99.7 %; a border of 1, 2, 3, 5 % cut off on every side
99.7, 98, 84, 30 %. A difference hash of 64 bits that finds as many of the
cropped copies has a hundred times as many wrong pairs.
"""


class NearDuplicates:
    """The perceptual hashes of one campaign, in the order of the photos' age.

    A search compares with every hash: 2 ms for a million of them.
    """

    def __init__(self) -> None:
        self._hashes: npt.NDArray[np.uint64] = np.empty(1024, dtype=np.uint64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, phash: int) -> None:
        """Append the hash of the next photo; the first one gets position 0."""
        if self._count == len(self._hashes):
            self._hashes = np.concatenate([self._hashes, np.empty_like(self._hashes)])
        self._hashes[self._count] = phash & 0xFFFF_FFFF_FFFF_FFFF
        self._count += 1

    def cut(self, count: int) -> None:
        """Forget all but the first `count` hashes."""
        self._count = min(self._count, count)

    def oldest(self, phash: int) -> int | None:
        """Return the position of the oldest photo that is near to this hash, or None.

        Flat pictures (NO_HASH) are near to nothing, not even to each other.
        """
        if phash == NO_HASH:
            return None
        others = self._hashes[: self._count]
        distances = np.bitwise_count(others ^ np.uint64(phash & 0xFFFF_FFFF_FFFF_FFFF))
        near = (distances <= NEAR) & (others != NO_HASH)
        position = int(near.argmax()) if self._count else 0
        return position if self._count and near[position] else None
