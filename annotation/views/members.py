"""Who takes part in a campaign, and the site's users."""

from django.http import HttpRequest, HttpResponse

from annotation.models import Campaign, Role
from annotation.permissions import campaign_view


@campaign_view(Role.ADMIN)
def members(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Being built."""
    return HttpResponse("being built")


def users(request: HttpRequest) -> HttpResponse:
    """Being built."""
    return HttpResponse("being built")
