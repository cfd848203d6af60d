"""The whole loop in a fresh instance, without a person.

It runs twice: the first process makes a folder, a database and a broker of the run's own; the second one, started with
their addresses in its environment, is part of that instance and goes through the steps.
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

from iqs_site.instance.embedded import EmbeddedError
from iqs_site.smoke.labels import LabelsError
from iqs_site.smoke.plan import PlanError, SmokePlan, plan_for_demo_photos, plan_for_folder
from iqs_site.smoke.report import Report, StepError
from iqs_site.smoke.servers import ServerError, broker_of_its_own, database_of_its_own

_SWEEP_SECONDS = "3"  # lost work is found sooner than in real life, where nobody waits for it
_CLAIM_SECONDS = "15"  # a killed worker's photos are waited for


class Command(BaseCommand):
    help = "Run the whole loop in a fresh temporary instance and print one JSON object per step."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--photos", type=Path, help="folder of photos; without it demo photos are drawn")
        parser.add_argument("--labels", type=Path, help="CSV file with the columns file and watch (1 or 0)")
        parser.add_argument("--count", type=int, default=200, help="demo photos to draw (default: 200)")
        parser.add_argument("--seed", type=int, default=1, help="of the holdout and the simulated annotators")
        parser.add_argument("--port", type=int, default=0, help="of the web server (default: any free one)")
        parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["inside"]:
            sys.exit(0 if _inside(options) else 1)
        if options["labels"] and not options["photos"]:
            raise CommandError("--labels is about the photos of --photos; give both (demo photos are labelled anyway).")
        try:
            if options["photos"]:  # say at once what is wrong with them
                plan_for_folder(options["photos"], options["labels"], options["seed"])
            code = _outside(sys.argv[2:])
        except (EmbeddedError, LabelsError, PlanError, ServerError) as error:
            raise CommandError(str(error)) from error
        sys.exit(code)


def _outside(arguments: list[str]) -> int:
    """Make room for an instance, run the steps in it, and clear up; return the exit status."""
    folder = Path(tempfile.mkdtemp(prefix="iqs-smoke-"))
    code = 1
    try:
        with ExitStack() as stack:
            environment = os.environ | {
                "IQS_VAR": str(folder),
                "DATABASE_URL": stack.enter_context(database_of_its_own(folder)),
                "REDIS_URL": stack.enter_context(broker_of_its_own(folder)),
                "IQS_SWEEP_SECONDS": _SWEEP_SECONDS,
                "IQS_CLAIM_SECONDS": _CLAIM_SECONDS,
            }
            for name in ("IQS_MEDIA", "IQS_MODELS"):  # everything of this instance lies in its folder
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
    # Imported here: the process outside needs no model class.
    from iqs_site.instance.supervisor import Instance
    from iqs_site.smoke.rehearsal import Rehearsal

    report = Report(sys.stdout, sys.stderr)
    figures: dict[str, Any] = {}
    try:
        plan: SmokePlan
        if options["photos"]:
            plan = plan_for_folder(options["photos"], options["labels"], options["seed"])
        else:
            plan = plan_for_demo_photos(options["inside"] / "photos", options["count"], options["seed"], report)
        rehearsal = Rehearsal(plan, Instance(options["inside"], options["port"], quiet=True), report)
        figures = rehearsal.figures
        rehearsal.run()
    except StepError:
        pass  # noted in the report
    return report.finish(figures)
