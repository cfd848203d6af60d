"""Entry point of the web server."""

import os
import sys

from django.core.wsgi import get_wsgi_application

from iqs_site.instance import private_files
from iqs_site.server.garbage import collector_set
from iqs_site.start import SETTING_ERRORS, settings_check

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iqs_site.settings")
_CANNOT_BOOT = 3  # with this status, gunicorn stops; with another one, it would try again for ever

private_files.umask_set()
try:
    settings_check()
    application = get_wsgi_application()
except SETTING_ERRORS as error:
    print(f"iqs: {error}", file=sys.stderr)
    sys.exit(_CANNOT_BOOT)


def _pages_load() -> None:
    """Import all views now: the server's processes then share their memory, and no first request is slow."""
    from django.urls import get_resolver

    assert get_resolver().url_patterns


_pages_load()
collector_set()
