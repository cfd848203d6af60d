"""Checks and repairs of the stored files of photos, and what follows from a finding.

Annotators do not get a photo whose original is missing or damaged: the finding is in `Image.problem`. When the file is
there again, the photo goes back into the queue. Features and predictions stay all the time. A thumbnail is made from
the original, so a damaged one is no reason to take the photo out of the queue. Photos that were withdrawn, or whose
original was deleted, are not checked.
"""

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain, islice

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from annotation.models import HAS_ORIGINAL, Campaign, FileCheck, Image, PhotoFile
from annotation.photos.decoding import PhotoRejected
from annotation.photos.file_check import (
    MISSING,
    FileFindings,
    StoredContent,
    original_found,
    photo_files_check,
)
from annotation.photos.sandbox import SandboxError
from annotation.photos.storage import FILE_PROBLEM, photo_file_open, photo_file_write, photo_name, thumbnail_name
from annotation.services.images import photo_facts
from annotation.services.skips import DAMAGED_PROBLEM
from annotation.signals import photos_restored

logger = logging.getLogger(__name__)

BACKGROUND, COMMAND = "background", "command"
# The background check rests for this time after it has read every photo.
_REST = timedelta(hours=1)
# Photos with a finding are looked for again after this time.
_AGAIN = timedelta(minutes=1)
# Photos that one step takes at most. A missing file costs no reading, so bytes alone are no limit.
_STEP = 500
_BATCH = 50
# The next worker continues after this time if a worker dies during a step.
_CLAIM = timedelta(minutes=5)


@dataclass(frozen=True)
class Repair:
    """The findings about a photo's files after a repair, and whether one of them was written."""

    findings: FileFindings
    is_repaired: bool


@dataclass
class Verified:
    """The result of `photo_files_verify`: counts of photos."""

    done: int = 0
    total: int = 0
    damaged: int = 0
    thumbnails_damaged: int = 0
    thumbnails_repaired: int = 0


def content_of(image: Image) -> StoredContent:
    """Return what is known about a photo's files."""
    return StoredContent(image.sha256, image.suffix, image.byte_size, image.phash)


def photo_repair(*, data: bytes, content: StoredContent) -> Repair:
    """Write a known photo's files again if they are missing or damaged. `data`: the original bytes.

    Uses no table and is thread-safe. Raises OSError when the storage cannot write.
    """
    original = photo_file_write(photo_name(content.sha256, content.suffix), data)
    findings = photo_files_check(content)
    mended = _thumbnail_repair(content, findings, data) if findings.thumbnail else findings
    return Repair(mended, original or mended != findings)


@transaction.atomic
def photo_files_record(*, findings: Collection[FileFindings], repaired: Collection[str] = ()) -> None:
    """Store findings, take photos with damaged originals out of the queue, and put restored photos back.

    `repaired`: SHA-256 of photos whose files were just written. Sends `photos_restored` after the commit.
    """
    if not findings:
        return
    digests = {one.sha256 for one in findings}
    before = set(PhotoFile.objects.filter(sha256__in=digests).exclude(finding="").values_list("sha256", flat=True))
    now = timezone.now()
    PhotoFile.objects.bulk_create(
        [
            PhotoFile(sha256=one.sha256, checked_at=now, finding=one.original, thumbnail_finding=one.thumbnail)
            for one in sorted(findings, key=lambda one: one.sha256)  # the same order in all calls prevents deadlocks
        ],
        update_conflicts=True,
        unique_fields=["sha256"],
        update_fields=["checked_at", "finding", "thumbnail_finding"],
    )
    for sentence in {one.original for one in findings if one.original}:
        damaged = {one.sha256 for one in findings if one.original == sentence}
        # People who report that a photo does not load have seen the damage of its file.
        mine = Q(problem="") | Q(problem__startswith=FILE_PROBLEM) | Q(problem=DAMAGED_PROBLEM)
        _images_locked(damaged, mine & ~Q(problem=sentence)).update(problem=sentence)
    restored = {one.sha256 for one in findings if not one.original} & (before | set(repaired))
    if restored:
        _images_locked(restored, Q(problem__startswith=FILE_PROBLEM)).update(problem="")
        ids = list(_images(restored).values_list("pk", flat=True))
        transaction.on_commit(lambda: _restored_send(ids))


def photo_files_confirm(*, findings: Collection[FileFindings], repaired: Collection[str] = ()) -> None:
    """Store findings of an import, but only those that change something (one query if there are none)."""
    stored = PhotoFile.objects.filter(sha256__in=[one.sha256 for one in findings])
    standing = set(stored.filter(~Q(finding="") | ~Q(thumbnail_finding="")).values_list("sha256", flat=True))
    changed = [one for one in findings if one.is_damaged or one.sha256 in standing or one.sha256 in repaired]
    if changed:
        photo_files_record(findings=changed, repaired=repaired)


def photo_file_suspect(*, sha256: str) -> None:
    """Let the next check begin with this photo, because its file could not be read."""
    PhotoFile.objects.update_or_create(sha256=sha256, defaults={"checked_at": None})


def photo_files_due() -> bool:
    """Return whether the background check would do something now."""
    if not settings.IQS_CHECK_BYTES_PER_MINUTE:
        return False
    return not FileCheck.objects.filter(name=BACKGROUND, next_at__gt=timezone.now()).exists()


def photo_files_step(*, stop: Callable[[], bool] = lambda: False) -> int:
    """Check some photos in the background; return how many.

    First photos whose file was missing and is there again, then those whose files could not be read, then all others in
    turn. Reads at most `IQS_CHECK_MB_PER_MINUTE` on average: after a step, the next one waits. Thumbnails that are
    missing or damaged are made again. Another worker's step at the same time does nothing.
    """
    rate = settings.IQS_CHECK_BYTES_PER_MINUTE / 60
    if not rate:
        return 0
    check, _created = FileCheck.objects.get_or_create(name=BACKGROUND)
    began = timezone.now()
    if not FileCheck.objects.filter(pk=check.pk, next_at__lte=began).update(next_at=began + _CLAIM):
        return 0
    check.refresh_from_db()
    done = _found_again()
    budget = left = rate * settings.IQS_SWEEP_SECONDS
    suspects = _images_of(PhotoFile.objects.filter(checked_at=None).order_by("pk")[:_STEP])
    unwritten: dict[str, FileFindings] = {}
    for image, in_turn in chain(((image, False) for image in suspects), ((image, True) for image in _in_turn(check))):
        if left <= 0 or stop():
            break
        findings, _ = _check(content_of(image), repair_thumbnail=True)
        unwritten[image.sha256] = findings
        left -= findings.bytes_read
        done += 1
        if in_turn:
            check.position = image.pk
        if len(unwritten) >= _BATCH:
            photo_files_record(findings=unwritten.values())
            unwritten = {}
    photo_files_record(findings=unwritten.values())
    if check.position and not Image.objects.filter(HAS_ORIGINAL, pk__gt=check.position).exists():
        check.position, check.finished_at = 0, timezone.now()
    check.next_at = began + timedelta(seconds=(budget - left) / rate)
    check.save()
    return done


def photo_files_verify(
    *,
    restart: bool = False,
    repair_thumbnails: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Verified:
    """Check the files of every photo and store the findings. Calls `progress` with the photos done and their number.

    A call that was interrupted is continued by the next one, unless `restart`. `repair_thumbnails`: make missing and
    damaged thumbnails again from good originals.
    """
    check, _created = FileCheck.objects.get_or_create(name=COMMAND)
    if restart:
        check.position = 0
    kept = Image.objects.filter(HAS_ORIGINAL)
    result = Verified(done=kept.filter(pk__lte=check.position).count(), total=kept.count())
    progress(result.done, result.total)
    images = kept.filter(pk__gt=check.position).order_by("pk").iterator(chunk_size=1000)
    while batch := list(islice(images, _BATCH)):
        contents = {one.sha256: content_of(one) for one in batch}
        found = [_check(content, repair_thumbnail=repair_thumbnails) for content in contents.values()]
        photo_files_record(findings=[findings for findings, _ in found])
        result.done += len(batch)
        result.thumbnails_repaired += sum(is_repaired for _, is_repaired in found)
        check.position = batch[-1].pk
        check.save(update_fields=["position"])
        progress(result.done, result.total)
    check.position, check.finished_at = 0, timezone.now()
    check.save()
    known = PhotoFile.objects.filter(sha256__in=kept.values("sha256"))
    result.damaged = known.exclude(finding="").count()
    result.thumbnails_damaged = known.exclude(thumbnail_finding="").count()
    return result


def _found_again() -> int:
    """Put photos back whose missing file is there again with its size; return how many.

    Nothing is read, so a folder that was missing for a while is accepted at once. Then the next check reads the files.
    """
    due = timezone.now() - _AGAIN
    missing = PhotoFile.objects.filter(finding__endswith=MISSING, checked_at__lt=due).order_by("checked_at")[:_STEP]
    thumbnails = {file.sha256: file.thumbnail_finding for file in missing}
    images = _images_of(missing)
    found = [image.sha256 for image in images if original_found(content_of(image))]
    PhotoFile.objects.filter(sha256__in=thumbnails).update(checked_at=timezone.now())
    if found:
        photo_files_record(findings=[FileFindings(one, thumbnail=thumbnails[one]) for one in found])
        PhotoFile.objects.filter(sha256__in=found).update(checked_at=None)
    return len(found)


def _in_turn(check: FileCheck) -> Iterable[Image]:
    """Return photos after the position of the check; none while it rests."""
    rests = check.finished_at is not None and check.finished_at > timezone.now() - _REST
    if rests and not check.position:
        return []
    return Image.objects.filter(HAS_ORIGINAL, pk__gt=check.position).order_by("pk")[:_STEP]


def _images_of(files: Iterable[PhotoFile]) -> list[Image]:
    """Return one photo for each file row. Deletes the rows of photos that no campaign has any more."""
    digests = {file.sha256 for file in files}
    images = list(_images(digests).order_by("sha256").distinct("sha256")) if digests else []
    gone = digests - {image.sha256 for image in images}
    if gone:
        PhotoFile.objects.filter(sha256__in=gone).delete()
    return images


def _check(content: StoredContent, *, repair_thumbnail: bool) -> tuple[FileFindings, bool]:
    """Return the findings about a photo, and whether its thumbnail was made again."""
    findings = photo_files_check(content)
    if findings.thumbnail and not findings.original and repair_thumbnail:
        mended = _thumbnail_repair(content, findings)
        return mended, mended != findings
    if findings.is_damaged:
        logger.warning("Photo %s: %s", content.sha256, findings.original or findings.thumbnail)
    return findings, False


def _thumbnail_repair(content: StoredContent, findings: FileFindings, data: bytes | None = None) -> FileFindings:
    """Make the thumbnail again from the original; return the findings without it if that worked."""
    try:
        if data is None:
            with photo_file_open(photo_name(content.sha256, content.suffix)) as file:
                data = file.read()
        photo_file_write(thumbnail_name(content.sha256), photo_facts(data).thumbnail)
    except (PhotoRejected, OSError, SandboxError) as error:
        logger.warning("The thumbnail of photo %s cannot be made again: %s", content.sha256, error)
        return findings
    return replace(findings, thumbnail="")


def _images(digests: Collection[str]) -> QuerySet[Image]:
    """Return the photos of all campaigns with these SHA-256 whose originals are kept; the index needs the campaigns."""
    campaigns = list(Campaign.objects.values_list("pk", flat=True))
    return Image.objects.filter(HAS_ORIGINAL, campaign__in=campaigns, sha256__in=digests)


def _images_locked(digests: Collection[str], condition: Q) -> QuerySet[Image]:
    """Lock the photos in the order of their ids, as the queue does, and return them."""
    locked = _images(digests).filter(condition).order_by("pk").select_for_update(no_key=True)
    return Image.objects.filter(pk__in=list(locked.values_list("pk", flat=True)))


def _restored_send(image_ids: list[int]) -> None:
    photos_restored.send(sender=PhotoFile, image_ids=image_ids)
