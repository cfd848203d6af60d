"""Bringing photos in."""

from django.http import HttpRequest, HttpResponse

from annotation.models import Campaign, Role
from annotation.permissions import campaign_view


@campaign_view(Role.ADMIN)
def import_page(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Being built."""
    return HttpResponse("being built")


@campaign_view(Role.ADMIN)
def import_batch(request: HttpRequest, campaign: Campaign, batch_id: int) -> HttpResponse:
    """Being built."""
    return HttpResponse("being built")
