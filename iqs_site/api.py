"""The API: one NinjaAPI, a router per app, API tokens or sessions with CSRF. Described at /api/openapi.json."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI

from annotation.api import router as annotation_router
from annotation.api_me import router as me_router
from annotation.token_auth import SessionLogin, TokenAuth
from inference.api import router as inference_router
from training.api import router as training_router

# No docs page: Swagger UI loads from a CDN and needs inline scripts, which the content security policy forbids.
api = NinjaAPI(
    title="IQS", version="1", auth=[TokenAuth(), SessionLogin()], docs_url=None, docs_decorator=login_required
)
api.add_router("", annotation_router)
api.add_router("", me_router)
api.add_router("", inference_router)
api.add_router("", training_router)


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    """Answer 404 with the message of the exception."""
    return api.create_response(request, {"detail": str(error) or "Not found."}, status=404)


@api.exception_handler(PermissionDenied)
def permission_denied(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    """Answer 403 with the message of the exception."""
    return api.create_response(request, {"detail": str(error) or "Your role does not allow this."}, status=403)


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
    return patterns, app_name, namespace
