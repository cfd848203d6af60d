"""The methods report of a campaign, as a page and as Markdown, from stored figures."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from annotation.access.permissions import campaign_view
from annotation.exchange.methods_report import SOURCES, TITLE, head, markdown, sections
from annotation.models import AuditKind, Campaign, Role, StoredFigures
from annotation.services.audit import audit_record
from annotation.views.stored_figures import figures_for_page


@require_safe
@campaign_view(Role.REVIEWER)
def methods(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show what a paper or an audit must state about the votes. Browsers print it without the navigation."""
    stored = figures_for_page(campaign, StoredFigures.Kind.METHODS)
    context = {"campaign": campaign, "title": TITLE, "sources": SOURCES, "stored": stored}
    if stored.value is not None:
        context |= {"head": head(stored.value), "sections": sections(stored.value)}
    return render(request, "annotation/methods.html", context)


@require_safe
@campaign_view(Role.REVIEWER)
def methods_markdown(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Send the stored report as a Markdown file, which says when it was made. Before the first one, show the page."""
    stored = figures_for_page(campaign, StoredFigures.Kind.METHODS)
    if stored.value is None:
        return redirect("methods", campaign.slug)
    name = f"{campaign.slug}-methods.md"
    audit_record(kind=AuditKind.EXPORT, campaign=campaign, what=name)
    return HttpResponse(
        markdown(stored.value),
        content_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
