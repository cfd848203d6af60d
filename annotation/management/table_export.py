"""The common part of commands that export tables of a campaign."""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from annotation.exchange.format import Format
from annotation.exchange.reading import VoteReader
from annotation.exchange.registry import FORMATS, formats_of
from annotation.files.whole_file import whole_file
from annotation.management.lookup import campaign_named
from annotation.management.table_output import is_standard_output, table_output
from annotation.models import AuditKind, Campaign
from annotation.services.audit import audit_record


class TableExport(BaseCommand):
    """A command that writes rows of a campaign in one of the formats for them."""

    rows_of: ClassVar[Mapping[type[Any], Callable[[Campaign], Iterator[Any]]]]
    """{type of the record: function that returns the rows of a campaign}. The first format of the first is the default.
    """

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the campaign, `--format`, `--out` and `--excel`."""
        formats = [one for record in self.rows_of for one in formats_of(record)]
        parser.add_argument("campaign", help="The campaign's slug, as in its URL.")
        parser.add_argument(
            "--format",
            choices=[one.name for one in formats],
            default=formats[0].name,
            help="Default: %(default)s. " + " ".join(f"{one.name}: {one.description}" for one in formats),
        )
        parser.add_argument("--out", type=Path, metavar="FILE", help="Default: standard output.")
        parser.add_argument(
            "--excel", action="store_true", help="Begin a CSV with a byte order mark, so that Excel detects UTF-8."
        )

    def rows(self, campaign: Campaign, chosen: Format[Any], options: Any) -> tuple[Iterator[Any], tuple[int, int]]:
        """Return the rows, and the lowest and the highest score of their scale."""
        return self.rows_of[chosen.record](campaign), (campaign.scale_min, campaign.scale_max)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the table. Raises CommandError when the scale does not fit, or the file cannot be written."""
        campaign = campaign_named(options["campaign"])
        chosen = FORMATS[options["format"]]
        out: Path | None = options["out"]
        to_output = out is None or is_standard_output(out)
        if to_output and not chosen.is_text and self.stdout.isatty():
            raise CommandError(f"A terminal cannot show {chosen.label}. Name a file with --out FILE.")
        rows, scale = self.rows(campaign, chosen, options)
        fixed = chosen.file_scale if isinstance(chosen, VoteReader) else None
        if fixed and scale != fixed:
            raise CommandError(
                f"{chosen.label} needs scores from {fixed[0]} to {fixed[1]}; these are from {scale[0]} to {scale[1]}."
            )
        pieces = chosen.write(rows, for_excel=options["excel"])
        audit_record(kind=AuditKind.EXPORT, campaign=campaign, what=f"{chosen.name} by command")
        if out is None or to_output:
            write = table_output(self.stdout)
            for piece in pieces:
                write(piece)
            return
        try:
            with whole_file(out) as file:
                file.writelines(pieces)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror or error}.") from error
