"""The request that this thread is answering, for records of who did something, from where.

Services get their input as arguments. Only the audit and the sessions read this, because otherwise every service would
pass on an address that it does not use.
"""

from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from annotation.access.addresses import client_ip
from annotation.models import User

_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)
_BROWSER_LENGTH = 300


class CurrentRequestMiddleware:
    """Remember the request until it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Return the response."""
        token = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(token)


def current_user() -> User | None:
    """Return who is logged in, or None: a command, a worker, or somebody without a login."""
    user = getattr(_request.get(), "user", None)
    return user if isinstance(user, User) else None


def current_address() -> str | None:
    """Return the IP address of the browser, or None outside a request."""
    request = _request.get()
    return address_of(request) if request else None


def current_browser() -> str:
    """Return the header User-Agent, at most 300 characters, or ''."""
    request = _request.get()
    return browser_of(request) if request else ""


def address_of(request: HttpRequest) -> str | None:
    """Return the IP address of the client, or None when it came through a socket file."""
    return client_ip(request) or None


def browser_of(request: HttpRequest) -> str:
    """Return the header User-Agent, at most 300 characters."""
    return request.headers.get("User-Agent", "").replace("\0", "")[:_BROWSER_LENGTH]
