"""The Celery application. All work is stored in the database; a message only tells a worker to look for it now."""

import os
import sys
from typing import Any

from celery import Celery, signals

from iqs_site.instance import private_files
from iqs_site.start import SETTING_ERRORS, settings_check

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iqs_site.settings")

app = Celery("iqs")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_configure.connect
def _settings_check(**kwargs: Any) -> None:
    """End the program with one sentence when a setting is wrong; Celery would print a traceback."""
    try:
        settings_check()
    except SETTING_ERRORS as error:
        sys.exit(f"iqs: {error}")


@signals.celeryd_init.connect
@signals.beat_init.connect
def _umask(**kwargs: Any) -> None:
    """Keep the files that workers and beat create from other users."""
    private_files.umask_set()


@signals.worker_init.connect
def _heartbeat(**kwargs: Any) -> None:
    """Load the heartbeats in worker processes only."""
    from iqs_site import workers  # noqa: F401  # importing it connects to worker_ready
