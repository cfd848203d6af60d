"""Keeping photos: their bytes by content, their rows once per campaign, near-duplicates in one group."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from typing import Any

from django.conf import settings
from django.db import transaction

from annotation.models import Campaign, Image, ImportBatch
from annotation.photos.decoding import PhotoFacts, photo_inspect
from annotation.photos.near_duplicates import NearDuplicates
from annotation.photos.storage import photo_file_write, photo_name, thumbnail_name


@dataclass(frozen=True)
class StoredPhoto:
    """A photo whose bytes are kept already and whose row is still to be written."""

    name: str
    sha256: str
    byte_size: int
    facts: PhotoFacts
    details: Mapping[str, Any] = field(default_factory=dict)


class CampaignPhotos:
    """What a campaign holds already: which contents, which hashes, which groups.

    Loaded once for an import and topped up before each insert, so that imports running at the same
    time see each other's photos. Takes about 300 bytes per photo.
    """

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self.digests: set[bytes] = set()
        self._hashes = NearDuplicates()
        self._groups: list[tuple[uuid.UUID, str]] = []
        self._last_id = 0

    def refresh(self) -> list[Image]:
        """Read the photos that were added since the last call, and return them (a few columns only)."""
        fresh = Image.objects.filter(campaign=self.campaign, pk__gt=self._last_id).order_by("pk")
        fresh = fresh.only("pk", "sha256", "phash", "group", "split", "batch_id")
        rows = list(fresh.iterator(chunk_size=5000))
        for row in rows:
            self.digests.add(bytes.fromhex(row.sha256))
            self._hashes.add(row.phash)
            self._groups.append((row.group, row.split))
            self._last_id = row.pk
        return rows

    def place(self, photo: StoredPhoto, campaign: Campaign) -> tuple[uuid.UUID, str]:
        """Return group and split of a new photo, and remember it as the newest one.

        It joins the group of the oldest photo that it nearly duplicates, with that group's split. Else
        it founds a group, for which the campaign's seed draws the split.
        """
        near = self._hashes.oldest(photo.facts.phash)
        if near is None:
            group = _group_founded(campaign, photo.sha256)
            split = Image.Split.HOLDOUT if holdout_drawn(campaign, group) else Image.Split.TRAIN
            placed = (group, str(split))
        else:
            placed = self._groups[near]
        self._hashes.add(photo.facts.phash)
        self._groups.append(placed)
        return placed

    def forget_from(self, count: int) -> None:
        """Drop what `place` remembered beyond the first `count` photos; `refresh` brings it back as stored."""
        self._hashes.cut(count)
        del self._groups[count:]

    def __len__(self) -> int:
        return len(self._groups)


def photo_store(*, name: str, data: bytes, details: Mapping[str, Any] | None = None) -> StoredPhoto:
    """Check a photo and keep its original bytes and a thumbnail in the photo storage.

    Touches no table; several threads may call it. Storing the same bytes again changes nothing.
    Raises PhotoRejected when the bytes are no photo, and OSError when the storage does not take them.
    """
    facts = photo_inspect(data, max_pixels=settings.IQS_MAX_PIXELS)
    digest = sha256(data).hexdigest()
    photo_file_write(photo_name(digest, facts.suffix), data)
    photo_file_write(thumbnail_name(digest), facts.thumbnail)
    return StoredPhoto(name, digest, len(data), facts, details or {})


@transaction.atomic
def images_add(*, batch: ImportBatch, photos: Sequence[StoredPhoto], known: CampaignPhotos) -> int:
    """Write the rows of the photos that the campaign does not hold yet, and return how many those were.

    Imports into one campaign take turns here, since each must see the groups that the other founded.
    """
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=batch.campaign_id)
    known.refresh()
    before = len(known)
    fresh: dict[bytes, Image] = {}
    for photo in photos:
        digest = bytes.fromhex(photo.sha256)
        if digest in known.digests or digest in fresh:
            continue
        group, split = known.place(photo, campaign)
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
    # Rows may also come from writers that do not take the lock above, so conflicts are left to PostgreSQL
    # and what stands in the table afterwards is read back.
    Image.objects.bulk_create(fresh.values(), ignore_conflicts=True)
    known.forget_from(before)
    return sum(row.batch_id == batch.pk for row in known.refresh())


def holdout_drawn(campaign: Campaign, group: uuid.UUID) -> bool:
    """Return whether a group of near-duplicates belongs to the holdout: fixed by campaign seed and group."""
    return _uniform("holdout", campaign.seed, group.hex) < campaign.holdout_fraction


def _group_founded(campaign: Campaign, digest: str) -> uuid.UUID:
    """Return the group that a photo founds; the same photo in the same campaign founds the same anywhere."""
    return uuid.UUID(bytes=blake2b(f"{campaign.slug}:{campaign.seed}:{digest}".encode(), digest_size=16).digest())


def _uniform(purpose: str, seed: int, key: str) -> float:
    """Return a number in [0, 1) that purpose, seed and key fix, uniform over keys."""
    digest = blake2b(f"{purpose}:{seed}:{key}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53
