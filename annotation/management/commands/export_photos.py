"""`manage.py export_photos CAMPAIGN FOLDER`: write the photos for a program that learns from them."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.files.names import name_shown
from annotation.management.lookup import campaign_named
from annotation.management.progress import ProgressBar
from annotation.management.words import counted
from annotation.models import AuditKind
from annotation.services.audit import audit_record
from annotation.services.photo_folders import LABELS, LAYOUTS, FolderRefused, photos_export


class Command(BaseCommand):
    help = "Write the photos with votes into a new folder, with what people say about them. The holdout is in `test`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="The campaign's slug, as in its URL.")
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="A new or empty folder.")
        parser.add_argument(
            "--layout",
            choices=LAYOUTS,
            default=LAYOUTS[0],
            help="image-folder: with metadata.jsonl, for Hugging Face datasets. classes: one folder a class. Default: "
            "%(default)s.",
        )
        parser.add_argument(
            "--labels",
            choices=LABELS,
            default=LABELS[0],
            help="Classes of quality, by corrected MOS, or of the watch label, by majority. Default: %(default)s.",
        )
        parser.add_argument(
            "--limits",
            type=float,
            nargs=2,
            metavar=("REJECT_AT", "PENDING_AT"),
            help="Rejected and pending up to these corrected MOS. Default: those of the campaign.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_named(options["campaign"])
        bar = ProgressBar(self.stderr, live=sys.stderr.isatty())
        limits: list[float] | None = options["limits"]
        audit_record(kind=AuditKind.EXPORT, campaign=campaign, what=f"photos as {options['layout']} by command")
        try:
            done = photos_export(
                campaign=campaign,
                folder=options["folder"].expanduser(),
                layout=options["layout"],
                labels=options["labels"],
                limits=(limits[0], limits[1]) if limits else None,
                progress=bar.show,
            )
        except FolderRefused as refused:
            raise CommandError(str(refused)) from refused
        except OSError as error:
            raise CommandError(f"The folder cannot be written: {error.strerror or error}.") from error
        finally:
            bar.end()
        self.stdout.write(f"Wrote {counted(done.photos, 'photo')}.")
        if done.without_label:
            missing = "votes" if options["layout"] == "image-folder" else "a class"
            self.stdout.write(f"Left out {counted(done.without_label, 'photo')} without {missing}.")
        if done.failed:
            for name, why in done.failed:
                self.stderr.write(f"  {name_shown(name)}: {why}")
            raise CommandError(f"{counted(len(done.failed), 'photo')} could not be written.")
