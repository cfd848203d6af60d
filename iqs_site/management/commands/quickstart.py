"""Start everything, say where it is, and stay until somebody stops it."""

import os
import signal
import sys
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from inference.networks.config import WeightsMissing, backbone_config
from iqs_site import embedded
from iqs_site.demo.accounts import demo_logins
from iqs_site.supervision import Instance, InstanceError


class Command(BaseCommand):
    help = "Serve IQS with everything it needs, and the demo campaign in an empty database."
    requires_system_checks = ()  # the database is not up yet

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            backbone_config(settings.IQS_BACKBONE).weights_path()
            with Instance(
                settings.VAR,
                options["port"],
                host=options["host"],
                quiet=False,
                seed_demo=not options["no_demo"],
            ) as instance:
                self._announce(instance)
                while instance.is_running():
                    time.sleep(0.5)  # nothing to do but to wait for a signal
                raise InstanceError(f"the supervisor ended; look at {instance.log('supervisord')}.")
        except (InstanceError, embedded.EmbeddedError, WeightsMissing) as error:
            sys.exit(f"iqs: {error}")
        except KeyboardInterrupt:
            self.stderr.write("iqs: stopped; the data is kept.")

    def _announce(self, instance: Instance) -> None:
        lines = ["", f"  IQS is ready: {instance.url}", ""]
        logins = demo_logins()
        if logins:
            lines.append("  Demo logins")
            lines += [f"    {name:<10} {password}" for name, password in logins.items()]
            lines.append("")
        if os.geteuid() == 0 and "DATABASE_URL" not in os.environ:
            lines += ["  Running as root: the embedded database runs as the system user 'pgserver'.", ""]
        lines += [f"  Logs: {instance.folder / 'log'}", "  Ctrl-C stops everything; the data is kept.", ""]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt
