"""Import of votes that were given elsewhere: the upload page, and the live page of one import."""

from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.exchange.reading import Vote, VoteReader, WatchLabel
from annotation.exchange.registry import READERS
from annotation.files.whole_file import whole_file
from annotation.models import Campaign, HourlyUse, Role, User, VoteImport
from annotation.selectors.vote_summaries import stored_summary
from annotation.services.disk_space import space_refusal
from annotation.services.quotas import QuotaUsedUp, quota_take
from annotation.services.vote_imports import VoteImportRefused, upload_path, vote_import_begin, vote_summary_store
from annotation.tasks import announce, votes_import
from annotation.views.label_charts import imported_labels
from annotation.views.vote_import_form import VoteImportForm

_LISTED = 20  # imports on the page
_WAITS_LONG_AFTER = timedelta(seconds=10)  # a queued import then suggests to check the workers


@require_http_methods(["GET", "HEAD", "POST"])
@campaign_view(Role.ADMIN)
def vote_imports(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the form with the last imports, or begin an import and show it."""
    form = VoteImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            begun = _begin(request, campaign, form.cleaned_data)
        except (VoteImportRefused, QuotaUsedUp) as refused:
            form.add_error(None, _sentence(refused))
        else:
            announce(votes_import, begun.pk)
            return redirect("vote-import", campaign.slug, begun.pk)
    context = {
        "campaign": campaign,
        "form": form,
        "formats": [(one, _kind(one), one.file_scale, one.reads is WatchLabel) for one in READERS.values()],
        "imports": campaign.vote_imports.select_related("created_by")[:_LISTED],
    }
    return render(request, "annotation/vote_imports.html", context, status=400 if form.errors else 200)


@require_safe
@campaign_view(Role.ADMIN)
def vote_import(request: HttpRequest, campaign: Campaign, import_id: int) -> HttpResponse:
    """Show the progress and the outcome of an import. For htmx, return only the live part."""
    rows = VoteImport.objects.select_related("created_by", "campaign")
    found = row_or_404("import", rows, campaign=campaign, pk=import_id)
    queued = found.state == VoteImport.State.QUEUED
    context: dict[str, Any] = {
        "campaign": campaign,
        "import": found,
        "reader": READERS.get(found.format),
        "of_people": found.format in READERS and READERS[found.format].reads is Vote,
        "has_scale": found.format not in READERS or READERS[found.format].reads is not WatchLabel,
        "live": queued or found.state == VoteImport.State.RUNNING,
        "waits_long": queued and found.created_at < timezone.now() - _WAITS_LONG_AFTER,
    }
    if found.state == VoteImport.State.DONE:
        summary = stored_summary(found) or vote_summary_store(vote_import=found)
        context |= {"summary": summary, **imported_labels(summary)}
        context["has_scale"] &= summary.rated > 0  # folders can have watch labels alone
    part = bool(getattr(request, "htmx", False))
    return render(request, "annotation/_vote_import.html" if part else "annotation/vote_import.html", context)


def _kind(reader: VoteReader) -> str:
    """Return what the files of a format have, in words."""
    if reader.reads is WatchLabel:
        return gettext("watch labels")
    return gettext("single votes") if reader.reads is Vote else gettext("aggregated votes")


def _begin(request: HttpRequest, campaign: Campaign, values: dict[str, Any]) -> VoteImport:
    """Store the file, and create the import. Raises VoteImportRefused and QuotaUsedUp."""
    assert isinstance(request.user, User)
    file: UploadedFile[Any] = values["file"]
    if why := space_refusal(size=file.size or 0):
        raise VoteImportRefused(gettext("The file cannot be stored now: %(why)s.") % {"why": why})
    quota_take(user=request.user, kind=HourlyUse.Kind.IMPORTS)
    # The file is complete before other processes can see the import.
    with transaction.atomic():
        begun = vote_import_begin(
            campaign=campaign,
            reader=READERS[values["format"]],
            source=file.name or "file",
            scale=values["scale"],
            leaves_out_unknown=values["leaves_out_unknown"],
            is_simulated=values["is_simulated"],
            by=request.user,
        )
        path = upload_path(begun)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with whole_file(path) as stored:
                stored.writelines(file.chunks())
        except OSError as error:
            raise VoteImportRefused(
                gettext("The file cannot be stored: %(error)s.") % {"error": error.strerror or error}
            ) from error
    return begun


def _sentence(refused: VoteImportRefused | QuotaUsedUp) -> str:
    if isinstance(refused, VoteImportRefused):
        return str(refused)
    quota = refused.quota
    return gettext(
        "You have started %(limit)s imports in this hour, as many as are allowed. You can start the next one "
        "at %(until_text)s."
    ) % {"limit": quota.limit, "until_text": quota.until_text}
