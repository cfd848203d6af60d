"""Import of photos: the upload page, the pieces of files that it sends, and the live page of one import."""

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.exchange.reading import Vote, WatchLabel
from annotation.exchange.registry import READERS
from annotation.models import Campaign, HourlyUse, ImportBatch, PhotoChange, Role, User, VoteImport
from annotation.services.batches import batch_discard, batch_enqueue, upload_begin
from annotation.services.campaign_presets import campaigns_to_copy
from annotation.services.disk_space import space_refusal
from annotation.services.photo_changes import PhotoChangeError, photo_change_request, photos_affected, photos_of
from annotation.services.quotas import QuotaUsedUp, quota_take
from annotation.services.uploads import (
    PIECE_BYTES,
    UploadClosed,
    UploadRefused,
    WrongOffset,
    upload_piece_store,
)
from annotation.tasks import announce, batch_import, photos_change

_LISTED = 20  # imports on the upload page
_REJECTIONS = 200  # on one page
_TARGETS = 100  # campaigns that photos can move to
_WAITS_LONG_AFTER = timedelta(seconds=10)  # a queued import then suggests to check the workers


@require_safe
@campaign_view(Role.ADMIN)
def import_page(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the upload page with the last imports."""
    batches = campaign.imports.select_related("created_by")[:_LISTED]
    limits = {
        "file_megabytes": settings.IQS_MAX_FILE_BYTES // 1024**2,
        "zip_megabytes": settings.IQS_MAX_ZIP_BYTES // 1024**2,
        "megapixels": settings.IQS_MAX_PIXELS // 10**6,
        "files": settings.IQS_MAX_FILES_PER_IMPORT,
    }
    context = {"campaign": campaign, "batches": batches, "limits": limits, "piece_bytes": PIECE_BYTES}
    return render(request, "annotation/import.html", context)


@require_POST
@campaign_view(Role.ADMIN)
def import_start(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Start an upload and return its addresses. 429 when the user has started as many imports as one hour allows."""
    assert isinstance(request.user, User)
    if why := space_refusal(size=0):
        return _error(507, gettext("Photos cannot be imported now: %(why)s.") % {"why": why})
    try:
        quota_take(user=request.user, kind=HourlyUse.Kind.IMPORTS)
    except QuotaUsedUp as used_up:
        quota = used_up.quota
        return _error(
            429,
            gettext(
                "You have started %(limit)s imports in this hour, as many as are allowed. You can start the "
                "next one at %(until_text)s."
            )
            % {"limit": quota.limit, "until_text": quota.until_text},
            retry_after=quota.retry_after,
        )
    batch = upload_begin(campaign=campaign, by=request.user)
    ids = {"slug": campaign.slug, "batch_id": batch.pk}
    return JsonResponse(
        {
            "file_url": reverse("import-file", kwargs=ids),
            "finish_url": reverse("import-finish", kwargs=ids),
            "page_url": reverse("import-batch", kwargs=ids),
        }
    )


@require_http_methods(["PUT"])
@campaign_view(Role.ADMIN)
def import_file(request: HttpRequest, campaign: Campaign, batch_id: int) -> HttpResponse:
    """Store one piece of one file, sent as the body. The query has number, name, size and offset.

    A long name does not fit into an address. The header `X-File-Name` can have it, encoded as in an address.
    """
    try:
        number, size, offset = (int(request.GET[key]) for key in ("number", "size", "offset"))
        length = int(request.headers.get("Content-Length") or 0)
    except (KeyError, ValueError):
        return _error(400, gettext("number, size and offset must be whole numbers."))
    if min(number, size, offset) < 0 or length > PIECE_BYTES:
        return _error(
            400,
            gettext("Numbers cannot be negative, and a piece has at most %(piece_bytes)s bytes.")
            % {"piece_bytes": PIECE_BYTES},
        )
    try:
        complete = upload_piece_store(
            campaign=campaign,
            batch_id=batch_id,
            number=number,
            name=unquote(request.headers.get("X-File-Name", "")) or request.GET.get("name", ""),
            size=size,
            offset=offset,
            piece=request.read(PIECE_BYTES),
        )
    except WrongOffset as misplaced:
        return JsonResponse({"detail": str(misplaced), "offset": misplaced.offset}, status=409)
    except UploadRefused as refused:
        return _error(422, str(refused))
    except UploadClosed as closed:
        return _error(410, str(closed))
    except OSError as error:
        return _error(507, gettext("The server cannot store the file: %(error)s.") % {"error": error.strerror or error})
    return JsonResponse({"complete": complete})


@require_POST
@campaign_view(Role.ADMIN)
def import_finish(request: HttpRequest, campaign: Campaign, batch_id: int) -> HttpResponse:
    """Queue the import of the uploaded files, or queue a failed import again; then show it."""
    batch = row_or_404("import", ImportBatch, campaign=campaign, pk=batch_id)
    if batch_enqueue(batch=batch):
        announce(batch_import, batch.pk)
    return redirect("import-batch", campaign.slug, batch.pk)


@require_POST
@campaign_view(Role.ADMIN)
def import_discard(request: HttpRequest, campaign: Campaign, batch_id: int) -> HttpResponse:
    """Discard an unfinished upload."""
    batch = row_or_404("import", ImportBatch, campaign=campaign, pk=batch_id)
    if batch_discard(batch=batch, message=gettext("The upload was discarded.")):
        messages.success(request, gettext("The upload was discarded. None of its files were imported."))
    return redirect("import", campaign.slug)


@require_safe
@campaign_view(Role.ADMIN)
def import_batch(request: HttpRequest, campaign: Campaign, batch_id: int) -> HttpResponse:
    """Show the progress of an import, and the rejected files with reasons. For htmx, return only the live part."""
    batch = row_or_404("import", ImportBatch.objects.select_related("created_by"), campaign=campaign, pk=batch_id)
    done = batch.state == ImportBatch.State.DONE
    labels = list(batch.label_imports.order_by("pk")) if done else []
    change = batch.photo_changes.select_related("target").first() if done else None
    rejections = Paginator(batch.rejections.all(), _REJECTIONS)
    if not done:  # known, so the live page needs no COUNT query every second; tables are listed at the end
        rejections.count = batch.rejected
    context: dict[str, Any] = {
        "campaign": campaign,
        "batch": batch,
        "labels": [
            (one, READERS.get(one.format), reads is Vote, reads is WatchLabel)
            for one in labels
            for reads in [READERS[one.format].reads if one.format in READERS else None]
        ],
        "change": change,
        "live": batch.state in {ImportBatch.State.QUEUED, ImportBatch.State.RUNNING}
        or any(one.state in (VoteImport.State.QUEUED, VoteImport.State.RUNNING) for one in labels)
        or (change is not None and change.state in PhotoChange.LIVE),
        "waits_long": batch.state == ImportBatch.State.QUEUED
        and batch.heartbeat_at is not None
        and batch.heartbeat_at < timezone.now() - _WAITS_LONG_AFTER,
        "rejections": rejections.get_page(request.GET.get("page")),
    }
    part = bool(getattr(request, "htmx", False))
    if done and not part and not context["live"] and batch.added:
        assert isinstance(request.user, User)
        context["affected"] = photos_affected(photos_of(campaign=campaign, batch=batch))
        context["targets"] = campaigns_to_copy(request.user).exclude(pk=campaign.pk)[:_TARGETS]
        context["withdrawn_days"] = settings.IQS_WITHDRAWN_DAYS
    return render(request, "annotation/_batch.html" if part else "annotation/import_batch.html", context)


@require_POST
@campaign_view(Role.ADMIN)
def import_photos_delete(request: HttpRequest, campaign: Campaign, batch_id: int) -> HttpResponse:
    """Let a worker delete the photos of an import, or withdraw those that people were shown. The form has a reason."""
    batch = row_or_404("import", ImportBatch, campaign=campaign, pk=batch_id)
    return _change(request, campaign, batch, PhotoChange.Kind.DELETE, reason=request.POST.get("reason", ""))


@require_POST
@campaign_view(Role.ADMIN)
def import_photos_move(request: HttpRequest, campaign: Campaign, batch_id: int) -> HttpResponse:
    """Let a worker move the photos of an import that nobody was shown to the campaign `target` of the form."""
    assert isinstance(request.user, User)
    batch = row_or_404("import", ImportBatch, campaign=campaign, pk=batch_id)
    # Only campaigns that the person is an admin of.
    target = campaigns_to_copy(request.user).filter(slug=request.POST.get("target", "")).first()
    return _change(request, campaign, batch, PhotoChange.Kind.MOVE, target=target)


def _change(
    request: HttpRequest, campaign: Campaign, batch: ImportBatch, kind: PhotoChange.Kind, **asked: Any
) -> HttpResponse:
    assert isinstance(request.user, User)
    try:
        change = photo_change_request(campaign=campaign, by=request.user, kind=kind, batch=batch, **asked)
    except PhotoChangeError as error:
        messages.error(request, str(error))
    else:
        announce(photos_change, change.pk)
    return redirect("import-batch", campaign.slug, batch.pk)


def _error(status: int, sentence: str, *, retry_after: int | None = None) -> JsonResponse:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return JsonResponse({"detail": sentence}, status=status, headers=headers)
