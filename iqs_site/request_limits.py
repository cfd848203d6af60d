"""How long the body of a request may be, and the answers to requests that are too long, too many or too slow.

The limits apply before anything reads the body: in the worker of the web server (`iqs_site.server`), which keeps a
long body away from Django, and again in the middleware, for every other server.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.wsgi import WSGIRequest
from django.db import DataError, close_old_connections
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext

from annotation.access.attempts import TooManyAttempts
from annotation.access.hashers import HashingBusy
from annotation.language.lazy import english, gettext_lazy
from annotation.services.tokens import token_use
from annotation.services.uploads import PIECE_BYTES

#: A body of this length may come from anybody. Pages send a few kilobytes.
FREE_BYTES = 1024 * 1024
#: In the environment of a request: the status to answer with, if the web server's worker has refused the body.
REFUSAL = "iqs.refusal"
_FORM_BYTES = 64 * 1024  # around the photos of a form
_IMPORT = re.compile(r"(/api)?/campaigns/[^/]+/imports/[0-9]+/file")
_VOTES = re.compile(r"/campaigns/[^/]+/votes/")
_SCORING = re.compile(r"(/api)?/score/?|/campaigns/[^/]+/gate/")
_GATE = re.compile(r"/api/campaigns/[^/]+/gate")

_SENTENCES = {
    400: gettext_lazy("The body of the request is damaged."),
    401: gettext_lazy("Log in first, then send the files again."),
    408: gettext_lazy("The request did not arrive in time. Check your connection and try again."),
    431: gettext_lazy("The head of the request is too long."),
    503: gettext_lazy("The server is busy. Try again in a few seconds."),
    507: gettext_lazy("The server's disk is full. Try again later."),
}
# Headings of the pages, in place of the words of the protocol.
_TITLES = {
    400: gettext_lazy("The server did not understand this request"),
    401: gettext_lazy("Log in first"),
    408: gettext_lazy("The request took too long"),
    413: gettext_lazy("Too much at once"),
    429: gettext_lazy("Too many attempts"),
    431: gettext_lazy("The server did not understand this request"),
    503: gettext_lazy("The server is busy"),
    507: gettext_lazy("The server's disk is full"),
}


@dataclass(frozen=True)
class BodyLimit:
    """How many bytes of body an address takes, and how many of them from anybody."""

    most: int
    free: int
    """A longer body needs a login."""


def body_limit(path: str) -> BodyLimit:
    """Return the limit of an address. Addresses that take files take longer bodies, from users who are logged in."""
    if _IMPORT.fullmatch(path):
        return BodyLimit(PIECE_BYTES, FREE_BYTES)
    if _VOTES.fullmatch(path) or _GATE.fullmatch(path):
        return BodyLimit(settings.IQS_MAX_FILE_BYTES + _FORM_BYTES, FREE_BYTES)
    if _SCORING.fullmatch(path):
        return BodyLimit(settings.IQS_MAX_SCORING_BYTES + _FORM_BYTES, FREE_BYTES)
    return BodyLimit(FREE_BYTES, FREE_BYTES)


def large_body_refusal(environ: dict[str, Any]) -> int:
    """Return 0 when the sender of this request may send more than FREE_BYTES, else the status of the refusal.

    The worker asks this before it receives the body, so `environ` has only the head.
    """
    close_old_connections()
    try:
        request = WSGIRequest(environ)
        SessionMiddleware(_no_response).process_request(request)
        AuthenticationMiddleware(_no_response).process_request(request)
        return 0 if _is_known(request) else 401
    finally:
        close_old_connections()


def _is_known(request: HttpRequest) -> bool:
    """Return whether the sender is logged in or has an API token. The view checks whether the token is enough."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token_use(secret=secret.strip()) is not None
    return bool(request.user.is_authenticated)


def _no_response(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


class RequestLimitsMiddleware:
    """Answer 413 to a body that is too long, and whatever the worker of the web server has refused.

    Also answers 429 and 503 when a view raises TooManyAttempts or HashingBusy, and 400 when the database refuses a NUL
    character.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response of the page, or the refusal."""
        limit = body_limit(request.path_info)
        refusal = request.META.get(REFUSAL) or (413 if _length(request) > limit.most else 0)
        if refusal:
            # Before LocaleMiddleware, the thread still has the language of its last request.
            with translation.override(translation.get_language_from_request(request)):
                return refused(request, refusal, _SENTENCES.get(refusal) or _too_long(limit))
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the answer to too many attempts or log-ins, or None for other errors."""
        if isinstance(error, TooManyAttempts):
            return refused(request, 429, str(error), retry_after=error.seconds)
        if isinstance(error, HashingBusy):
            return refused(request, 503, str(error), retry_after=error.seconds)
        if isinstance(error, DataError | ValueError) and re.search(r"\bNUL\b|null (byte|character)", str(error)):
            return refused(request, 400, gettext("The request contains a character that cannot be stored."))
        return None


class LargeBodyMiddleware:
    """Answer 401 to long bodies of people who are not logged in, before anything reads them. After authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response of the page, or the refusal."""
        if _length(request) > FREE_BYTES and not _is_known(request):
            return refused(request, 401, _SENTENCES[401])
        return self.get_response(request)


def refused(request: HttpRequest, status: int, sentence: str, *, retry_after: int = 0) -> HttpResponse:
    """Return a refusal: JSON for programs, else a page. `retry_after`: seconds, 0 for no such header."""
    path, accepted = request.path_info, request.headers.get("Accept", "")
    response: HttpResponse
    if path.startswith("/api/") or _IMPORT.fullmatch(path) or "application/json" in accepted:
        response = JsonResponse({"detail": english(sentence)}, status=status)
    else:
        context = {"title": _TITLES.get(status) or HTTPStatus(status).phrase, "sentence": sentence}
        response = render(request, "refused.html", context, status=status)
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Length"] = str(len(response.content))  # CommonMiddleware does not see this response
    return response


def _length(request: HttpRequest) -> int:
    """Return the announced length of the body in bytes; 0 without one, as Django reads it."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _too_long(limit: BodyLimit) -> str:
    return gettext("The request is too long. At most %(most)s MB are allowed here.") % {
        "most": max(1, limit.most // 1024**2)
    }
