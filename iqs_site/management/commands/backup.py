"""`manage.py backup FILE`: everything of the instance in one file."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.progress import StepBar
from iqs_site.backup.archive import BackupError
from iqs_site.backup.create import backup_make


class Command(BaseCommand):
    help = "Write the database, photos, models and the secret key to one file. The site may run meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a tar file; replaced if it exists")

    def handle(self, *args: Any, **options: Any) -> None:
        bar = StepBar(self.stderr, live=sys.stderr.isatty())
        try:
            made = backup_make(options["file"].expanduser(), report=bar.show)
        except BackupError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted. No backup was made.") from None
        finally:
            bar.end()
        self.stdout.write(f"{made.path}: {made.rows} rows, {made.photos - made.left_out.count} photos.")
        self.stdout.write("The file has the secret key and all password hashes. Keep it where only you can read it.")
        if made.left_out.count:
            for sentence in made.left_out.first:
                self.stderr.write(sentence)
            raise CommandError(
                f"{made.left_out.count} files are missing or damaged on the server and are not in the backup; "
                "everything else is. `manage.py verify_media` lists them.",
                returncode=2,
            )
