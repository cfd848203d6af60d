"""Training runs."""

from django.http import HttpRequest, HttpResponse

from annotation.models import Campaign, Role
from annotation.permissions import campaign_view


@campaign_view(Role.REVIEWER)
def run_page(request: HttpRequest, campaign: Campaign, run_id: int) -> HttpResponse:
    """Being built."""
    return HttpResponse("being built")
