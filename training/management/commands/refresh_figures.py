"""`manage.py refresh_figures [CAMPAIGN …]`: compute the stored figures of pages again."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand

from annotation.management.lookup import campaign_named
from annotation.management.progress import ProgressBar
from annotation.models import Campaign, FiguresRow, StoredFigures
from annotation.services.figures_rows import row_make
from annotation.services.stored_figures import figures_make
from inference.selectors import champion
from training.evaluation.calibration.filters import Filters
from training.models import StoredCalibration
from training.services.stored_calibrations import calibration_make, calibration_row
from training.services.stored_trends import TREND


class Command(BaseCommand):
    help = (
        "Compute the figures of the pages Campaign quality, Annotator quality, Methods report and Calibration again: "
        "of Calibration those of the champion, of all versions over time, and all others that are stored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaigns", nargs="*", metavar="CAMPAIGN", help="Slugs. Default: all campaigns.")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = [campaign_named(slug) for slug in options["campaigns"]] or list(Campaign.objects.order_by("pk"))
        wanted = [one for campaign in chosen for one in _wanted(campaign)]
        bar = ProgressBar(self.stderr, live=sys.stderr.isatty(), what="figures")
        lines = []
        for done, (row, what, make) in enumerate(wanted):
            bar.show(done, len(wanted))
            make()
            lines.append(f"{what}, {row.votes} votes in {row.seconds:.1f} s")
        bar.show(len(wanted), len(wanted))
        bar.end()
        self.stdout.write("\n".join(lines) or "There are no campaigns.")


def _wanted(campaign: Campaign) -> list[tuple[FiguresRow, str, Callable[[], Any]]]:
    """Return each row of stored figures of a campaign, its name, and what computes it."""
    found: list[tuple[FiguresRow, str, Callable[[], Any]]] = []
    for kind in StoredFigures.Kind:
        row, _ = StoredFigures.objects.get_or_create(campaign=campaign, kind=kind)
        found.append((row, f"{campaign.slug}: {kind.label}", partial(figures_make, row=row)))
    if (version := champion(campaign)) is not None:
        calibration_row(campaign=campaign, version=version, filters=Filters())
        trend = TREND.row(campaign=campaign)
        found.append((trend, f"{campaign.slug}: versions over time", partial(row_make, maker=TREND, row=trend)))
    for stored in StoredCalibration.objects.filter(campaign=campaign).select_related("campaign", "version"):
        words = "" if Filters.from_json(stored.filters).is_default else ", with filters"
        name = f"{campaign.slug}: calibration of version {stored.version.number}{words}"
        found.append((stored, name, partial(calibration_make, row=stored)))
    return found
