"""`manage.py export_annotations CAMPAIGN [--out FILE]`: everything people said, as CSV."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.exchange.table import annotation_lines
from annotation.management.lookup import campaign_named


class Command(BaseCommand):
    help = "Write every annotation of a campaign as CSV to standard output or a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="The campaign's slug, as in its address.")
        parser.add_argument("--out", type=Path, metavar="FILE", help="Default: standard output.")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_named(options["campaign"])
        out: Path | None = options["out"]
        if out is None:
            for lines in annotation_lines(campaign):
                self.stdout.write(lines, ending="")
            return
        part = out.with_name(f"{out.name}.part")
        try:
            with part.open("w", newline="") as file:
                file.writelines(annotation_lines(campaign))
            part.replace(out)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror or error}.") from error
