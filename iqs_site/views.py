"""Pages that draw on every app: the list of campaigns, a campaign's home, the health check."""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from annotation.models import Campaign, Role
from annotation.permissions import campaign_view


def home(request: HttpRequest) -> HttpResponse:
    """List the campaigns of the user."""
    campaigns = Campaign.objects.all()
    if not request.user.is_superuser:  # type: ignore[union-attr]
        campaigns = campaigns.filter(memberships__user=request.user)
    return render(request, "iqs_site/home.html", {"campaigns": campaigns})


@login_not_required
def health(request: HttpRequest) -> JsonResponse:
    """Say whether the database answers; for load balancers and the supervisor."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"ok": True})


@campaign_view(Role.ANNOTATOR)
def campaign_home(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show where the campaign stands."""
    return render(request, "iqs_site/campaign.html", {"campaign": campaign})


@campaign_view(Role.ANNOTATOR)
def campaign_status(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """The live part of the campaign's home."""
    return render(request, "iqs_site/_campaign_status.html", {"campaign": campaign})
