"""The gallery of a campaign and the page of one photo."""

from django.http import HttpRequest, HttpResponse

from annotation.models import Campaign, Role
from annotation.permissions import campaign_view


@campaign_view(Role.REVIEWER)
def photos(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Being built."""
    return HttpResponse("being built")


@campaign_view(Role.REVIEWER)
def photo(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Being built."""
    return HttpResponse("being built")
