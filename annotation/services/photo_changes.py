"""Deleting many photos at once, and moving them to another campaign.

Answers are never deleted. So a photo with answers is withdrawn instead of deleted: nobody sees it, nothing uses it, and
it can be put back until its files are deleted. It is not moved either, because an answer belongs to the campaign in
which it was given, with its scale and its instructions. The same holds for a photo that somebody has been shown: an
answer may still be on its way.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import or_

from django.db import transaction
from django.db.models import Exists, OuterRef, ProtectedError, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from annotation.files.names import text_storable
from annotation.models import (
    HAS_ORIGINAL,
    LIVE,
    Adjudication,
    Annotation,
    Assignment,
    AuditKind,
    Campaign,
    Image,
    ImportBatch,
    PhotoChange,
    User,
)
from annotation.photos.decoding import PhotoFacts
from annotation.services.audit import audit_record
from annotation.services.claims import Claims, Heartbeat, Report
from annotation.services.images import CampaignPhotos, StoredPhoto, images_add
from annotation.services.photo_deletion import deletion_must_wait, photo_files_delete
from annotation.services.withdrawals import REASON_LENGTH, WithdrawalError, photo_withdraw

logger = logging.getLogger(__name__)

CLAIMS = Claims(PhotoChange)
_PHOTOS = 100  # in one transaction
_WAITS = gettext_noop("waiting for an import to end")


class PhotoChangeError(ValueError):
    """The change is not possible. The message is a sentence for the admin."""


@dataclass(frozen=True)
class Affected:
    """What a change would do."""

    photos: int
    answered: int
    """Of them: photos that somebody was shown, answered, skipped or decided, which are not deleted and not moved."""
    answers: int
    """Answers and skips on them."""

    @property
    def unanswered(self) -> int:
        """Return how many photos nobody has been shown."""
        return self.photos - self.answered


def photos_affected(photos: QuerySet[Image]) -> Affected:
    """Return what a change of these photos would do (three queries)."""
    return Affected(
        photos=photos.count(),
        answered=photos.filter(_was_shown()).count(),
        answers=Annotation.objects.filter(image__in=photos).count(),
    )


def photos_of(
    *, campaign: Campaign, batch: ImportBatch | None = None, image_ids: Sequence[int] = ()
) -> QuerySet[Image]:
    """Return the photos of an import or with these ids, without withdrawn ones."""
    photos = campaign.images.filter(LIVE)
    return photos.filter(batch=batch) if batch is not None else photos.filter(pk__in=list(image_ids))


def _was_shown() -> Q:
    """Return the condition on photos that people were shown, answered or decided."""
    rows = (Annotation, Assignment, Adjudication)
    return reduce(or_, (Q(Exists(one._default_manager.filter(image=OuterRef("pk")))) for one in rows))


@transaction.atomic
def photo_change_request(
    *,
    campaign: Campaign,
    by: User,
    kind: str,
    batch: ImportBatch | None = None,
    image_ids: Sequence[int] = (),
    reason: str = "",
    target: Campaign | None = None,
) -> PhotoChange:
    """Store the request for a worker and return it. The caller announces it and has checked `by`'s role in `target`.

    Raises PhotoChangeError when another change of the campaign is running, nothing can be changed, or the reason of a
    deletion is missing or longer than REASON_LENGTH.
    """
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    if campaign.photo_changes.filter(state__in=PhotoChange.LIVE).exists():
        raise PhotoChangeError(
            gettext("Another deletion or move of this campaign is running. Wait until it has ended.")
        )
    words = " ".join(reason.replace("\0", "").split())
    photos = photos_of(campaign=campaign, batch=batch, image_ids=image_ids)
    if kind == PhotoChange.Kind.DELETE:
        if not 1 <= len(words) <= REASON_LENGTH:
            raise PhotoChangeError(
                gettext("Enter a reason of at most %(reason_length)s characters.") % {"reason_length": REASON_LENGTH}
            )
    elif target is None or target.pk == campaign.pk:
        raise PhotoChangeError(gettext("Choose another campaign to move the photos to."))
    total = photos.count()
    if not total:
        raise PhotoChangeError(gettext("There are no photos to change: all are deleted, withdrawn or moved already."))
    return PhotoChange.objects.create(
        campaign=campaign,
        created_by=by,
        kind=kind,
        batch=batch,
        image_ids=[] if batch is not None else list(image_ids),
        target=target if kind == PhotoChange.Kind.MOVE else None,
        reason=words,
        total=total,
        heartbeat_at=timezone.now(),
    )


def photo_change_run(*, change: PhotoChange) -> PhotoChange:
    """Do a claimed change, and return it as done, as failed, or as queued again if an import runs.

    Running it again continues: photos that were changed are no longer among those to change.
    """
    if deletion_must_wait():
        PhotoChange.objects.filter(pk=change.pk).update(state=PhotoChange.State.QUEUED, step=_WAITS)
        change.refresh_from_db()
        return change
    try:
        with Heartbeat(change) as tell:
            if change.kind == PhotoChange.Kind.MOVE:
                _move(change, tell)
            else:
                _delete(change, tell)
    except Exception as error:
        logger.exception("Change %s of photos failed.", change.pk)
        return _close(
            change,
            gettext_noop("It stopped with an error (%(kind)s). Start it again to continue.")
            % {"kind": type(error).__name__},
        )
    return _close(change, "")


def _close(change: PhotoChange, message: str) -> PhotoChange:
    state = PhotoChange.State.FAILED if message else PhotoChange.State.DONE
    with transaction.atomic():
        PhotoChange.objects.filter(pk=change.pk).update(
            state=state, message=text_storable(message), step="", done=change.total, finished_at=timezone.now()
        )
        change.refresh_from_db()
        kind = AuditKind.PHOTOS_MOVED if change.kind == PhotoChange.Kind.MOVE else AuditKind.PHOTOS_DELETED
        counts = {name: getattr(change, name) for name in ("deleted", "withdrawn", "moved", "left")}
        audit_record(
            kind=kind,
            by=change.created_by,
            campaign=change.campaign,
            what=f"import {change.batch_id}" if change.batch_id else f"{change.total} photos",
            after={name: count for name, count in counts.items() if count}
            | ({"to": change.target.slug} if change.target else {}),
        )
    return change


def _delete(change: PhotoChange, tell: Report) -> None:
    """Delete the photos without answers, and withdraw the others."""
    photos = photos_of(campaign=change.campaign, batch=change.batch, image_ids=change.image_ids)
    for part in _parts(photos.values_list("pk", flat=True)):
        tell(gettext_noop("deleting"), change.done, change.total)
        deleted, withdrawn = _part_delete(change, part)
        _count(change, deleted=deleted, withdrawn=withdrawn, done=len(part))


def _part_delete(change: PhotoChange, part: list[int]) -> tuple[int, int]:
    images = list(Image.objects.filter(pk__in=part).select_related("campaign"))
    # Withdrawn first, so that nobody gets one of them while its files go.
    for image in images:
        try:
            photo_withdraw(image=image, reason=change.reason, by=change.created_by, is_recorded=False)
        except WithdrawalError:
            continue  # somebody else has just withdrawn it
    without = list(Image.objects.filter(pk__in=part).exclude(_was_shown()).values_list("pk", flat=True))
    deleted = 0
    for pk in photo_files_delete(image_ids=without, with_thumbnails=True):
        try:
            with transaction.atomic():
                Image.objects.filter(pk=pk).delete()
            deleted += 1
        except ProtectedError:  # an answer has just arrived from a page that still showed it
            continue
    return deleted, len(images) - deleted


def _move(change: PhotoChange, tell: Report) -> None:
    """Write the photos without answers as photos of the other campaign, and delete their rows here.

    The files stay where they are: the storage names them by their content. The holdout of the other campaign is drawn
    as at an import.
    """
    target = change.target
    assert target is not None  # photo_change_request refuses a move without one
    photos = photos_of(campaign=change.campaign, batch=change.batch, image_ids=change.image_ids)
    movable = photos.filter(HAS_ORIGINAL, role=Image.Role.RATED).exclude(_was_shown())
    known = CampaignPhotos(target)
    batch: ImportBatch | None = None
    for part in _parts(movable.values_list("pk", flat=True)):
        tell(gettext_noop("moving"), change.done, change.total)
        with transaction.atomic():
            # An answer that is being recorded holds a lock on its photo.
            images = list(Image.objects.select_for_update().filter(pk__in=part).exclude(_was_shown()))
            batch = batch or _batch_of_move(change, target)
            stored = [_stored(image) for image in images]
            images_add(batch=batch, photos=stored, known=known)
            there = set(Image.objects.filter(batch=batch).values_list("sha256", flat=True))
            gone = [image.pk for image in images if image.sha256 in there]
            Image.objects.filter(pk__in=gone).delete()
            ImportBatch.objects.filter(pk=batch.pk).update(added=len(there), total=len(there))
            _count(change, moved=len(gone), done=len(part))
    PhotoChange.objects.filter(pk=change.pk).update(left=change.total - change.moved)


def _batch_of_move(change: PhotoChange, target: Campaign) -> ImportBatch:
    """Return the import of the other campaign that lists the photos; a second attempt goes on with it."""
    asked = {"created_by": change.created_by, "source": f"moved from {change.campaign.name}"}
    begun = target.imports.filter(created_at__gte=change.created_at, **asked).first()
    return begun or ImportBatch.objects.create(
        campaign=target, state=ImportBatch.State.DONE, finished_at=timezone.now(), **asked
    )


def _stored(image: Image) -> StoredPhoto:
    facts = PhotoFacts(image.width, image.height, image.suffix, image.phash, b"")
    return StoredPhoto(image.name, image.sha256, image.byte_size, facts, image.details)


def _parts(ids: QuerySet[Image, int]) -> list[list[int]]:
    rest = iter(list(ids.order_by("pk")))
    return list(iter(lambda: list(islice(rest, _PHOTOS)), []))


def _count(change: PhotoChange, *, done: int, **counts: int) -> None:
    """Add to the counts of the change, here and in its row."""
    change.done += done
    for name, count in counts.items():
        setattr(change, name, getattr(change, name) + count)
    PhotoChange.objects.filter(pk=change.pk).update(**{name: getattr(change, name) for name in counts})
