"""`manage.py restore FILE`: put a backup in place of this instance's content."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.progress import StepBar
from iqs_site.backup.archive import BackupError
from iqs_site.backup.restore import backup_restore


class Command(BaseCommand):
    help = "Restore a file of `manage.py backup` into an empty instance. The file is checked completely first."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a file that `manage.py backup` has made")
        parser.add_argument("--force", action="store_true", help="replace everything that this instance has")

    def handle(self, *args: Any, **options: Any) -> None:
        bar = StepBar(self.stderr, live=sys.stderr.isatty())
        try:
            restored = backup_restore(options["file"].expanduser(), force=options["force"], report=bar.show)
        except BackupError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted. The database and the models are as they were before.") from None
        finally:
            bar.end()
        for note in restored.notes:
            self.stderr.write(note)
        self.stdout.write(
            f"Restored the backup of {restored.made_at}: {restored.rows} rows and "
            f"{restored.photos - restored.left_out} photos, all with the right checksums. People log in again."
        )
        if restored.left_out:
            self.stderr.write(
                f"{restored.left_out} files were missing or damaged when the backup was made. "
                "`manage.py verify_media` lists them."
            )
