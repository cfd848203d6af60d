"""Access to campaigns by role. `campaign_view` wraps every view of a campaign."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import JSONField
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext

from annotation.models import ApiToken, Campaign, Membership, Role, User

# Runs in every request of a campaign. The ORM needs three times as long to build this query, and to make the campaign
# out of the row. The table of addresses has the present ones and the old ones.
_FIELDS = Campaign._meta.concrete_fields
_COLUMNS = [field.attname for field in _FIELDS]
_JSON_PLACES = [place for place, field in enumerate(_FIELDS) if isinstance(field, JSONField)]
_CAMPAIGN_AND_ROLE = f"""
SELECT own.role, {", ".join(f"campaign.{column}" for column in _COLUMNS)}
FROM annotation_campaignaddress address
JOIN annotation_campaign campaign ON campaign.id = address.campaign_id
LEFT JOIN annotation_membership own ON own.campaign_id = campaign.id AND own.user_id = %s
WHERE address.slug = %s
"""  # noqa: S608  # made of constants


def role_in(campaign: Campaign, user: User | AnonymousUser) -> Role | None:
    """Return the user's role in the campaign, or None for non-members. Superusers are always admins.

    With an API token, an admin has the role reviewer, unless the token has the scope admin.
    """
    membership = Membership.objects.filter(campaign=campaign, user=user.pk).first()
    return _role(user, membership.role if membership else None)


def _role(user: User | AnonymousUser, member_role: str | None) -> Role | None:
    if isinstance(user, AnonymousUser) or not user.is_active:
        return None
    if user.is_superuser:
        role = Role.ADMIN
    elif member_role:
        role = Role(member_role)
    else:
        return None
    if role == Role.ADMIN and user.token_scope not in ("", ApiToken.Scope.ADMIN):
        return Role.REVIEWER
    return role


def campaign_for(user: User | AnonymousUser, slug: str, at_least: Role) -> tuple[Campaign, Role]:
    """Return the campaign and the user's role in it (one query). `slug` is its present or an old address.

    Raises Http404 for non-members, so that they cannot find out which campaigns exist, and
    PermissionDenied for members with a lower role than `at_least`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CAMPAIGN_AND_ROLE, [user.pk, slug])
        member_role, *values = cursor.fetchone() or [None]
    role = _role(user, member_role) if values else None
    if role is None:
        raise Http404(gettext("No such campaign, or you are not a member of it."))
    if role.rank < at_least.rank:
        raise PermissionDenied(
            gettext("This page needs the role %(label)s. Your role in this campaign is %(label_2)s.")
            % {"label": at_least.label, "label_2": role.label}
        )
    for place in _JSON_PLACES:  # Django's connections return JSON as text
        values[place] = json.loads(values[place])
    return Campaign.from_db(connection.alias, _COLUMNS, values), role


def campaign_view(
    at_least: Role,
) -> Callable[[Callable[Concatenate[HttpRequest, Campaign, ...], HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Turn `view(request, campaign, …)` into a view that takes `slug` and checks the role first.

    An old address of the campaign redirects to the present one. Only GET and HEAD are redirected: a redirect would
    lose the form or file that an open page sends, so other methods run at the old address.

    Templates find the role in `request.campaign_role`.
    """

    def decorate(
        view: Callable[Concatenate[HttpRequest, Campaign, ...], HttpResponseBase],
    ) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def wrapped(request: HttpRequest, slug: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            campaign, role = campaign_for(request.user, slug, at_least)
            if slug != campaign.slug and request.method in {"GET", "HEAD"}:
                # Temporary: browsers keep permanent redirects, and the campaign may get this address back.
                old, new = f"/campaigns/{slug}/", f"/campaigns/{campaign.slug}/"
                return HttpResponseRedirect(request.get_full_path().replace(old, new, 1))
            request.campaign = campaign  # type: ignore[attr-defined]  # for base.html's navigation
            request.campaign_role = role  # type: ignore[attr-defined]
            return view(request, campaign, *args, **kwargs)

        return wrapped

    return decorate
