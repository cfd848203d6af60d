"""Groups of near-duplicates that are joined after the import, and their splits."""

import uuid
from collections.abc import Collection
from typing import Any

import pytest
from PIL import ImageOps

from annotation.models import AuditKind, AuditRecord, Campaign, DuplicateLink, Image, ImportBatch, SplitChange
from annotation.photos.near_duplicates import Link
from annotation.selectors.near_duplicates import duplicates_summary
from annotation.services import photo_groups
from annotation.services.images import CampaignPhotos, images_add, photo_store
from annotation.services.photo_groups import JoinedGroups, groups_join
from tests.annotation.bad_files import encoded, scene
from tests.opinions_and_predictions import images_make

TRAIN, HOLDOUT, NEITHER = Image.Split.values


def nothing_learned(image_ids: Collection[int]) -> set[int]:
    return set()


def everything_learned(image_ids: Collection[int]) -> set[int]:
    return set(image_ids)


def join(campaign: Campaign, *pairs: tuple[Image, Image], learned_from: Any = nothing_learned) -> JoinedGroups:
    links = [Link(first.pk, second.pk, bits=30, cosine=0.9) for first, second in pairs]
    return groups_join(campaign=campaign, links=links, learned_from=learned_from)


def splits(*images: Image) -> list[str]:
    return [Image.objects.get(pk=image.pk).split for image in images]


def groups(*images: Image) -> list[uuid.UUID]:
    return [Image.objects.get(pk=image.pk).group for image in images]


def test_a_mirrored_copy_joins_its_photo_at_the_import(campaign: Campaign) -> None:
    batch = ImportBatch.objects.create(campaign=campaign, source="/photos")
    picture = scene(3, 480, 320)
    files = {"photo": picture, "other": scene(4, 480, 320), "mirrored": ImageOps.mirror(picture)}
    photos = [photo_store(name=name, data=encoded(picture, quality=95)) for name, picture in files.items()]
    images_add(batch=batch, photos=photos, known=CampaignPhotos(campaign))
    found = dict(Image.objects.values_list("name", "group"))
    assert found["photo"] == found["mirrored"] != found["other"]


def test_a_photo_that_is_near_two_groups_joins_the_closest_at_the_import(campaign: Campaign) -> None:
    batch = ImportBatch.objects.create(campaign=campaign, source="/photos")
    stored = photo_store(name="copy", data=encoded(scene(3, 480, 320)))
    older, newer = images_make(campaign, 2)
    Image.objects.filter(pk=older.pk).update(phash=stored.facts.phash ^ 0b1111_1111)
    Image.objects.filter(pk=newer.pk).update(phash=stored.facts.phash ^ 0b11)
    images_add(batch=batch, photos=[stored], known=CampaignPhotos(campaign))
    assert Image.objects.get(name="copy").group == newer.group


def test_a_chain_of_copies_becomes_one_group_with_the_name_of_the_oldest(campaign: Campaign) -> None:
    first, second, third, apart = images_make(campaign, 4)
    joined = join(campaign, (second, third), (first, second))
    assert joined == JoinedGroups(groups=2)
    assert groups(first, second, third, apart) == [first.group] * 3 + [apart.group]
    assert DuplicateLink.objects.count() == 2
    assert not AuditRecord.objects.filter(kind=AuditKind.NEAR_DUPLICATES).exists()  # no photo changed its split


def test_whole_groups_are_joined(campaign: Campaign) -> None:
    first, second, third, fourth = images_make(campaign, 4)
    join(campaign, (first, second))
    join(campaign, (third, fourth))
    assert join(campaign, (fourth, second)) == JoinedGroups(groups=1)
    assert groups(first, second, third, fourth) == [first.group] * 4
    assert join(campaign, (fourth, second), (first, third)) == JoinedGroups()


def test_groups_in_both_splits_go_to_the_holdout_if_nothing_was_learned(campaign: Campaign) -> None:
    campaign.votes_per_image, campaign.holdout_votes = 2, 7
    campaign.save()
    train, other = images_make(campaign, 2)
    Image.objects.filter(campaign=campaign).update(votes_needed=2, open_slots=1)
    (holdout,) = images_make(campaign, 1, holdout=True, prefix="holdout")
    assert join(campaign, (holdout, train)) == JoinedGroups(groups=1, to_holdout=1)
    assert splits(train, holdout, other) == [HOLDOUT, HOLDOUT, TRAIN]
    train.refresh_from_db()
    assert (train.votes_needed, train.open_slots) == (7, 6)
    change = SplitChange.objects.get()
    assert (change.image_id, change.before, change.after) == (train.pk, TRAIN, HOLDOUT)
    record = AuditRecord.objects.get(kind=AuditKind.NEAR_DUPLICATES)
    assert record.campaign == campaign
    assert record.after == {"photos_to_holdout": 1, "photos_to_neither": 0}
    summary = duplicates_summary(campaign)
    assert (summary.joined, summary.to_holdout, summary.to_neither) == (1, 1, 0)


def test_groups_in_both_splits_go_to_neither_if_a_version_can_have_learned_from_them(campaign: Campaign) -> None:
    train, apart = images_make(campaign, 2)
    holdout, holdout_apart = images_make(campaign, 2, holdout=True, prefix="holdout")
    pairs = [(holdout, train), (holdout_apart, apart)]
    joined = join(campaign, *pairs, learned_from=lambda image_ids: {train.pk} & set(image_ids))
    assert joined == JoinedGroups(groups=2, to_holdout=1, to_neither=2)
    assert splits(train, holdout) == [NEITHER, NEITHER]
    assert splits(apart, holdout_apart) == [HOLDOUT, HOLDOUT]


def test_photos_of_neither_split_never_come_back(campaign: Campaign) -> None:
    train, new = images_make(campaign, 2)
    (holdout,) = images_make(campaign, 1, holdout=True, prefix="holdout")
    join(campaign, (holdout, train), learned_from=everything_learned)
    assert join(campaign, (new, holdout)) == JoinedGroups(groups=1, to_neither=1)
    assert splits(train, holdout, new) == [NEITHER] * 3


def test_a_new_photo_gets_the_split_of_a_group_in_neither(campaign: Campaign) -> None:
    batch = ImportBatch.objects.create(campaign=campaign, source="/photos")
    stored = photo_store(name="copy", data=encoded(scene(3, 480, 320)))
    (image,) = images_make(campaign, 1)
    Image.objects.filter(pk=image.pk).update(phash=stored.facts.phash ^ 1, split=NEITHER)
    images_add(batch=batch, photos=[stored], known=CampaignPhotos(campaign))
    copy = Image.objects.get(name="copy")
    assert (copy.group, copy.split, copy.votes_needed) == (image.group, NEITHER, campaign.votes_per_image)


def test_groups_do_not_grow_without_limit(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_groups, "LARGEST", 3)
    images = images_make(campaign, 6)
    join(campaign, *zip(images[1:], images[:-1], strict=True))
    sizes = sorted(Image.objects.filter(group=group).count() for group in set(groups(*images)))
    assert max(sizes) <= 3
    assert sum(sizes) == 6


def test_photos_of_another_campaign_are_left_alone(campaign: Campaign) -> None:
    (own,) = images_make(campaign, 1)
    (foreign,) = images_make(Campaign.objects.create(slug="other", name="Other"), 1)
    assert join(campaign, (own, foreign)) == JoinedGroups()
    assert groups(own, foreign) == [own.group, foreign.group]
