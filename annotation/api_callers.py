"""Who calls the API, and in which campaign: members, and former members whose answers are still on the way."""

from typing import cast

from django.http import Http404, HttpRequest

from annotation.access.permissions import campaign_for
from annotation.models import Campaign, Role, User
from annotation.selectors.former_members import campaign_of_former_member


def annotating(request: HttpRequest, slug: str) -> tuple[Campaign, User]:
    """Return the campaign and its member. Raises Http404 for everybody else."""
    user = cast(User, request.user)  # the authentication requires a login
    return campaign_for(user, slug, Role.ANNOTATOR)[0], user


def sending(request: HttpRequest, slug: str, image_id: int | None = None) -> tuple[Campaign, User]:
    """Do the same as `annotating`, also for former members who had a photo (this one)."""
    try:
        return annotating(request, slug)
    except Http404:
        user = cast(User, request.user)
        campaign = campaign_of_former_member(user=user, slug=slug, image_id=image_id)
        if campaign is None:
            raise
        return campaign, user
