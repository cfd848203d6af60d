"""Stored figures on pages: how old they are, and how far a worker has come with newer ones."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from annotation.access.permissions import campaign_view
from annotation.models import Campaign, Role, StoredFigures
from annotation.services.figures_rows import Figures
from annotation.services.stored_figures import figures_request
from annotation.tasks import announce, stored_figures_make


def figures_for_page(campaign: Campaign, kind: StoredFigures.Kind) -> Figures[StoredFigures]:
    """Return the stored figures. When they are old, a worker is asked for newer ones."""
    found = figures_request(campaign=campaign, kind=kind)
    if found.row.state == StoredFigures.State.QUEUED:
        announce(stored_figures_make, found.row.pk)
    return found


@require_safe
@campaign_view(Role.REVIEWER)
def stored_figures(request: HttpRequest, campaign: Campaign, kind: str) -> HttpResponse:
    """Return the live part about stored figures. When they are ready, the page loads again."""
    if kind not in StoredFigures.Kind.values:
        raise Http404(gettext("There are no such figures."))
    row = StoredFigures.objects.filter(campaign=campaign, kind=kind).first()
    is_coming = row is not None and row.is_coming
    part = {"campaign": campaign, "row": row, "is_coming": is_coming, "is_newest": False}
    response = render(request, "annotation/_stored_figures_part.html", part)
    if not is_coming:
        response["HX-Refresh"] = "true"
    return response
