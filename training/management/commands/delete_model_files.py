"""`manage.py delete_model_files CAMPAIGN --keep N`: delete the files of old model versions."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.lookup import campaign_named
from training.services.version_retention import version_files_delete, versions_to_delete


class Command(BaseCommand):
    help = (
        "Delete the files of all model versions but the newest N. The files of the champion and of the version that a "
        "rollback goes to always stay, and so do the rows, figures and predictions of all versions."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="The campaign's slug, as in its URL.")
        parser.add_argument("--keep", type=int, required=True, metavar="N", help="Number of newest versions to keep.")
        parser.add_argument("--dry-run", action="store_true", help="Only print what would be deleted.")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_named(options["campaign"])
        try:
            if options["dry_run"]:
                versions, done = versions_to_delete(campaign, keep=options["keep"]), "would be deleted"
            else:
                versions, done = list(version_files_delete(campaign=campaign, keep=options["keep"])), "were deleted"
        except ValueError as error:
            raise CommandError(str(error)) from error
        numbers = ", ".join(str(version.number) for version in versions) or "none"
        self.stdout.write(f"Versions whose files {done}: {numbers}.")
