"""Who may see what. Every view of a campaign is wrapped in `campaign_view`."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from annotation.models import Campaign, Membership, Role, User


def role_in(campaign: Campaign, user: User | AnonymousUser) -> Role | None:
    """Return the user's role in the campaign, or None for outsiders. Superusers are admins everywhere."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMIN
    membership = Membership.objects.filter(campaign=campaign, user=user).first()
    return Role(membership.role) if membership else None


def campaign_for(user: User | AnonymousUser, slug: str, at_least: Role) -> tuple[Campaign, Role]:
    """Return the campaign and the user's role in it.

    Raises Http404 for outsiders (they are not told which campaigns exist) and PermissionDenied for
    members whose role does not reach. The campaign carries `has_simulated_annotators`, so that every
    page can say so.
    """
    simulated = Membership.objects.filter(campaign=OuterRef("pk"), user__is_simulated=True)
    campaign = Campaign.objects.filter(slug=slug).annotate(has_simulated_annotators=Exists(simulated)).first()
    role = role_in(campaign, user) if campaign else None
    if campaign is None or role is None:
        raise Http404("No such campaign, or you are not a member of it.")
    if role.rank < at_least.rank:
        raise PermissionDenied(f"This page is for the campaign's {at_least.label}s; you are its {role.label}.")
    return campaign, role


def campaign_view(
    at_least: Role,
) -> Callable[[Callable[Concatenate[HttpRequest, Campaign, ...], HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Turn `view(request, campaign, …)` into one that takes `slug` and checks the role first.

    The role is left on the request as `request.campaign_role` for templates.
    """

    def decorate(
        view: Callable[Concatenate[HttpRequest, Campaign, ...], HttpResponseBase],
    ) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def wrapped(request: HttpRequest, slug: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            campaign, role = campaign_for(request.user, slug, at_least)
            request.campaign = campaign  # type: ignore[attr-defined]  # for base.html's navigation
            request.campaign_role = role  # type: ignore[attr-defined]
            return view(request, campaign, *args, **kwargs)

        return wrapped

    return decorate
