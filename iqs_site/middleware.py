"""Middleware: a header that Django 5.2 does not set, a full disk, models to come, what the user prefers."""

import errno
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext

from annotation.access.languages import language_activate
from annotation.access.time_zones import time_zone_activate
from inference.networks.config import WeightsMissing
from iqs_site.instance.models_install import ModelsComing, models_install

_RETRY_SECONDS = 60  # while it is not known how long the installation takes
_DISK_FULL = "53100"  # PostgreSQL's code


class ContentSecurityPolicyMiddleware:
    """Send `settings.CONTENT_SECURITY_POLICY` with every response."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response with the header added."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        return response


class FullDiskMiddleware:
    """Answer 507 with one sentence when a request fails because a disk of the server is full.

    The annotate page keeps such an answer and sends it again later.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response unchanged."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the answer for a full disk, or None for other errors."""
        is_file = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        is_row = isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", None) == _DISK_FULL
        if not (is_file or is_row):
            return None
        if request.path.startswith("/api/"):
            return JsonResponse({"detail": gettext("The server's disk is full. Try again later.")}, status=507)
        return render(request, "507.html", status=507)


class ModelsComingMiddleware:
    """Answer 503 with one sentence when a request needs packages of the models that are still being installed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response unchanged."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the answer, or None for other errors. Weights are files of these packages."""
        if not isinstance(error, ModelsComing | WeightsMissing) or (install := models_install()) is None:
            return None
        headers = {"Retry-After": str(install.seconds_left or _RETRY_SECONDS)}
        if request.path.startswith("/api/"):
            text = (
                gettext("The models could not be installed. Try again later.")
                if install.is_failed
                else gettext("The models are being installed. Try again later.")
            )
            return JsonResponse({"detail": text}, status=503, headers=headers)
        response = render(request, "iqs_site/models_coming.html", {"install": install}, status=503)
        response["Retry-After"] = headers["Retry-After"]
        return response


class PreferencesMiddleware:
    """Show a page in the language and the time zone that the user has chosen. Comes after LoginRequiredMiddleware.

    LocaleMiddleware, which comes before it, has activated the language of the browser.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response. The next request of this thread begins with the time zone of the site."""
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Activate both. Pages without a login follow the site and the browser, and the user is not loaded for them.

        The API does the same when it has authenticated the request.
        """
        if getattr(view, "login_required", True):
            time_zone_activate(request.user)
            language_activate(request, request.user)
