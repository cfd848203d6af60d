"""`manage.py import_votes CAMPAIGN FORMAT FILE`: import votes that were given elsewhere, with a progress bar."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.exchange.reading import Vote
from annotation.exchange.registry import READERS
from annotation.files.names import name_shown, name_text
from annotation.management.lookup import campaign_named
from annotation.management.progress import StepBar
from annotation.management.words import counted
from annotation.models import VoteImport
from annotation.services.vote_imports import VoteImportRefused, vote_import_begin, vote_import_run


class Command(BaseCommand):
    help = "Import the votes of a file into a campaign: all of them, or none if a line is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="The campaign's slug, as in its URL.")
        parser.add_argument(
            "format",
            choices=list(READERS),
            metavar="FORMAT",
            help=" ".join(f"{one.name}: {one.description}" for one in READERS.values()),
        )
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--scale",
            type=int,
            nargs=2,
            metavar=("LOWEST", "HIGHEST"),
            help="Lowest and highest score of the file. Default: of the format, or else of the campaign.",
        )
        parser.add_argument(
            "--leave-out-unknown",
            action="store_true",
            help="Leave out votes on photos that the campaign does not have. Otherwise nothing is imported then.",
        )

        parser.add_argument("--simulated", action="store_true", help="Programs gave the votes, not people.")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_named(options["campaign"])
        path: Path = options["file"].expanduser()
        reader = READERS[options["format"]]
        try:
            begun = vote_import_begin(
                campaign=campaign,
                reader=reader,
                source=name_text(path.name),
                scale=tuple(options["scale"]) if options["scale"] else None,
                leaves_out_unknown=options["leave_out_unknown"],
                is_simulated=options["simulated"],
                state=VoteImport.State.RUNNING,
            )
        except VoteImportRefused as refused:
            raise CommandError(str(refused)) from refused
        bar = StepBar(self.stderr, live=sys.stderr.isatty())
        try:
            done = vote_import_run(vote_import=begun, path=path, report=bar.show)
        except KeyboardInterrupt:
            raise CommandError("Interrupted. Nothing was imported.") from None
        finally:
            bar.end()
        for line, why in done.problems:
            self.stderr.write(f"  line {line}: {name_shown(why)}")
        if done.state == VoteImport.State.FAILED:
            raise CommandError(done.message)
        if reader.reads is Vote:
            rows, people = counted(done.rows, "vote"), f" by {counted(done.annotators, 'annotator')}"
        else:
            rows, people = f"{counted(done.rows, 'row')} of aggregated votes", ""
        self.stdout.write(f"Imported {rows} on {counted(done.photos, 'photo')}{people}.")
        if done.left_out:
            left_out = counted(done.left_out, "vote")
            self.stdout.write(f"Left out {left_out} on photos that the campaign does not have.")
