"""What makes the site an app for the home screen of a phone: manifest, service worker, offline page.

The service worker keeps only the offline page and its files, which are the same for everybody: no photos, no answers,
no page of a person. Logging out therefore leaves nothing of a person in it. Its version is a digest of these files, so
that a browser replaces them after an upgrade of the site.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

SCRIPT = "js/service_worker.js"
#: The static files of the offline page.
SHELL = (
    "css/site.css",
    "css/offline.css",
    "favicon.svg",
    "js/theme.js",
    "js/offline.js",
    "js/annotate/answer_log.js",
)
#: {name of the file in static/: its size and use}. `python -m tests.browser.app_icons` draws them.
ICONS = {
    "icons/app-192.png": {"sizes": "192x192", "type": "image/png", "purpose": "any"},
    "icons/app-512.png": {"sizes": "512x512", "type": "image/png", "purpose": "any"},
    "icons/app-maskable-512.png": {"sizes": "512x512", "type": "image/png", "purpose": "maskable"},
}
_COLOURS = {"theme_color": "#212121", "background_color": "#161616"}


@require_safe
@login_not_required
@cache_control(max_age=3600, public=True)
def manifest(request: HttpRequest) -> HttpResponse:
    """Return the web app manifest: name, icons and first page of the app."""
    content = {
        "id": reverse("home"),
        "name": gettext("IQS · image quality and watches"),
        "short_name": "IQS",
        "description": gettext("Rate photographs together with others."),
        "start_url": reverse("home"),
        "scope": reverse("home"),
        "display": "standalone",
        "icons": [{"src": static(name), **use} for name, use in ICONS.items()],
        **_COLOURS,
    }
    return JsonResponse(content, content_type="application/manifest+json")


@require_safe
@login_not_required
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """Return the service worker. Its address is at the top of the site, because it works for the addresses below."""
    names = [reverse("offline"), *(static(name) for name in SHELL)]
    head = f"const VERSION = {json.dumps(shell_version())};\nconst SHELL = {json.dumps(names)};\n"
    return HttpResponse(
        head + _file(SCRIPT).read_text(),
        content_type="text/javascript; charset=utf-8",
        headers={"Service-Worker-Allowed": reverse("home")},
    )


@require_safe
@login_not_required
@cache_control(no_cache=True)
def offline(request: HttpRequest) -> HttpResponse:
    """Show the page for times without a connection. It is the same for everybody, because browsers keep it."""
    return render(request, "annotation/offline.html")


def shell_version() -> str:
    """Return a digest of everything that the service worker keeps. While developing, files may change at any time."""
    return _digest() if settings.DEBUG else _digest_kept()


def _digest() -> str:
    digest = hashlib.sha256()
    files = [_file(name) for name in (SCRIPT, *SHELL)]
    for path in [*files, Path(settings.BASE_DIR) / "templates" / "annotation" / "offline.html"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _digest_kept() -> str:
    return _digest()


def _file(name: str) -> Path:
    found = finders.find(name)
    assert isinstance(found, str), f"static/{name} is missing"
    return Path(found)
