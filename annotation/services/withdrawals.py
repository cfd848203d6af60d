"""Withdrawn photos: nobody sees them and nothing uses them. Their rows and answers stay.

The files stay for `IQS_WITHDRAWN_DAYS` days. Until then, the photo can be put back.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from annotation.models import AuditKind, Image, User, Withdrawal
from annotation.models.photos import WITHDRAWN_PROBLEM
from annotation.services.audit import audit_record
from annotation.services.photo_deletion import deletion_must_wait, photo_files_delete
from annotation.services.photo_files import photo_file_suspect
from annotation.services.special_photos import photo_leases_return

REASON_LENGTH = 300
_AT_ONCE = 100  # photos whose files one call deletes


class WithdrawalError(ValueError):
    """The photo cannot be withdrawn or put back. The message is a sentence for the reviewer."""


@transaction.atomic
def photo_withdraw(*, image: Image, reason: str, by: User | None, is_recorded: bool = True) -> Withdrawal:
    """Withdraw a photo. Its live leases are returned; an answer from a page that still shows it is recorded.

    is_recorded: write an audit record. A change of many photos writes one for all.

    Raises WithdrawalError for a photo that is withdrawn already, and without a reason of at most REASON_LENGTH
    characters.
    """
    reason = " ".join(reason.replace("\0", "").split())
    if not 1 <= len(reason) <= REASON_LENGTH:
        raise WithdrawalError(
            gettext("Enter a reason of at most %(reason_length)s characters.") % {"reason_length": REASON_LENGTH}
        )
    image = _locked(image)
    if image.withdrawn_at is not None:
        raise WithdrawalError(gettext("%(name)s is withdrawn already.") % {"name": image.name})
    photo_leases_return(image)
    withdrawal = Withdrawal.objects.create(image=image, reason=reason, by=by, problem=image.problem)
    image.problem, image.withdrawn_at = WITHDRAWN_PROBLEM, withdrawal.at
    image.save(update_fields=["problem", "withdrawn_at"])
    # Without name and reason of the photo: audit records stay for ever.
    if is_recorded:
        audit_record(kind=AuditKind.WITHDRAWAL, by=by, campaign=image.campaign, what=_what(image))
    return withdrawal


@transaction.atomic
def photo_withdrawal_undo(*, image: Image, by: User | None) -> Image:
    """Put a withdrawn photo back, as it was. Return it.

    Raises WithdrawalError when its files are deleted, or it is not withdrawn.
    """
    image = _locked(image)
    withdrawal = Withdrawal.objects.filter(image=image).first()
    if withdrawal is None:
        raise WithdrawalError(gettext("%(name)s is not withdrawn.") % {"name": image.name})
    if withdrawal.files_deleted_at is not None:
        raise WithdrawalError(gettext("%(name)s cannot be put back: its files are deleted.") % {"name": image.name})
    image.problem, image.withdrawn_at = withdrawal.problem, None
    image.save(update_fields=["problem", "withdrawn_at"])
    withdrawal.delete()
    photo_file_suspect(sha256=image.sha256)  # nobody checked the files meanwhile
    audit_record(kind=AuditKind.WITHDRAWAL_UNDONE, by=by, campaign=image.campaign, what=_what(image))
    return image


def withdrawn_files_delete() -> int:
    """Delete the files of photos that were withdrawn more than `IQS_WITHDRAWN_DAYS` days ago; return how many photos.

    Waits while an import runs, because it may bring one of these files again for another campaign.
    """
    before = timezone.now() - timedelta(days=settings.IQS_WITHDRAWN_DAYS)
    due = Withdrawal.objects.filter(at__lte=before, files_deleted_at=None).order_by("at")
    ids = list(due.values_list("image_id", flat=True)[:_AT_ONCE])
    if not ids or deletion_must_wait():
        return 0
    deleted = photo_files_delete(image_ids=ids, with_thumbnails=True)
    return Withdrawal.objects.filter(image__in=deleted, files_deleted_at=None).update(files_deleted_at=timezone.now())


def _locked(image: Image) -> Image:
    return Image.objects.select_for_update(of=("self",), no_key=True).select_related("campaign").get(pk=image.pk)


def _what(image: Image) -> str:
    return f"photo {image.pk}"
