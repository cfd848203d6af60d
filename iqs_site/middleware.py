"""Middleware: a header that Django 5.2 does not set, and the time zone of the user."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from annotation.access.time_zones import time_zone_activate


class ContentSecurityPolicyMiddleware:
    """Send `settings.CONTENT_SECURITY_POLICY` with every response."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response with the header added."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        return response


class TimeZoneMiddleware:
    """Show the times of a page in the time zone that the user has chosen. Comes after LoginRequiredMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response. The next request of this thread begins with the time zone of the site."""
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Activate the time zone. Pages without a login have that of the site, and the user is not loaded for them.

        The API does the same when it has authenticated the request.
        """
        if getattr(view, "login_required", True):
            time_zone_activate(request.user)
