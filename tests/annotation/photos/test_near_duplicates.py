import numpy as np

from annotation.photos.decoding import NO_HASH
from annotation.photos.near_duplicates import NEAR, NearDuplicates


def flipped(phash: int, bits: int) -> int:
    value = (phash & (2**64 - 1)) ^ ((1 << bits) - 1)
    return value - 2**64 if value >= 2**63 else value


def test_finds_the_oldest_photo_within_the_threshold() -> None:
    known = NearDuplicates()
    for phash in (-(2**63), 0x0F0F_0F0F_0F0F_0F0F, flipped(0x0F0F_0F0F_0F0F_0F0F, 3)):
        known.add(phash)
    assert known.oldest(flipped(0x0F0F_0F0F_0F0F_0F0F, NEAR)) == 1
    assert known.oldest(flipped(-(2**63), NEAR)) == 0
    assert known.oldest(flipped(0x0F0F_0F0F_0F0F_0F0F, NEAR) ^ (0b111111 << 40)) is None


def test_empty_campaigns_and_flat_pictures_have_no_near_duplicates() -> None:
    known = NearDuplicates()
    assert known.oldest(1) is None
    known.add(NO_HASH)
    assert known.oldest(NO_HASH) is None
    assert known.oldest(1) is None  # one bit away from the flat picture


def test_many_hashes_can_be_added_and_truncated() -> None:
    hashes = np.random.default_rng(0).integers(-(2**63), 2**63, 3000)
    known = NearDuplicates()
    for phash in hashes:
        known.add(int(phash))
    assert known.oldest(int(hashes[2999])) == 2999
    known.truncate(2999)
    assert len(known) == 2999
    assert known.oldest(int(hashes[2999])) is None
