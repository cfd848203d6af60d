"""A new campaign with the settings of another one, and if wanted with its members and its practice and check photos."""

import uuid
from collections import defaultdict

from django.db import transaction
from django.utils import timezone

from annotation.models import HAS_ORIGINAL, Campaign, Image, ImportBatch, Role, User
from annotation.services.campaign_presets import settings_of
from annotation.services.campaigns import LIMITS, campaign_create, campaign_slug
from annotation.services.members import member_set


@transaction.atomic
def campaign_duplicate(
    *,
    campaign: Campaign,
    by: User,
    name: str,
    with_texts: bool = True,
    with_members: bool = False,
    with_special_photos: bool = False,
) -> Campaign:
    """Create a campaign with the same settings and return it. Photos that people rate, answers and models stay behind.

    The address comes from the name. with_texts: description and instructions too. with_members: every active member
    with the same role; `by` is an admin in any case. with_special_photos: practice, example and gold photos with their
    expected answers. The caller sends `photos_added` on commit if there are any. Raises ValidationError, by field.
    """
    settings = settings_of(campaign, with_texts=with_texts)
    if not campaign.scale_min <= campaign.reject_at <= campaign.pending_at <= campaign.scale_max:
        settings |= dict.fromkeys(LIMITS)  # of an earlier version, which did not check them
    copy = campaign_create(
        by=by, what=f"with the settings of {campaign.slug}", name=name, slug=campaign_slug(name), **settings
    )
    if with_members:
        for member in campaign.memberships.select_related("user").exclude(user=by).filter(user__is_active=True):
            member_set(campaign=copy, user=member.user, role=Role(member.role), by=by)
    if with_special_photos:
        _special_photos_copy(campaign, copy, by)
    return copy


def _special_photos_copy(campaign: Campaign, copy: Campaign, by: User) -> None:
    """Copy the rows of the special photos. Their files are shared: the storage names them by their content.

    They are in the training split, because annotators see the expected answers of most of them.
    """
    photos = campaign.images.filter(HAS_ORIGINAL, problem="").exclude(role=Image.Role.RATED)
    groups: dict[uuid.UUID, uuid.UUID] = defaultdict(uuid.uuid4)
    now = timezone.now()
    batch = ImportBatch.objects.create(
        campaign=copy, created_by=by, source=f"copy of {campaign.name}", state=ImportBatch.State.DONE, finished_at=now
    )
    rows = [
        Image(
            campaign=copy,
            batch=batch,
            group=groups[photo.group],
            split=Image.Split.TRAIN,
            votes_needed=copy.votes_per_image,
            open_slots=copy.votes_per_image,
            **{field: getattr(photo, field) for field in _COPIED},
        )
        for photo in photos.iterator(chunk_size=1000)
    ]
    Image.objects.bulk_create(rows, batch_size=1000)
    if rows:
        ImportBatch.objects.filter(pk=batch.pk).update(total=len(rows), added=len(rows))
    else:
        batch.delete()


_COPIED = (
    *("name", "sha256", "suffix", "byte_size", "width", "height", "phash", "queue_position", "details", "decoding"),
    *("role", "expected_watch", "expected_score", "guidance"),
)
