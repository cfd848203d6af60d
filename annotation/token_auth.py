"""API tokens in requests: `Authorization: Bearer …`, for the API and for the pages that programs download from."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext
from ninja.errors import HttpError
from ninja.security import HttpBearer, SessionAuth

from annotation.access.addresses import client_address
from annotation.access.attempts import Kind, attempt_take
from annotation.access.languages import language_activate
from annotation.access.time_zones import time_zone_activate
from annotation.models import ApiToken, User
from annotation.services.tokens import token_use

NOT_VALID = "This API token is not valid. It may be wrong, expired or revoked."
#: What a token needs for a request that only reads, and for any other one.
_READING = ("GET", "HEAD", "OPTIONS")

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class TokenAuth(HttpBearer):
    """Authentication of the API by token. A request without the header may have a session instead."""

    openapi_name = "ApiToken"

    def authenticate(self, request: HttpRequest, token: str) -> User:
        """Return the user of the token, who then is `request.user`.

        Raises HttpError 401 when the token is not valid, so that a session never replaces it, and 403 when its scope
        does not allow the request.
        """
        return user_of_token(request, token)


def user_of_token(request: HttpRequest, secret: str) -> User:
    """Return the user of the token and make them `request.user`. Raises HttpError as `TokenAuth.authenticate` does.

    Raises TooManyAttempts after many wrong tokens from one address. Right tokens from there still work.
    """
    token = token_use(secret=secret.strip())
    if token is None:
        attempt_take(Kind.TOKEN, address=client_address(request))
        raise HttpError(401, NOT_VALID)
    if token.scope == ApiToken.Scope.READ and request.method not in _READING:
        raise HttpError(403, gettext("This API token has the scope read. This request needs the scope annotate."))
    user = token.user
    user.token_scope = token.scope
    request.user = user
    time_zone_activate(user)
    return user


class SessionLogin(SessionAuth):
    """Authentication of the API by session, in the time zone and the language of the user."""

    openapi_name = "Session"

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        """Return the user who has logged in, or None."""
        if not isinstance(request.user, User):
            return None
        time_zone_activate(request.user)
        language_activate(request, request.user)
        return request.user


def token_allowed(view: View) -> View:
    """Let programs open this page with an API token instead of a session. Only for pages that read."""
    view.is_token_allowed = True  # type: ignore[attr-defined]
    return view


class TokenMiddleware:
    """Log in requests with a token, for views with `token_allowed`. Comes before LoginRequiredMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Set `request.user`, or return the error of a token that is not valid."""
        if not getattr(view, "is_token_allowed", False):
            return None
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            user_of_token(request, secret)
        except HttpError as error:
            response = JsonResponse({"detail": str(error)}, status=error.status_code)
            response.headers["WWW-Authenticate"] = "Bearer"
            return response
        return None
