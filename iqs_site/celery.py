"""The Celery application. All work is stored in the database; a message only tells a worker to look for it now."""

import os
import sys
from typing import Any

from celery import Celery, signals
from kombu.exceptions import OperationalError

from iqs_site.broker_gate import BrokerSilent, gate
from iqs_site.instance import private_files
from iqs_site.start import SETTING_ERRORS, settings_check

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iqs_site.settings")


class SiteCelery(Celery):  # type: ignore[misc]  # Celery has no types
    """Celery, with requests that do not wait for the broker."""

    def send_task(self, *args: Any, **kwargs: Any) -> Any:
        """Send a message and return its result; in a request, hand it over to a thread and return None.

        Raises OperationalError when the broker does not take it, or when too many messages wait for the thread.
        """
        if not gate.is_in_request:
            return super().send_task(*args, **kwargs)
        try:
            gate.hand_over(lambda: Celery.send_task(self, *args, **kwargs))
        except BrokerSilent as silent:
            raise OperationalError(str(silent)) from silent
        return None


app = SiteCelery("iqs")
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
def _long_waits(**kwargs: Any) -> None:
    """Let a worker wait longer for the broker than a request does."""
    app.conf.broker_transport_options = app.conf.broker_transport_options | {"socket_timeout": 30}


@signals.worker_init.connect
def _heartbeat(**kwargs: Any) -> None:
    """Load the heartbeats in worker processes only."""
    from iqs_site import workers  # noqa: F401  # importing it connects to worker_ready
