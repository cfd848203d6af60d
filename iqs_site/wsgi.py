"""Entry point of the web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iqs_site.settings")

application = get_wsgi_application()


def _pages_load() -> None:
    """Import all views now: the server's processes then share their memory, and no first request is slow."""
    from django.urls import get_resolver

    assert get_resolver().url_patterns


_pages_load()
