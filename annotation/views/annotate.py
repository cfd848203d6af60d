"""The page on which people judge photos."""

from django.http import HttpRequest, HttpResponse

from annotation.models import Campaign, Role
from annotation.permissions import campaign_view


@campaign_view(Role.ANNOTATOR)
def annotate(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Being built."""
    return HttpResponse("being built")
