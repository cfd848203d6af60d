"""The API: one NinjaAPI, a router per app, API tokens or sessions with CSRF. Described at /api/ and
/api/openapi.json.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required, login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from annotation.api import router as annotation_router
from annotation.api_imports import router as imports_router
from annotation.api_me import router as me_router
from annotation.api_own_work import router as own_work_router
from annotation.token_auth import SessionLogin, TokenAuth
from inference.api import router as inference_router
from inference.api_gate import router as gate_router
from iqs_site.api_json import JsonRefused, StrictParser
from training.api import router as training_router

_ERRORS_SHOWN = 5
_SENTENCES = {
    "Unauthorized": "Log in first.",
    "CSRF check Failed": "The CSRF token is missing or wrong. Send it in the header x-csrftoken.",
}

# `iqs_site.api_docs` is the page at /api/. Ninja's own page, Swagger UI, loads from a CDN and needs inline scripts,
# which the content security policy forbids.
api = NinjaAPI(
    title="IQS",
    version="1",
    auth=[TokenAuth(), SessionLogin()],
    parser=StrictParser(),
    docs_url=None,
    docs_decorator=login_required,
)
api.add_router("", annotation_router)
api.add_router("", imports_router)
api.add_router("", me_router)
api.add_router("", own_work_router)
api.add_router("", inference_router)
api.add_router("", gate_router)
api.add_router("", training_router)


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    """Answer 404 with the message of the exception."""
    return _problem(404, str(error) or "Not found.")


@api.exception_handler(PermissionDenied)
def permission_denied(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    """Answer 403 with the message of the exception."""
    return _problem(403, str(error) or "Your role does not allow this.")


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer with the status and the sentence of the exception. A body that cannot be read has its own."""
    if isinstance(error.__cause__, JsonRefused):
        return _problem(error.__cause__.status, str(error.__cause__))
    return _problem(error.status_code, _SENTENCES.get(error.message, error.message))


@api.exception_handler(ValidationError)
def not_valid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Answer 422 with one sentence for each of the first values that are not valid."""
    problems = [_sentence(one) for one in error.errors[:_ERRORS_SHOWN]]
    more = len(error.errors) - _ERRORS_SHOWN
    return _problem(422, " ".join(problems + ([f"And {more} more."] if more > 0 else [])))


def _sentence(error: Mapping[str, Any]) -> str:
    """Return what is wrong with one value. Pydantic's place begins with the kind of parameter, for bodies its name."""
    kind, *place = error["loc"]
    names = place[1:] if kind == "body" and len(place) > 1 else place
    return f"{'.'.join(map(str, names)) or 'The body'}: {error['msg']}."


def _problem(status: int, sentence: str) -> JsonResponse:
    return JsonResponse({"detail": sentence}, status=status)


@login_not_required
def unknown_address(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer 404 as JSON, as every error of the API."""
    return _problem(404, "The API has no such address.")


def urls() -> Any:
    """Return the API's URL patterns, for `path()`.

    They are exempt from LoginRequiredMiddleware, which would redirect to the login page. A program that asks for
    JSON gets the API's own 401 instead.
    """
    patterns, app_name, namespace = api.urls
    for pattern in patterns:
        callback: Any = pattern.callback
        if hasattr(callback, "csrf_exempt"):  # API operations, not the schema page
            callback.login_required = False
            pattern.callback = _method_checked(callback)  # with the same attributes
    return [*patterns, path("<path:rest>", unknown_address)], app_name, namespace


def _method_checked(view: Callable[..., HttpResponse]) -> Any:
    """Answer 405 as JSON too."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code == 405:
            allowed = ", ".join(sorted(response.headers.get("Allow", "").split(", ")))
            response = _problem(405, f"This address accepts {allowed} only.")
            response.headers["Allow"] = allowed
        return response

    return checked
