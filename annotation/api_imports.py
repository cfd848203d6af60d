"""The API of imports: a program sends photos in pieces, and asks how the import goes. For admins of the campaign."""

from datetime import datetime
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from ninja import Field, Query, Router, Schema
from ninja.errors import HttpError
from ninja.responses import Status

from annotation.access.permissions import campaign_for
from annotation.api_schema import READ_PROBLEMS, WRITE_PROBLEMS, Id, Problem, Slug
from annotation.models import Campaign, HourlyUse, ImportBatch, Role, User
from annotation.services.batches import batch_enqueue, upload_begin
from annotation.services.disk_space import space_refusal
from annotation.services.quotas import QuotaUsedUp, quota_take
from annotation.services.uploads import PIECE_BYTES, UploadClosed, UploadRefused, WrongOffset, upload_piece_store
from annotation.tasks import announce, batch_import

router = Router(tags=["imports"])

_REJECTIONS = 200  # in one answer
_PIECE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class RejectionOut(Schema):
    """A file that was not imported."""

    name: str
    reason: str


class ImportOut(Schema):
    """An import and its progress."""

    id: int
    state: str = Field(description="receiving, queued, running, done or failed.")
    received: int = Field(description="Number of complete files that were sent.")
    total: int = Field(description="Number of files to import; 0 before the import runs.")
    added: int
    duplicates: int
    repaired: int = Field(description="Of the duplicates: photos whose stored files were missing or damaged.")
    rejected: int
    rejections: list[RejectionOut] = Field(description="The first 200 rejected files.")
    message: str = Field(description="Why it failed, as a sentence, or empty.")
    finished_at: datetime | None


class Piece(Schema):
    """Which piece of which file the body is."""

    number: int = Field(description="The place of the file in the import, from 0.", ge=0, lt=2**31)
    name: str = Field(description="Its path, with / between folders.", min_length=1, max_length=4000)
    size: int = Field(description="Its whole length in bytes.", ge=0, lt=2**53)
    offset: int = Field(0, description="How many of its bytes were sent before.", ge=0, lt=2**53)


class PieceOut(Schema):
    """The piece is stored."""

    complete: bool = Field(description="Whether the server has the whole file.")


def _campaign(request: HttpRequest, slug: str) -> Campaign:
    return campaign_for(cast(User, request.user), slug, Role.ADMIN)[0]


def _batch(campaign: Campaign, import_id: int) -> ImportBatch:
    batch = ImportBatch.objects.filter(campaign=campaign, pk=import_id).first()
    if batch is None:
        raise HttpError(404, gettext("This campaign has no import number %(import_id)s.") % {"import_id": import_id})
    return batch


def _out(batch: ImportBatch) -> ImportOut:
    rejections = batch.rejections.all()[:_REJECTIONS]
    names = ("state", "received", "total", "added", "duplicates", "repaired", "rejected", "message", "finished_at")
    return ImportOut(
        id=batch.pk,
        rejections=[RejectionOut(name=one.name, reason=one.reason) for one in rejections],
        **{name: getattr(batch, name) for name in names},
    )


@router.post("/campaigns/{slug}/imports", response={200: ImportOut, **WRITE_PROBLEMS}, url_name="imports-begin")
def import_begin(request: HttpRequest, response: HttpResponse, slug: Slug) -> ImportOut | Status[Problem]:
    """Begin an import that receives files; for admins.

    429 when you have started as many imports as one hour allows; `Retry-After` has the seconds until the next hour.
    """
    campaign, user = _campaign(request, slug), cast(User, request.user)
    if why := space_refusal(size=0):
        raise HttpError(507, gettext("Photos cannot be imported now: %(why)s.") % {"why": why})
    try:
        quota_take(user=user, kind=HourlyUse.Kind.IMPORTS)
    except QuotaUsedUp as used_up:
        response["Retry-After"] = str(used_up.quota.retry_after)
        limit = used_up.quota.limit
        return Status(429, Problem(detail=f"You have started {limit} imports in this hour, as many as are allowed."))
    return _out(upload_begin(campaign=campaign, by=user))


@router.put(
    "/campaigns/{slug}/imports/{import_id}/file",
    response={200: PieceOut, 409: Problem, 410: Problem, **WRITE_PROBLEMS},
    openapi_extra=_PIECE,
    url_name="imports-file",
)
def import_file(request: HttpRequest, slug: Slug, import_id: Id, piece: Query[Piece]) -> PieceOut:
    """Store one piece of a photo or zip, sent as the body: at most 4 MB. Pieces of a file come in their order.

    409 when the piece does not start where the received part ends, 410 when the import takes no more files. 422 also
    for a file that is not taken; the import then lists it.
    """
    campaign = _campaign(request, slug)
    _batch(campaign, import_id)
    try:
        complete = upload_piece_store(
            campaign=campaign, batch_id=import_id, piece=request.read(PIECE_BYTES), **piece.model_dump()
        )
    except WrongOffset as misplaced:
        raise HttpError(409, str(misplaced)) from None
    except UploadRefused as refused:
        raise HttpError(422, str(refused)) from None
    except UploadClosed as closed:
        raise HttpError(410, str(closed)) from None
    except OSError as error:
        raise HttpError(
            507, gettext("The server cannot store the file: %(error)s.") % {"error": error.strerror or error}
        ) from None
    return PieceOut(complete=complete)


@router.post(
    "/campaigns/{slug}/imports/{import_id}/finish",
    response={200: ImportOut, **WRITE_PROBLEMS},
    url_name="imports-finish",
)
def import_finish(request: HttpRequest, slug: Slug, import_id: Id) -> ImportOut:
    """Let a worker import the files that were sent, or try a failed import again; for admins.

    Calling it again changes nothing while the import waits or runs.
    """
    batch = _batch(_campaign(request, slug), import_id)
    if batch_enqueue(batch=batch):
        announce(batch_import, batch.pk)
        batch.refresh_from_db()
    return _out(batch)


@router.get("/campaigns/{slug}/imports/{import_id}", response={200: ImportOut, **READ_PROBLEMS}, url_name="imports-get")
def import_get(request: HttpRequest, slug: Slug, import_id: Id) -> ImportOut:
    """Return the progress of an import, and the files that were not imported; for admins."""
    return _out(_batch(_campaign(request, slug), import_id))
