"""Create the demo campaign, and run its simulated annotators."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iqs_site.demo.campaign import FIRST_PHOTOS, SIMULATED_SHARE, DemoError, demo_annotate, demo_prepare
from iqs_site.demo.scenes import SceneError
from iqs_site.demo.site_client import SiteError


class Command(BaseCommand):
    help = (
        "Create the demo campaign in a database without campaigns. With --annotate: then run its simulated annotators."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--first", action="store_true", help=f"only the first {FIRST_PHOTOS} photos; a second call adds the others"
        )
        parser.add_argument(
            "--annotate", action="store_true", help="then run the simulated annotators; they answer over HTTP"
        )
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="address of the site")
        parser.add_argument(
            "--share", type=float, default=SIMULATED_SHARE, help="share of the votes that they give, 0 … 1"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        def report(line: str) -> None:
            self.stdout.write(line)
            self.stdout.flush()

        try:
            demo_prepare(report, first=FIRST_PHOTOS if options["first"] else None)
            if options["annotate"]:
                demo_annotate(options["url"].rstrip("/"), report, share=options["share"])
        except (DemoError, SceneError, SiteError) as error:
            raise CommandError(str(error)) from error
