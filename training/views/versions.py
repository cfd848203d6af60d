"""The page of one model version: its card, note and lineage, and its export for other programs."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.models import AuditKind, Campaign, Role, User
from annotation.services.audit import audit_record
from annotation.services.counts import counts_of
from annotation.tasks import announce, counts_announce
from inference.models import ModelVersion
from inference.selectors import champion, version_misfit
from inference.services.version_notes import version_note_write
from inference.serving.model_check import version_problem, version_weights_problem
from training.evaluation.measured import measured_pairs
from training.evaluation.version_card import card_markdown
from training.models import VersionExport
from training.selectors.lineage import lineage_of
from training.selectors.version_cards import version_card
from training.selectors.versions import newest_evaluations, rollback_target
from training.services.counts import changed_since_kept
from training.services.promotions import REASON_LENGTH
from training.services.version_exports import version_export_request
from training.tasks import MESSAGE_SECONDS, version_export_run
from training.views.version_table import COLUMNS, version_rows

NOTE_LENGTH = 4000


def _version(campaign: Campaign, number: int) -> ModelVersion:
    version = row_or_404(gettext("model version"), ModelVersion, campaign=campaign, number=number)
    version.campaign = campaign
    return version


def _export_context(campaign: Campaign, version: ModelVersion) -> dict[str, Any]:
    export = VersionExport.objects.filter(version=version).select_related("version", "requested_by").first()
    return {
        "campaign": campaign,
        "version": version,
        "export": export,
        "has_file": export is not None and export.made_at is not None and export.path.exists(),
    }


@require_safe
@campaign_view(Role.REVIEWER)
def version_page(request: HttpRequest, campaign: Campaign, number: int) -> HttpResponse:
    """Show how a version stands beside the champion, its card, note and lineage, and its export."""
    version = _version(campaign, number)
    lineage, misfit = lineage_of(version), version_misfit(version, campaign)
    current = version if version.is_champion else champion(campaign)
    evaluations = newest_evaluations({one.pk: one for one in (version, current) if one}.values())
    (row,) = version_rows(
        campaign,
        [version],
        evaluations,
        champion=current,
        rollback=rollback_target(campaign),
        cannot={version.pk: misfit},
    )
    own = evaluations.get(version.pk)
    pairs = measured_pairs(own.metrics, own.differences) if own else []
    others = ModelVersion.objects.filter(campaign=campaign).exclude(pk=version.pk)
    kept = counts_of(campaign)
    card = version_card(version, lineage, changed=partial(changed_since_kept, kept=kept))
    outdated = changed_since_kept(own, kept) if own else ""
    counts_announce(kept)
    context = _export_context(campaign, version) | {
        "card": card,
        "lineage": lineage,
        "changed_since": outdated,
        "others": list(others.values("number", "is_champion")),
        "note_length": NOTE_LENGTH,
        "misfit": misfit,
        "champion": current,
        "row": row,
        "headlines": [pair for pair in pairs if pair[0].metric.name in COLUMNS],
        "is_admin": request.campaign_role.rank >= Role.ADMIN.rank,  # type: ignore[attr-defined]  # by campaign_view
        "reason_length": REASON_LENGTH,
        "file_problem": version_problem(version) or version_weights_problem(version),
    }
    return render(request, "training/version.html", context)


@require_POST
@campaign_view(Role.REVIEWER)
def version_note(request: HttpRequest, campaign: Campaign, number: int) -> HttpResponse:
    """Replace the note on a version by the posted `note`."""
    assert isinstance(request.user, User)
    note = request.POST.get("note", "").replace("\r\n", "\n").replace("\0", "").strip()
    if len(note) > NOTE_LENGTH:
        messages.error(
            request,
            gettext("A note has at most %(note_length)s characters; this one has %(count)s.")
            % {"note_length": f"{NOTE_LENGTH:,}", "count": f"{len(note):,}"},
        )
    else:
        version_note_write(version=_version(campaign, number), note=note, by=request.user)
        messages.success(request, gettext("The note was saved.") if note else gettext("The note was removed."))
    return redirect("version", campaign.slug, number)


@require_safe
@campaign_view(Role.REVIEWER)
def card_md(request: HttpRequest, campaign: Campaign, number: int) -> HttpResponse:
    """Return the card as Markdown."""
    card = version_card(_version(campaign, number))
    return HttpResponse(
        card_markdown(card),
        content_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{card["name"]}.md"'},
    )


@require_safe
@campaign_view(Role.REVIEWER)
def card_json(request: HttpRequest, campaign: Campaign, number: int) -> JsonResponse:
    """Return the card as JSON."""
    card = version_card(_version(campaign, number))
    answer = JsonResponse(card, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="{card["name"]}.json"'
    return answer


@require_POST
@campaign_view(Role.REVIEWER)
def export_start(request: HttpRequest, campaign: Campaign, number: int) -> HttpResponse:
    """Let a worker make the export of a version."""
    assert isinstance(request.user, User)
    export = version_export_request(version=_version(campaign, number), by=request.user)
    announce(version_export_run, export.pk, expires=MESSAGE_SECONDS)
    return redirect("version", campaign.slug, number)


@require_safe
@campaign_view(Role.REVIEWER)
def export_live(request: HttpRequest, campaign: Campaign, number: int) -> HttpResponse:
    """Show the live part of the page: the state of the export."""
    return render(request, "training/_version_export.html", _export_context(campaign, _version(campaign, number)))


@require_safe
@campaign_view(Role.REVIEWER)
def export_zip(request: HttpRequest, campaign: Campaign, number: int) -> FileResponse:
    """Return the export of a version, and record it."""
    version = _version(campaign, number)
    export = VersionExport.objects.filter(version=version).exclude(made_at=None).select_related("version").first()
    if export is None or not export.path.exists():
        raise Http404(gettext("There is no export of this version. Its page makes one."))
    audit_record(
        kind=AuditKind.EXPORT,
        campaign=campaign,
        what=f"model version {number}",  # audits are in English
    )
    return FileResponse(
        export.path.open("rb"),
        as_attachment=True,
        filename=f"{campaign.slug}-v{number}.zip",
        content_type="application/zip",
    )
