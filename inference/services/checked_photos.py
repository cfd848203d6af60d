"""Takes a photo that was checked into the campaign, by an import as from the upload page.

The photo of a scoring job that keeps its photos is `<place>.kept` in the folder of the job. Once it is in an import,
`<place>.import` has the number of the import instead, so that asking again imports nothing twice.
"""

from contextlib import suppress
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from django.utils.translation import gettext

from annotation.models import Campaign, HourlyUse, Image, ImportBatch, User
from annotation.services.batches import batch_discard, batch_enqueue, upload_begin
from annotation.services.disk_space import space_refusal
from annotation.services.quotas import quota_take
from annotation.services.uploads import PIECE_BYTES, UploadRefused, upload_piece_store
from inference.services.scoring_jobs import ScoringJob, scoring_job_folder


class PhotoGone(Exception):
    """The photo was not kept, or was deleted; the message says so."""


class PhotoRefused(Exception):
    """The import does not take the photo; the message says why."""


class NoSpace(PhotoRefused):
    """The disk has no space for the photo."""


@dataclass(frozen=True)
class TakenPhoto:
    """Where a checked photo is now: in an import, or in the campaign from before."""

    batch: ImportBatch | None
    """The import that it came with; None if the campaign had it."""
    is_new_import: bool = False
    """The caller announces the import."""
    known: Image | None = None
    """The photo of the campaign with the same content."""


def checked_photo_take(*, campaign: Campaign, by: User, job: ScoringJob, place: int) -> TakenPhoto:
    """Let an import take photo `place` (from 0) of a job of the user into the campaign, unless it is there already.

    It is imported as any upload: the import checks the file, looks for near-duplicates, and is listed on the page of
    the imports. It uses the user's imports of this hour. Asking again for the same photo returns the same import.
    Raises PhotoGone, PhotoRefused, NoSpace, and QuotaUsedUp when the user has begun as many imports as one hour allows.
    """
    folder = scoring_job_folder(user=by, key=job.key)
    if folder is None or not 0 <= place < len(job.files):
        raise PhotoGone(gettext("The photo is no longer here. Check it again."))
    taken = folder / f"{place}.import"
    if taken.exists():
        return TakenPhoto(campaign.imports.filter(pk=int(taken.read_text())).first())
    photo, own = folder / f"{place}.kept", folder / f"{place}.taking"
    try:
        with photo.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        # A withdrawn photo is known too: people have decided that it does not belong here.
        if (known := campaign.images.filter(sha256=digest).first()) is not None:
            return TakenPhoto(None, known=known)
        photo.rename(own)  # of two requests at the same time, one gets the file
    except FileNotFoundError as error:
        raise PhotoGone(gettext("The photo is no longer here. Check it again.")) from error
    try:
        batch = _import(campaign, by, own, job.files[place].name)
    except BaseException:
        with suppress(FileNotFoundError):
            own.rename(photo)
        raise
    taken.write_text(str(batch.pk))
    own.unlink(missing_ok=True)
    return TakenPhoto(batch, is_new_import=True)


def _import(campaign: Campaign, by: User, photo: Path, name: str) -> ImportBatch:
    """Begin an import of one file, and queue it."""
    size = photo.stat().st_size
    if why := space_refusal(size=size):
        raise NoSpace(gettext("Photos cannot be imported now: %(why)s.") % {"why": why})
    quota_take(user=by, kind=HourlyUse.Kind.IMPORTS)
    batch = upload_begin(campaign=campaign, by=by)
    try:
        with photo.open("rb") as file:
            offset = 0
            while piece := file.read(PIECE_BYTES):
                upload_piece_store(
                    campaign=campaign, batch_id=batch.pk, number=0, name=name, size=size, offset=offset, piece=piece
                )
                offset += len(piece)
    except (UploadRefused, OSError) as error:
        batch_discard(batch=batch, message=str(error))
        raise PhotoRefused(str(error)) from error
    batch_enqueue(batch=batch)
    return batch
