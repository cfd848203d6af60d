"""Finds photos of the same scene, by perceptual hashes and by features. Does not use Django.

A hash exists as soon as a photo is imported. It finds copies of another size, compression or brightness, mirrored
copies, and copies from which a narrow border was cut. Features exist after a worker has looked at the photo. They also
find copies from which a large part was cut. `benchmarks/near_duplicates.py` measures both.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from annotation.photos.decoding import NO_HASH

NEAR = 10
"""Maximum number of different bits (of 64) between the hashes of near-duplicates.

False matches, measured on 900 different photographs (Caltech-101 and ImageNet, 404,550 pairs): 3 pairs are this near,
and all three show the same scene twice; at 12 bits there are 5 pairs, two of them wrong. With mirrored copies and
quarters of the same photos (14.6 million pairs of different pictures), 1.8 pairs in a million are this near.

Copies found, measured on 300 of these photographs: 100 % for JPEG quality 20, half and double size, blur, noise, and
40 % brightness; 99.7 % for brightness clipped at 120 %; 99.7, 98, 84, 30 % for a border of 1, 2, 3, 5 % cropped on
every side. A difference hash of 64 bits that finds as many cropped copies has a hundred times as many wrong pairs.
"""

_ALL_BITS = 0xFFFF_FFFF_FFFF_FFFF
# Bits of the frequencies with an odd number of half waves from left to right.
_ODD_COLUMNS = np.uint64(0xAAAA_AAAA_AAAA_AAAA)
_ROWS_AT_ONCE = 1024  # of a matrix of cosines

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Link:
    """Two photos that show the same scene, and how near they are."""

    first: int
    second: int
    bits: int | None = None
    """Different bits of the hashes (of 64), the fewer of the two ways; None if the hashes were not compared."""
    is_mirrored: bool = False
    """Whether the hash of the mirrored picture was nearer."""
    cosine: float | None = None
    """Cosine of the features; None if they were not compared."""


class Photos(NamedTuple):
    """Photos as columns."""

    ids: npt.NDArray[np.int64]
    """[N]"""
    hashes: npt.NDArray[np.int64]
    """[N], signed; NO_HASH for flat pictures"""
    features: Rows
    """Pooled features [N, P], rows of length one (`unit_rows`)."""


class Limits(NamedTuple):
    """From which cosine of their features two photos are near-duplicates."""

    cosine: float
    cosine_with_hash: float
    """For photos whose hashes are near. A near hash alone joins a few different photos in a million pairs."""


class NearDuplicates:
    """The perceptual hashes of one campaign, oldest photo first.

    A search compares with every hash, which takes 4 ms for a million hashes.
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
        self._hashes[self._count] = phash & _ALL_BITS
        self._count += 1

    def truncate(self, count: int) -> None:
        """Remove all but the first `count` hashes."""
        self._count = min(self._count, count)

    def closest(self, phash: int) -> int | None:
        """Return the position of the photo whose hash is nearest to this one, mirrored or not, or None.

        Of equally near photos the oldest. Flat pictures (NO_HASH) have no near-duplicates, not even each other.
        """
        if phash == NO_HASH or not self._count:
            return None
        distances, _ = hash_distances(np.array([phash]), self._hashes[: self._count])
        position = int(distances[0].argmin())
        return position if distances[0, position] <= NEAR else None


def hash_distances(
    hashes: npt.NDArray[np.integer], others: npt.NDArray[np.integer]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return the number of different bits [N, M] between two sets of hashes, and where the mirrored picture is nearer.

    The hash of a mirrored picture needs no second hash: mirroring changes the sign of each odd horizontal frequency.
    So these bits are inverted. The median, to which the hash compares, changes little: of 250 mirrored photographs, 247
    differ in at most 10 bits.
    Flat pictures have distance 64.
    """
    own, other = hashes.astype(np.uint64)[:, None], others.astype(np.uint64)[None]
    direct, mirrored = np.bitwise_count(own ^ other), np.bitwise_count(own ^ other ^ _ODD_COLUMNS)
    flat = (own == np.uint64(NO_HASH)) | (other == np.uint64(NO_HASH))
    return np.where(flat, np.uint8(64), np.minimum(direct, mirrored)), mirrored < direct


def duplicate_links(photos: Photos, others: Photos, limits: Limits) -> Iterator[Link]:
    """Yield a link for each pair of a photo [N] and another photo [M] that show the same scene.

    The others may contain the photos themselves: then a pair of them comes once. Takes memory for 1024 × M numbers.
    """
    for start in range(0, len(photos.ids), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        bits, mirrored = hash_distances(photos.hashes[rows], others.hashes)
        cosines = photos.features[rows] @ others.features.T
        found = (cosines >= limits.cosine) | ((bits <= NEAR) & (cosines >= limits.cosine_with_hash))
        place, other = np.nonzero(found)
        first, second = photos.ids[rows][place], others.ids[other]
        keep = (first > second) | ~np.isin(second, photos.ids)
        keep &= first != second
        for row, column in zip(place[keep].tolist(), other[keep].tolist(), strict=True):
            yield Link(
                int(photos.ids[start + row]),
                int(others.ids[column]),
                bits=int(bits[row, column]),
                is_mirrored=bool(mirrored[row, column] and bits[row, column] <= NEAR),
                cosine=float(cosines[row, column]),
            )


def unit_rows(features: npt.NDArray[np.float32], centre: npt.NDArray[np.float32] | None = None) -> Rows:
    """Return the rows [N, P] minus `centre` [P], divided by their length; rows of zeros stay zero.

    Without what all photos of a campaign have in common, the cosine tells similar photos from copies better: in 120
    photographs of watches (7,140 pairs), 3 pairs are nearer than the copies with 70 % of the area, instead of 7.
    """
    rows = features if centre is None else features - centre
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    result: Rows = rows / np.maximum(lengths, np.finfo(np.float32).tiny)
    return result


def groups_joined(
    links: Sequence[Link], group_of: Mapping[int, int], sizes: Mapping[int, int], *, largest: int
) -> list[Link]:
    """Return the links that join groups, nearest first: one fewer than the groups that become one.

    group_of: the group of each linked photo. sizes: the number of photos in each group. A link that would make a group
    of more than `largest` photos is left out: photos that are only alike would hang together in a long chain.
    """
    parent = dict.fromkeys(sizes)
    size = dict(sizes)

    def root(group: int) -> int:
        while (above := parent[group]) is not None:
            group = above
        return group

    chosen = []
    for link in sorted(links, key=lambda link: -(link.cosine or 0.0)):
        first, second = root(group_of[link.first]), root(group_of[link.second])
        if first != second and size[first] + size[second] <= largest:
            smaller, larger = sorted((first, second), key=lambda group: (size[group], group))
            parent[smaller] = larger
            size[larger] += size[smaller]
            chosen.append(link)
    return chosen
