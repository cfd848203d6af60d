"""Photos are compared by their features once, in whatever order workers have seen them."""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Campaign, DuplicateLink, Image
from annotation.photos.near_duplicates import Limits
from inference.models import ComparedPhoto, Feature
from inference.networks.config import backbone_config
from inference.services import near_duplicates, similarity
from inference.services.near_duplicates import (
    Compared,
    campaigns_to_compare,
    comparisons_forget,
    near_duplicates_join,
)
from inference.serving import runtime
from tests.opinions_and_predictions import images_make

SIZE, START = 64, 8
RANDOM_HASHES = np.random.default_rng(5).integers(-(2**63), 2**63, 4000)


@pytest.fixture(autouse=True)
def _small_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the site's features 8 numbers, followed by a pooled layer of 64 numbers."""
    config = replace(backbone_config("efficientnet_lite0"), pooled_start=START, pooled_size=SIZE)
    monkeypatch.setattr(runtime, "backbone_chosen", lambda name: config)
    for module in (similarity, near_duplicates):
        monkeypatch.setattr(module, "backbone_key", lambda name: "small@0")


@pytest.fixture
def photos(campaign: Campaign) -> Callable[..., list[Image]]:
    """Return a function that stores photos with unlike hashes and these pooled features (None: none yet)."""

    def make(rows: Any, **fields: Any) -> list[Image]:
        images = images_make(campaign, len(rows), prefix=f"photo{Image.objects.count()}", **fields)
        for image in images:
            image.phash = int(RANDOM_HASHES[image.pk % 4000])
            image.save(update_fields=["phash"])
        features_make(images, rows)
        return images

    return make


def features_make(images: list[Image], rows: Any) -> None:
    noise = np.random.default_rng(1)
    for image, row in zip(images, rows, strict=True):
        if row is not None:
            vector = np.concatenate([noise.normal(size=START), row]).astype("<f2").tobytes()
            Feature.objects.create(image=image, backbone="small@0", state=Feature.State.DONE, vector=vector)


def scenes(count: int, seed: int = 0) -> Any:
    """Return features of different photos: not negative, as pooled activations are."""
    return np.random.default_rng(seed).exponential(size=(count, SIZE)) ** 2


def nothing_learned(image_ids: Collection[int]) -> set[int]:
    return set()


def compare(campaign: Campaign, **options: Any) -> Compared:
    return near_duplicates_join(campaign=campaign, learned_from=nothing_learned, **options)


def group(image: Image) -> Any:
    return Image.objects.values_list("group", flat=True).get(pk=image.pk)


def test_copies_join_and_other_photos_do_not(campaign: Campaign, photos: Any) -> None:
    rows = scenes(5)
    images = photos([*rows, rows[1] * 1.02 + 0.05])
    found = compare(campaign)
    assert (found.photos, found.links, found.joined.groups) == (6, 1, 1)
    assert group(images[5]) == group(images[1])
    assert len({group(image) for image in images}) == 5
    link = DuplicateLink.objects.get()
    assert (link.image_id, link.other_id) == (images[5].pk, images[1].pk)
    assert (link.cosine or 0) > 0.99


def test_photos_without_features_are_compared_when_they_have_some(campaign: Campaign, photos: Any) -> None:
    rows = scenes(3)
    old, other, late = photos([rows[0], rows[1], None])
    assert compare(campaign).photos == 2
    assert group(late) == late.group
    features_make([late], [rows[0]])
    assert compare(campaign) == Compared(1, 1, near_duplicates.JoinedGroups(groups=1))
    assert group(late) == group(old) != group(other)
    assert compare(campaign).photos == 0


def test_copies_found_later_are_compared_with_photos_in_every_chunk(
    campaign: Campaign, photos: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_duplicates, "_PHOTOS", 4)
    monkeypatch.setattr(near_duplicates, "_OTHERS", 3)
    rows = scenes(11)
    images = photos([*rows, *rows])
    steps: list[tuple[int, int]] = []
    assert compare(campaign, report=lambda done, total: steps.append((done, total))).joined.groups == 11
    assert steps == [(0, 22), (4, 22), (8, 22), (12, 22), (16, 22), (20, 22), (22, 22)]
    assert [group(image) for image in images[:11]] == [group(image) for image in images[11:]]


def test_a_chain_of_copies_is_one_group(campaign: Campaign, photos: Any) -> None:
    first, last, other = scenes(3)
    # Each step keeps a cosine above the limit; the ends are below it.
    steps = [first * (1 - share) + last * share for share in (0.0, 0.3, 0.6)]
    unit = [row / np.linalg.norm(row) for row in steps]
    assert unit[0] @ unit[2] < 0.85 < min(unit[0] @ unit[1], unit[1] @ unit[2])
    images = photos([steps[0], steps[2], other, steps[1]])
    compare(campaign)
    assert len({group(images[place]) for place in (0, 1, 3)}) == 1
    assert group(images[2]) == images[2].group


def test_mirrored_and_cropped_copies_are_found_by_hash_and_by_features(campaign: Campaign, photos: Any) -> None:
    rows = scenes(3)
    half_alike = rows[0] / np.linalg.norm(rows[0]) + 0.8 * rows[1] / np.linalg.norm(rows[1])
    photo, mirrored, cropped = photos([rows[0], half_alike, rows[0] * 1.1 + 0.1])
    mask = 0xAAAA_AAAA_AAAA_AAAA
    Image.objects.filter(pk=mirrored.pk).update(phash=_signed((photo.phash & (2**64 - 1)) ^ mask ^ 0b111))
    compare(campaign)
    assert group(photo) == group(mirrored) == group(cropped)
    links = {link.image_id: link for link in DuplicateLink.objects.all()}
    assert links[mirrored.pk].is_mirrored
    assert links[mirrored.pk].bits == 3
    assert not links[cropped.pk].is_mirrored


def test_large_campaigns_are_compared_without_what_all_photos_have_in_common(
    campaign: Campaign, photos: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = scenes(30) + 14.0  # cosines of different photos are above .85
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert np.median(unit @ unit.T) > 0.85
    images = photos([*rows, rows[3]])
    monkeypatch.setattr(near_duplicates, "FEWEST", 31)
    assert compare(campaign).joined.groups == 1
    assert group(images[30]) == group(images[3])


def test_an_unmeasured_backbone_joins_by_hashes_only(
    campaign: Campaign, photos: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_duplicates, "LIMITS", {"another": (Limits(0.8, 0.5), Limits(0.8, 0.5))})
    rows = scenes(3)
    photo, copy, same_hash = photos([rows[0], rows[0], rows[2]])
    Image.objects.filter(pk=same_hash.pk).update(phash=photo.phash ^ 0b11)
    compare(campaign)
    assert group(copy) == copy.group
    assert group(same_hash) == group(photo)


def test_withdrawn_photos_are_left_out_and_compared_when_they_are_back(campaign: Campaign, photos: Any) -> None:
    from django.utils import timezone

    rows = scenes(2)
    old, copy = photos([rows[0], rows[0]])
    Image.objects.filter(pk=old.pk).update(withdrawn_at=timezone.now())
    assert compare(campaign).joined.groups == 0
    Image.objects.filter(pk=old.pk).update(withdrawn_at=None)
    assert campaigns_to_compare() == [campaign.pk]
    assert compare(campaign).joined.groups == 1
    assert group(copy) == group(old)


def test_campaigns_wait_until_their_photos_have_features(
    campaign: Campaign, photos: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = scenes(3)
    *_, late = photos([rows[0], rows[1], None])
    work = Feature.objects.create(image=late, backbone="small@0", state=Feature.State.QUEUED)
    assert campaigns_to_compare() == []
    monkeypatch.setattr(near_duplicates, "_PHOTOS", 2)
    assert campaigns_to_compare() == [campaign.pk]  # enough for one comparison
    compare(campaign)
    assert campaigns_to_compare() == []
    Feature.objects.filter(pk=work.pk).update(state=Feature.State.FAILED)
    assert campaigns_to_compare() == []


def test_a_comparison_stops_and_another_call_goes_on(
    campaign: Campaign, photos: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_duplicates, "_PHOTOS", 2)
    rows = scenes(3)
    photos([*rows, rows[0]])
    assert compare(campaign, stop=lambda: ComparedPhoto.objects.exists()).photos == 2
    assert compare(campaign, seconds=-1).photos == 0
    assert compare(campaign).joined.groups == 1


def test_forgotten_comparisons_are_made_again(campaign: Campaign, photos: Any) -> None:
    photos(scenes(3))
    compare(campaign)
    comparisons_forget(campaign=campaign)
    assert compare(campaign).photos == 3


def test_the_number_of_queries_does_not_depend_on_the_number_of_photos(campaign: Campaign, photos: Any) -> None:
    counts = []
    for count in (3, 12):
        rows = scenes(count, seed=count)
        photos([*rows, *rows])
        with CaptureQueriesContext(connection) as queries:
            compare(campaign)
        counts.append(len(queries))
    assert counts[1] - counts[0] <= 9  # one update for each of the nine further groups


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value
