"""`manage.py refresh_figures [CAMPAIGN …]`: compute the stored figures of pages again."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from annotation.management.lookup import campaign_named
from annotation.management.progress import ProgressBar
from annotation.models import Campaign, StoredFigures
from annotation.services.stored_figures import figures_make


class Command(BaseCommand):
    help = "Compute the figures of the pages Campaign quality, Annotator quality and Methods report again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaigns", nargs="*", metavar="CAMPAIGN", help="Slugs. Default: all campaigns.")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = [campaign_named(slug) for slug in options["campaigns"]] or list(Campaign.objects.order_by("pk"))
        wanted = [(campaign, kind) for campaign in chosen for kind in StoredFigures.Kind]
        bar = ProgressBar(self.stderr, live=sys.stderr.isatty(), what="figures")
        lines = []
        for done, (campaign, kind) in enumerate(wanted):
            bar.show(done, len(wanted))
            row, _ = StoredFigures.objects.get_or_create(campaign=campaign, kind=kind)
            figures_make(row=row)
            lines.append(f"{campaign.slug}: {kind.label}, {row.votes} votes in {row.seconds:.1f} s")
        bar.show(len(wanted), len(wanted))
        bar.end()
        self.stdout.write("\n".join(lines) or "There are no campaigns.")
