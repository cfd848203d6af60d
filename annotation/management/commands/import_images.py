"""`manage.py import_images CAMPAIGN DIR_OR_ZIP`: import photos, with a progress bar."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.files.names import name_shown
from annotation.management.lookup import campaign_named
from annotation.management.progress import ProgressBar
from annotation.models import ImportBatch
from annotation.services.batches import ImportLost, folder_import
from annotation.signals import photos_added


class Command(BaseCommand):
    help = "Import the photos of a folder or a zip into a campaign. Running it again adds only new photos."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="The campaign's slug, as in its URL.")
        parser.add_argument("source", type=Path, metavar="DIR_OR_ZIP", help="Subfolders are included.")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_named(options["campaign"])
        bar = ProgressBar(self.stderr, live=sys.stderr.isatty())
        try:
            batch = folder_import(
                campaign=campaign,
                source=options["source"].expanduser(),
                progress=lambda batch: bar.show(batch.done, batch.total),
            )
        except ImportLost as lost:
            raise CommandError(str(lost)) from lost
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. The photos imported so far stay. Run the command again to continue."
            ) from None
        finally:
            bar.end()
        if batch.added:
            photos_added.send(sender=type(self), campaign_id=batch.campaign_id)
        if batch.rejected:
            self.stdout.write("Rejected:")
            for rejection in batch.rejections.iterator(chunk_size=1000):
                self.stdout.write(f"  {name_shown(rejection.name)}: {rejection.reason}")
        if batch.repaired:
            photos = "1 photo was" if batch.repaired == 1 else f"{batch.repaired} photos were"
            self.stdout.write(f"{photos} missing or damaged on the server and repaired.")
        if batch.state == ImportBatch.State.FAILED:
            raise CommandError(batch.message)
        self.stdout.write(
            f"{batch.added} added, {batch.duplicates} duplicates, {batch.rejected} rejected, "
            f"of {batch.total} files in {bar.seconds:.1f} s."
        )
