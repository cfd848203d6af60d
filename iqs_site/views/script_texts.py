"""The texts of JavaScript modules in one language, as a script that Django writes."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.views.i18n import JavaScriptCatalog

_SECONDS = 31_536_000  # the address changes with the texts

_catalog = JavaScriptCatalog.as_view(domain="djangojs")


@login_not_required
def script_texts(request: HttpRequest, language: str) -> HttpResponseBase:
    """Return the script. It needs no login, because the login page has texts too."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    with translation.override(language):
        response = _catalog(request)
    response.headers["Cache-Control"] = f"public, max-age={_SECONDS}, immutable"
    return response
