"""`manage.py map_photos CAMPAIGN …`: make the map of the photos again, from their stored features."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.lookup import campaign_named
from annotation.management.progress import ProgressBar
from annotation.models import PhotoMap
from annotation.services.claims import Report
from inference.services.photo_map import photo_map_make


def _shown(bar: ProgressBar) -> Report:
    """Return the function that shows the progress; steps without a total show nothing."""

    def tell(step: str, done: int, total: int) -> None:
        if total:
            bar.show(done, total)

    return tell


class Command(BaseCommand):
    help = "Make the map of the photos of campaigns from their stored features."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaigns", nargs="+", metavar="CAMPAIGN", help="Slugs.")

    def handle(self, *args: Any, **options: Any) -> None:
        for slug in options["campaigns"]:
            row, _ = PhotoMap.objects.select_related("campaign").get_or_create(campaign=campaign_named(slug))
            bar = ProgressBar(self.stderr, live=sys.stderr.isatty(), what=slug)
            try:
                made = photo_map_make(row=row, report=_shown(bar))
            except ValueError as error:
                raise CommandError(f"{slug}: {error}") from error
            bar.end()
            self.stdout.write(f"{slug}: {made.photos} photos in {made.seconds:.1f} s.")
