import numpy as np
from PIL import Image, ImageOps

from annotation.photos.decoding import NO_HASH, perceptual_hash
from annotation.photos.near_duplicates import (
    NEAR,
    Limits,
    Link,
    NearDuplicates,
    Photos,
    duplicate_links,
    groups_joined,
    hash_distances,
    unit_rows,
)
from tests.annotation.bad_files import scene

BASE = 0x0F0F_0F0F_0F0F_0F0F
LIMITS = Limits(0.8, 0.5)


def flipped(phash: int, bits: int) -> int:
    value = (phash & (2**64 - 1)) ^ ((1 << bits) - 1)
    return value - 2**64 if value >= 2**63 else value


def known(*hashes: int) -> NearDuplicates:
    found = NearDuplicates()
    for phash in hashes:
        found.add(phash)
    return found


def photos(hashes: list[int], features: np.ndarray, first: int = 1) -> Photos:
    ids = np.arange(first, first + len(hashes))
    return Photos(ids, np.array(hashes, dtype=np.int64), unit_rows(features.astype(np.float32)))


def test_finds_the_closest_photo_and_not_the_oldest() -> None:
    hashes = known(-(2**63), flipped(BASE, 8), flipped(BASE, 3))
    assert hashes.closest(BASE) == 2
    assert hashes.closest(flipped(-(2**63), NEAR)) == 0
    assert hashes.closest(BASE ^ (0b1111_1111_1111 << 40)) is None


def test_the_oldest_of_equally_near_photos_is_found() -> None:
    assert known(1 << 50, BASE ^ 1, BASE ^ 2).closest(BASE) == 1


def test_a_mirrored_picture_is_near_and_another_picture_is_not() -> None:
    pictures = [scene(seed, 480, 320) for seed in range(30)]
    hashes = np.array([perceptual_hash(picture) for picture in pictures])
    mirrored = np.array([perceptual_hash(ImageOps.mirror(picture)) for picture in pictures])
    distances, is_mirrored = hash_distances(hashes, mirrored)
    assert distances.diagonal().max() <= NEAR
    assert is_mirrored.diagonal().all()
    assert distances[~np.eye(30, dtype=bool)].min() > NEAR
    assert known(*hashes.tolist()).closest(int(mirrored[17])) == 17
    upside_down = perceptual_hash(ImageOps.flip(pictures[17]))
    assert known(*hashes.tolist()).closest(upside_down) is None


def test_empty_campaigns_and_flat_pictures_have_no_near_duplicates() -> None:
    hashes = NearDuplicates()
    assert hashes.closest(1) is None
    hashes.add(NO_HASH)
    assert hashes.closest(NO_HASH) is None
    assert hashes.closest(1) is None  # one bit away from the flat picture
    assert perceptual_hash(Image.new("RGB", (64, 64), "red")) == NO_HASH
    distances, _ = hash_distances(np.array([NO_HASH, BASE]), np.array([NO_HASH, -0x5555_5555_5555_5556]))
    assert distances[0].tolist() == [64, 64]  # the second is the mask of mirrored pictures
    assert distances[1, 0] == 64


def test_many_hashes_can_be_added_and_truncated() -> None:
    hashes = np.random.default_rng(0).integers(-(2**63), 2**63, 3000)
    found = known(*hashes.tolist())
    assert found.closest(int(hashes[2999])) == 2999
    found.truncate(2999)
    assert len(found) == 2999
    assert found.closest(int(hashes[2999])) is None


def test_links_match_a_direct_computation() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(700, 24))
    # Three copies of each photo, of which the third is less like the others. More rows than one chunk has.
    features = np.concatenate([centres + scale * rng.normal(size=centres.shape) for scale in (0.1, 0.3, 0.9)])
    hashes = rng.integers(-(2**63), 2**63, len(features))
    everything = photos(hashes.tolist(), features)
    links = list(duplicate_links(everything, everything, LIMITS))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    first, second = np.nonzero(np.tril(unit @ unit.T >= 0.8, -1))
    assert {(link.first, link.second) for link in links} == set(zip(first + 1, second + 1, strict=True))
    assert len(links) > 1000
    assert all(link.cosine is not None and link.cosine >= 0.8 for link in links)


def test_a_near_hash_counts_only_if_the_features_do_not_contradict() -> None:
    features = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    hashes = [BASE, BASE ^ 1, BASE ^ 2]
    links = duplicate_links(photos(hashes[:1], features[:1]), photos(hashes[1:], features[1:], first=2), LIMITS)
    assert [(link.second, link.bits, round(link.cosine or 0, 3)) for link in links] == [(2, 1, 0.6)]


def test_a_flat_picture_is_found_by_its_features_only() -> None:
    features = np.array([[1.0, 0.1], [1.0, 0.0], [0.6, 0.8]])
    flat = photos([NO_HASH] * 3, features)
    assert [(link.first, link.second, link.bits) for link in duplicate_links(flat, flat, LIMITS)] == [(2, 1, 64)]


def test_rows_without_the_centre_have_length_one_and_zeros_stay() -> None:
    rows = np.array([[3.0, 4.0], [1.0, 1.0]], dtype=np.float32)
    assert np.allclose(unit_rows(rows), [[0.6, 0.8], [0.5**0.5, 0.5**0.5]])
    assert np.allclose(unit_rows(rows, np.array([1.0, 1.0], dtype=np.float32)), [[0.5547, 0.83205], [0.0, 0.0]])


def test_a_chain_of_copies_becomes_one_group_by_its_nearest_links() -> None:
    chain = [Link(2, 1, cosine=0.9), Link(3, 2, cosine=0.95), Link(3, 1, cosine=0.85), Link(4, 3, cosine=0.81)]
    groups = {number: number for number in range(1, 6)}
    joins = groups_joined(chain, groups, dict.fromkeys(groups, 1), largest=10)
    assert [(link.first, link.second) for link in joins] == [(3, 2), (2, 1), (4, 3)]


def test_no_group_grows_beyond_the_largest_size() -> None:
    links = [Link(2, 1, cosine=0.9), Link(3, 2, cosine=0.99), Link(4, 3, cosine=0.98), Link(5, 4, cosine=0.97)]
    groups = {number: number for number in range(1, 6)}
    joins = groups_joined(links, groups, {1: 1, 2: 1, 3: 1, 4: 1, 5: 2}, largest=4)
    assert [(link.first, link.second) for link in joins] == [(3, 2), (4, 3), (2, 1)]  # the two of group 5 do not fit


def test_links_within_one_group_join_nothing() -> None:
    assert groups_joined([Link(2, 1, cosine=0.99)], {1: 7, 2: 7}, {7: 2}, largest=10) == []
