"""The methods report of a campaign, as a page and as Markdown."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation.access.permissions import campaign_view
from annotation.exchange.methods_report import SOURCES, TITLE, head, markdown, sections
from annotation.models import AuditKind, Campaign, Role
from annotation.selectors.methods import methods_figures
from annotation.services.audit import audit_record
from annotation.services.lane_registry import lane_labels

# Above this number of answers a report takes more than two seconds. The command makes it without a limit.
MOST_ANSWERS = 300_000


@require_safe
@campaign_view(Role.REVIEWER)
def methods(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show what a paper or an audit must state about the votes. Browsers print it without the navigation."""
    if campaign.annotations.count() > MOST_ANSWERS:
        return render(request, "annotation/methods_by_command.html", _by_command(campaign))
    figures = methods_figures(campaign, lane_labels=lane_labels())
    context = {
        "campaign": campaign,
        "title": TITLE,
        "sources": SOURCES,
        "head": head(figures),
        "sections": sections(figures),
    }
    return render(request, "annotation/methods.html", context)


@require_safe
@campaign_view(Role.REVIEWER)
def methods_markdown(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Send the report as a Markdown file."""
    if campaign.annotations.count() > MOST_ANSWERS:
        return render(request, "annotation/methods_by_command.html", _by_command(campaign), status=409)
    name = f"{campaign.slug}-methods.md"
    text = markdown(methods_figures(campaign, lane_labels=lane_labels()))
    audit_record(kind=AuditKind.EXPORT, campaign=campaign, what=name)
    return HttpResponse(
        text,
        content_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _by_command(campaign: Campaign) -> dict[str, object]:
    return {"campaign": campaign, "title": TITLE, "most_answers": MOST_ANSWERS}
