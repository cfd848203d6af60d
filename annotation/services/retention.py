"""The retention time of closed campaigns: then originals and data about devices are deleted.

Answers, predictions and thumbnails stay.
"""

from django.db import transaction
from django.utils import timezone

from annotation.models import HAS_ORIGINAL, Annotation, AuditKind, Campaign
from annotation.services.audit import audit_record
from annotation.services.photo_deletion import deletion_must_wait, photo_files_delete
from annotation.services.vote_import_names import campaign_import_names_forget

_AT_ONCE = 500  # photos of one call


def retention_apply() -> int:
    """Delete what is due, and return the number of photos. A large campaign needs several calls."""
    now = timezone.now()
    closed = Campaign.objects.filter(state=Campaign.State.CLOSED, retention_days__gt=0, data_deleted_at=None)
    due = [one for one in closed.exclude(closed_at=None) if one.deletion_at is not None and one.deletion_at <= now]
    if not due or deletion_must_wait():
        return 0
    return sum(_apply(campaign) for campaign in due)


def _apply(campaign: Campaign) -> int:
    photos = campaign.images.filter(HAS_ORIGINAL).order_by("pk")
    ids = list(photos.values_list("pk", flat=True)[:_AT_ONCE])
    deleted = photo_files_delete(image_ids=ids, with_thumbnails=False)
    if not photos.exists():
        _finish(campaign)
    return len(deleted)


@transaction.atomic
def _finish(campaign: Campaign) -> None:
    """Remove what answers say about devices and the names of imported files of votes. Record that all is deleted."""
    held = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    if held.state != Campaign.State.CLOSED or held.data_deleted_at is not None:
        return  # reopened in the meantime
    answers = Annotation.objects.filter(campaign=held).exclude(viewing={}).update(viewing={})
    campaign_import_names_forget(campaign=held)
    Campaign.objects.filter(pk=held.pk).update(data_deleted_at=timezone.now())
    photos = held.images.exclude(original_deleted_at=None).count()
    audit_record(kind=AuditKind.RETENTION, campaign=held, after={"photos": photos, "answers": answers})
