"""`manage.py import_images CAMPAIGN DIR_OR_ZIP`: bring photos in, with a live bar."""

import shutil
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.lookup import campaign_named
from annotation.models import ImportBatch
from annotation.services.batches import ImportLost, folder_import
from annotation.tasks import announce


class Command(BaseCommand):
    help = "Import the photos of a folder or a zip into a campaign. Running it again adds only what is new."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="The campaign's slug, as in its address.")
        parser.add_argument("source", type=Path, metavar="DIR_OR_ZIP", help="Folders are searched with all below.")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_named(options["campaign"])
        bar = _Bar(self.stderr, live=sys.stderr.isatty())
        try:
            batch = folder_import(campaign=campaign, source=options["source"].expanduser(), progress=bar.show)
        except ImportLost as lost:
            raise CommandError(str(lost)) from lost
        except KeyboardInterrupt:
            raise CommandError("Interrupted. What was imported stays; run the command again to continue.") from None
        finally:
            bar.end()
        if batch.added:
            announce("inference.tasks.sweep")
        if batch.rejected:
            self.stdout.write("Rejected:")
            for rejection in batch.rejections.iterator(chunk_size=1000):
                self.stdout.write(f"  {rejection.name}: {rejection.reason}")
        if batch.state == ImportBatch.State.FAILED:
            raise CommandError(batch.message)
        self.stdout.write(
            f"{batch.added} added, {batch.duplicates} already there, {batch.rejected} rejected, "
            f"of {batch.total} files in {bar.seconds:.1f} s."
        )


class _Bar:
    """One line that says how far the import is, at which rate, and when it will be done.

    On a terminal it is redrawn in place; elsewhere a line comes every ten seconds.
    """

    def __init__(self, stream: Any, *, live: bool) -> None:
        self.stream = stream
        self.live = live
        self.began = time.monotonic()
        self.printed = self.began

    @property
    def seconds(self) -> float:
        """Return how long the import has taken."""
        return time.monotonic() - self.began

    def show(self, batch: ImportBatch) -> None:
        """Draw the state of the batch."""
        if not self.live and time.monotonic() - self.printed < 10:
            return
        self.printed = time.monotonic()
        share = batch.done / batch.total if batch.total else 0.0
        rate = batch.done / self.seconds if self.seconds else 0.0
        left = f"{(batch.total - batch.done) / rate:.0f} s left" if rate else "…"
        figures = f" {batch.done}/{batch.total}  {rate:.0f} photos/s  {left}"
        if not self.live:
            self.stream.write(figures.strip(), str)
            return
        room = max(10, min(40, shutil.get_terminal_size().columns - len(figures) - 3))
        full = round(share * room)
        self.stream.write(f"\r\033[K[{'█' * full}{'·' * (room - full)}]{figures}", str, ending="")
        self.stream.flush()

    def end(self) -> None:
        """Leave the line."""
        if self.live:
            self.stream.write("", str)
