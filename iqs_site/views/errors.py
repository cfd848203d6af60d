"""The pages of the errors 400, 403, 404 and 405: what is wrong, a way back to the campaign, and whom to ask."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from annotation.access.permissions import campaign_for
from annotation.models import Campaign, Role, User

_OF_CAMPAIGN = re.compile(r"/campaigns/([-\w]+)/")
_MOST_NAMES = 3
#: What Django says about an address that no pattern fits. It is no sentence for people.
_UNKNOWN = re.compile(r"^(Resolver404|Http404|\{.*\})?$", re.DOTALL)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show the page for a request that makes no sense. Only the sentences of our own views are for people."""
    sentence = str(exception) if isinstance(exception, BadRequest) else ""
    return render(request, "400.html", {"sentence": sentence}, status=400)


def no_access(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show the page for PermissionDenied."""
    return render(request, "403.html", _context(request, exception), status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show the page for Http404."""
    return render(request, "404.html", _context(request, exception), status=404)


class FormAddressMiddleware:
    """Show a page instead of an empty one at an address that only takes forms.

    A person whose session ended gets there: the login page leads to the address that the form was sent to.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response, or the page if a browser asked for such an address."""
        response = self.get_response(request)
        is_page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or not is_page or request.path.startswith("/api/"):
            return response
        page = render(request, "405.html", {"campaign": _campaign(request)}, status=405)
        page.headers["Allow"] = response.headers["Allow"]
        return page


def _context(request: HttpRequest, exception: Exception) -> dict[str, Any]:
    """Return the sentence of the error, and the campaign of the address if the user is a member of it."""
    sentence = str(exception.args[0]) if exception.args and isinstance(exception.args[0], str) else ""
    campaign = _campaign(request)
    return {
        "sentence": "" if _UNKNOWN.match(sentence) else sentence,
        "campaign": campaign,
        "admins": _admins(campaign) if campaign else [],
    }


def _campaign(request: HttpRequest) -> Campaign | None:
    match, user = _OF_CAMPAIGN.match(request.path), getattr(request, "user", None)
    if match is None or not isinstance(user, User):
        return None
    try:
        campaign, role = campaign_for(user, match[1], Role.ANNOTATOR)
    except (Http404, PermissionDenied):  # not a member: the page must not say that the campaign exists
        return None
    request.campaign, request.campaign_role = campaign, role  # type: ignore[attr-defined]  # for the navigation
    return campaign


def _admins(campaign: Campaign) -> list[str]:
    """Return the names of the campaign's first admins, for members only (one query)."""
    rows = campaign.memberships.filter(role=Role.ADMIN, user__is_active=True, user__is_simulated=False)
    return list(rows.order_by("pk").values_list("user__username", flat=True)[:_MOST_NAMES])
