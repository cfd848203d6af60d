"""Storing photos: files named by content, one row per campaign, near-duplicates in one group."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from annotation.models import Campaign, Image, ImportBatch
from annotation.photos.decoding import PhotoFacts
from annotation.photos.near_duplicates import NearDuplicates
from annotation.photos.sandboxed_inspection import photo_inspect_apart
from annotation.photos.site_sandbox import site_sandbox
from annotation.photos.storage import photo_file_write, photo_name, thumbnail_name


@dataclass(frozen=True)
class StoredPhoto:
    """A photo whose file is stored and whose row is not written yet."""

    name: str
    sha256: str
    byte_size: int
    facts: PhotoFacts
    details: Mapping[str, Any] = field(default_factory=dict)


_GONE = ("withdrawn_at", "original_deleted_at")


class KnownContent(NamedTuple):
    """What an import needs to know about a photo to check its stored files."""

    suffix: str
    phash: int
    refusal: str = ""
    """Why the photo cannot be imported again, as a sentence, or ""."""


class CampaignPhotos:
    """The contents, perceptual hashes and groups of a campaign's photos, in memory.

    An import loads them once and refreshes them before each insert, so that concurrent imports see each other's photos.
    Takes about 400 bytes per photo.
    """

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self.contents: dict[bytes, KnownContent] = {}
        self._hashes = NearDuplicates()
        self._groups: list[tuple[uuid.UUID, str]] = []
        self._last_id = 0

    def refresh(self) -> list[Image]:
        """Read the photos added since the last call, and return them (a few columns only)."""
        fresh = Image.objects.filter(campaign=self.campaign, pk__gt=self._last_id).order_by("pk")
        fresh = fresh.only("pk", "sha256", "suffix", "phash", "group", "split", "batch_id", *_GONE)
        rows = list(fresh.iterator(chunk_size=5000))
        for row in rows:
            self.contents[bytes.fromhex(row.sha256)] = KnownContent(row.suffix, row.phash, _refusal(row))
            self._hashes.add(row.phash)
            self._groups.append((row.group, row.split))
            self._last_id = row.pk
        return rows

    def add(self, photo: StoredPhoto, campaign: Campaign) -> tuple[uuid.UUID, str]:
        """Add a new photo, and return its group and split.

        A near-duplicate joins the group and split of the photo that it resembles most, mirrored or not. Any other photo
        gets a new group, and the campaign's seed decides the split of the group. Copies that only their features show
        join later (`annotation.services.photo_groups`).
        """
        near = self._hashes.closest(photo.facts.phash)
        if near is None:
            group = _new_group(campaign, photo.sha256)
            split = Image.Split.HOLDOUT if is_holdout(campaign, group) else Image.Split.TRAIN
            group_and_split = (group, str(split))
        else:
            group_and_split = self._groups[near]
        self._hashes.add(photo.facts.phash)
        self._groups.append(group_and_split)
        return group_and_split

    def truncate(self, count: int) -> None:
        """Remove all but the first `count` photos. `refresh` then reads the rows that were really written."""
        self._hashes.truncate(count)
        del self._groups[count:]

    def __len__(self) -> int:
        return len(self._groups)


def _refusal(image: Image) -> str:
    if image.withdrawn_at is not None:
        when = timezone.localtime(image.withdrawn_at)
        return (
            f"This photo was withdrawn from the campaign on {when:%-d %b %Y}. While its files exist, a reviewer can "
            "put it back on the page of withdrawn photos."
        )
    if image.original_deleted_at is not None:
        when = timezone.localtime(image.original_deleted_at)
        return f"The original of this photo was deleted for good on {when:%-d %b %Y}."
    return ""


def photo_facts(data: bytes) -> PhotoFacts:
    """Decode a photo within the site's limits, and return its properties and its thumbnail. Raises PhotoRejected."""
    return photo_inspect_apart(data, sandbox=site_sandbox(), max_pixels=settings.IQS_MAX_PIXELS)


def photo_store(*, name: str, data: bytes, details: Mapping[str, Any] | None = None) -> StoredPhoto:
    """Check a photo, and write its original bytes and a thumbnail to the photo storage.

    Uses no table and is thread-safe. Storing the same bytes again changes nothing. Raises PhotoRejected when the bytes
    are not a valid photo or take too much memory or time to decode, and OSError when the storage cannot write the
    files. The bytes of stored photos can be decoded within the limits.
    """
    facts = photo_facts(data)
    digest = sha256(data).hexdigest()
    photo_file_write(photo_name(digest, facts.suffix), data)
    photo_file_write(thumbnail_name(digest), facts.thumbnail)
    return StoredPhoto(name, digest, len(data), facts, details or {})


@transaction.atomic
def images_add(*, batch: ImportBatch, photos: Sequence[StoredPhoto], known: CampaignPhotos) -> int:
    """Write the rows of the photos that are new in the campaign, and return how many there were.

    Locks the campaign: concurrent imports wait for each other, because each must see the groups of the other.
    """
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=batch.campaign_id)
    known.refresh()
    before = len(known)
    fresh: dict[bytes, Image] = {}
    for photo in photos:
        digest = bytes.fromhex(photo.sha256)
        if digest in known.contents or digest in fresh:
            continue
        group, split = known.add(photo, campaign)
        votes = campaign.holdout_votes if split == Image.Split.HOLDOUT else campaign.votes_per_image
        fresh[digest] = Image(
            campaign=campaign,
            batch=batch,
            name=photo.name,
            sha256=photo.sha256,
            suffix=photo.facts.suffix,
            byte_size=photo.byte_size,
            width=photo.facts.width,
            height=photo.facts.height,
            phash=photo.facts.phash,
            group=group,
            split=split,
            votes_needed=votes,
            open_slots=votes,
            queue_position=_uniform("queue", campaign.seed, photo.sha256),
            details=dict(photo.details),
        )
    # Other code may insert rows without the lock above. So PostgreSQL resolves conflicts, and the rows are read back.
    Image.objects.bulk_create(fresh.values(), ignore_conflicts=True)
    known.truncate(before)
    added = sum(row.batch_id == batch.pk for row in known.refresh())
    if added and campaign.data_deleted_at is not None:  # the retention time has ended: these photos are due at once
        Campaign.objects.filter(pk=campaign.pk).update(data_deleted_at=None)
    return added


def is_holdout(campaign: Campaign, group: uuid.UUID) -> bool:
    """Return whether a group of near-duplicates belongs to the holdout. Depends only on the seed and the group."""
    return _uniform("holdout", campaign.seed, group.hex) < campaign.holdout_fraction


def _new_group(campaign: Campaign, digest: str) -> uuid.UUID:
    """Return the id of a new group for a photo. The same photo, slug and seed always give the same id."""
    return uuid.UUID(bytes=blake2b(f"{campaign.slug}:{campaign.seed}:{digest}".encode(), digest_size=16).digest())


def _uniform(purpose: str, seed: int, key: str) -> float:
    """Return a number in [0, 1), uniform over keys. The same purpose, seed and key always give the same number."""
    digest = blake2b(f"{purpose}:{seed}:{key}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53
