"""Creating and changing campaigns."""

from django.http import HttpRequest, HttpResponse

from annotation.models import Campaign, Role
from annotation.permissions import campaign_view


@campaign_view(Role.ADMIN)
def campaign_edit(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Being built."""
    return HttpResponse("being built")


def campaign_new(request: HttpRequest) -> HttpResponse:
    """Being built."""
    return HttpResponse("being built")
