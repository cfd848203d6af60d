"""The Celery application. All work is stored in the database; a message only tells a worker to look for it now."""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iqs_site.settings")

app = Celery("iqs")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_init.connect
def _heartbeat(**kwargs: Any) -> None:
    """Load the heartbeats in worker processes only."""
    from iqs_site import workers  # noqa: F401  # importing it connects to worker_ready
