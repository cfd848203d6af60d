"""The Celery application. The database is the truth: a message only says 'look now'."""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iqs_site.settings")

app = Celery("iqs")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_init.connect
def _heartbeat(**kwargs: Any) -> None:
    """Let workers, and no other process, write heartbeats."""
    from iqs_site import workers  # noqa: F401  # connects to worker_ready as it is imported
