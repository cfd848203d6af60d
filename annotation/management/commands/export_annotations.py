"""`manage.py export_annotations CAMPAIGN [--format NAME] [--out FILE]`: export all answers and skips."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.exchange.records import AnnotationRecord
from annotation.exchange.registry import FORMATS, formats_of
from annotation.files.whole_file import whole_file
from annotation.management.lookup import campaign_named
from annotation.management.table_output import is_standard_output, table_output
from annotation.models import AuditKind
from annotation.selectors.export import annotation_records
from annotation.services.audit import audit_record


class Command(BaseCommand):
    help = "Write every annotation of a campaign to standard output or a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        formats = formats_of(AnnotationRecord)
        parser.add_argument("campaign", help="The campaign's slug, as in its URL.")
        parser.add_argument(
            "--format",
            choices=[one.name for one in formats],
            default=formats[0].name,
            help="Default: %(default)s. " + " ".join(f"{one.name}: {one.description}" for one in formats),
        )
        parser.add_argument("--out", type=Path, metavar="FILE", help="Default: standard output.")
        parser.add_argument(
            "--excel", action="store_true", help="Begin with a byte order mark, so that Excel detects UTF-8."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_named(options["campaign"])
        pieces = FORMATS[options["format"]].write(annotation_records(campaign), for_excel=options["excel"])
        audit_record(kind=AuditKind.EXPORT, campaign=campaign, what=f"{options['format']} by command")
        out: Path | None = options["out"]
        if out is None or is_standard_output(out):
            write = table_output(self.stdout)
            for piece in pieces:
                write(piece)
            return
        try:
            with whole_file(out) as file:
                file.writelines(pieces)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror or error}.") from error
