"""Test the whole cycle, from import to rollback, in a temporary instance without a person.

The command runs in two processes. The first one makes a temporary folder, database and broker. It starts the second
one with their addresses in its environment, and that one goes through the steps.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from annotation.exchange.labels import LabelsError
from iqs_site.instance.embedded import EmbeddedError
from iqs_site.smoke.plan import PlanError, SmokePlan, plan_for_demo_photos, plan_for_folder
from iqs_site.smoke.report import Report, StepError
from iqs_site.smoke.temporary_servers import ServerError, temporary_broker, temporary_database

_SWEEP_SECONDS = "3"  # short, because the run waits for lost work to be found
_CLAIM_SECONDS = "15"  # short, because the run waits for the photos of a killed worker


class Command(BaseCommand):
    help = "Test the whole cycle, from import to rollback, in a temporary instance; print one JSON object per step."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--photos", type=Path, help="folder of photos (default: generated demo photos)")
        parser.add_argument("--labels", type=Path, help="CSV file with the columns file and watch (1 or 0)")
        parser.add_argument("--count", type=int, default=200, help="number of generated demo photos (default: 200)")
        parser.add_argument(
            "--seed", type=int, default=1, help="random seed of the holdout and the simulated annotators"
        )
        parser.add_argument("--port", type=int, default=0, help="port of the web server (default: any free port)")
        parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["inside"]:
            sys.exit(0 if _inside(options) else 1)
        if options["labels"] and not options["photos"]:
            raise CommandError("--labels needs --photos (the labels of demo photos are already known).")
        try:
            if options["photos"]:  # report a wrong folder before anything starts
                plan_for_folder(options["photos"], options["labels"], options["seed"])
            code = _outside(sys.argv[2:])
        except (EmbeddedError, LabelsError, PlanError, ServerError) as error:
            raise CommandError(str(error)) from error
        sys.exit(code)


def _outside(arguments: list[str]) -> int:
    """Make the temporary folder and servers, run the steps in another process, clean up; return the exit status."""
    folder = Path(tempfile.mkdtemp(prefix="iqs-smoke-"))
    code = 1
    try:
        with ExitStack() as stack:
            environment = os.environ | {
                "IQS_VAR": str(folder),
                "DATABASE_URL": stack.enter_context(temporary_database(folder)),
                "REDIS_URL": stack.enter_context(temporary_broker(folder)),
                "IQS_SWEEP_SECONDS": _SWEEP_SECONDS,
                "IQS_CLAIM_SECONDS": _CLAIM_SECONDS,
            }
            for name in ("IQS_MEDIA", "IQS_MODELS"):  # all files of this instance belong in its folder
                environment.pop(name, None)
            manage = [sys.executable, str(settings.BASE_DIR / "manage.py"), "smoke", "--inside", str(folder)]
            code = subprocess.run([*manage, *arguments], env=environment, check=False).returncode
    finally:
        if code == 0:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"smoke: the instance's files are kept in {folder}", file=sys.stderr)
    return code


def _inside(options: dict[str, Any]) -> bool:
    # Imported here, because the first process must not load the models.
    from iqs_site.instance.supervisor import Instance
    from iqs_site.smoke.run import SmokeRun

    report = Report(sys.stdout, sys.stderr)
    metrics: dict[str, Any] = {}
    try:
        plan: SmokePlan
        if options["photos"]:
            plan = plan_for_folder(options["photos"], options["labels"], options["seed"])
        else:
            plan = plan_for_demo_photos(options["inside"] / "photos", options["count"], options["seed"], report)
        smoke_run = SmokeRun(plan, Instance(options["inside"], options["port"], quiet=True), report)
        metrics = smoke_run.metrics
        smoke_run.run()
    except StepError:
        pass  # already in the report
    return report.finish(metrics)
