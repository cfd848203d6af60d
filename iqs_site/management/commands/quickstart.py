"""Start everything, print the address, and run until it is stopped."""

import os
import signal
import sys
import time
from argparse import ArgumentParser
from contextlib import suppress
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from inference.networks.config import WeightsMissing
from inference.serving import runtime
from iqs_site import env
from iqs_site.demo.accounts import demo_logins
from iqs_site.instance import embedded
from iqs_site.instance.models_install import ModelsInstall, models_install, models_missing
from iqs_site.instance.preflight import environment_value, host_names, is_loopback
from iqs_site.instance.supervisor import Instance, InstanceError

_STATUS_SECONDS = 2
_INSTALLED = "the models are installed; the workers are starting."
_SHOWN_PERCENT = 20  # between two lines about the installation, where the output is a file
_FAILED_SECONDS = 30  # between two attempts to start programs that supervisord has given up


class Command(BaseCommand):
    help = "Start IQS with all its servers and workers, and create the demo campaign in an empty database."
    requires_system_checks = ()  # the database is not running yet
    _shown = ""
    """What was last printed about the installation of the models."""
    _line_begin = ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        # Not HOST: some shells export it, and the site would then be on the network by accident.
        parser.add_argument("--host", default=env.text("IQS_HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=env.integer("PORT", 8000, maximum=65_535))
        parser.add_argument("--no-demo", action="store_true", help="do not create the demo campaign")

    def handle(self, *args: Any, **options: Any) -> None:
        handler = _StopSignal()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, handler)
        try:
            models_later = models_missing()
            if not models_later:
                runtime.features_key()  # raises where weights are missing
            with Instance(
                settings.VAR,
                options["port"],
                host=options["host"],
                quiet=False,
                seed_demo=not options["no_demo"],
                models_later=models_later,
            ) as instance:
                self._announce(instance)
                rounds = 0
                while instance.is_running():
                    time.sleep(_STATUS_SECONDS)  # polls the supervisor; a signal ends it
                    rounds += 1
                    if rounds % (_FAILED_SECONDS // _STATUS_SECONDS) == 0:
                        instance.failed_start()
                    instance.held_start()
                    with suppress(OSError):  # the output may be a file on a full disk
                        self._progress(models_install(instance.models_state))
                        for sentence in instance.status_changes():
                            self.stdout.write(f"{self._line_begin}iqs: {sentence}")
                        self.stdout.flush()
                raise InstanceError(f"the supervisor stopped; see {instance.log('supervisord')}.")
        except (InstanceError, embedded.EmbeddedError, WeightsMissing) as error:
            sys.exit(f"iqs: {error}")
        except KeyboardInterrupt:
            self.stdout.write("iqs: stopped. Your data is kept.")

    def _progress(self, models: ModelsInstall | None) -> None:
        """Print how far the installation of the models is: on a terminal always in the same line, else sometimes."""
        if models is None or models.is_failed:
            sentence = models.sentence if models else _INSTALLED if self._shown else ""
            if sentence and sentence != self._shown:
                self.stdout.write(f"{self._line_begin}iqs: {sentence}")
            self._shown = models.sentence if models else ""
        elif self.stdout.isatty():
            self._line_begin = "\r\033[K"
            self._shown = models.sentence
            self.stdout.write(f"{self._line_begin}iqs: {models.sentence}", ending="")
        else:
            shown = f"{models.step} {(models.percent or 0) // _SHOWN_PERCENT}"
            if shown != self._shown:
                self.stdout.write(f"iqs: {models.sentence}")
                self._shown = shown

    def _announce(self, instance: Instance) -> None:
        lines = ["", f"  IQS is ready: {instance.url}", ""]
        if not is_loopback(instance.host) and environment_value("ALLOWED_HOSTS") is None:
            others = [name for name in host_names(instance.host) if name not in host_names("localhost")]
            lines += [f"  From other machines: port {instance.port} of {', '.join(others)}", ""]
        logins = demo_logins()
        if logins:
            lines.append("  Demo logins")
            lines += [f"    {name:<10} {password}" for name, password in logins.items()]
            lines.append("")
        if os.geteuid() == 0 and environment_value("DATABASE_URL") is None:
            lines += ["  You are root, so the embedded database runs as the system user 'pgserver'.", ""]
        if models_install(instance.models_state):
            lines += ["  The models are being installed. You can already log in and rate photos.", ""]
        lines += [f"  Logs: {instance.folder / 'log'}", "  Press Ctrl-C to stop. Your data is kept.", ""]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


class _StopSignal:
    """Handles Ctrl-C and SIGTERM: the first stops IQS properly, the second kills it, later ones are ignored."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count <= 2:
            raise KeyboardInterrupt
