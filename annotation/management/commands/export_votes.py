"""`manage.py export_votes CAMPAIGN [--format NAME] [--of-import NUMBER] [--out FILE]`: export votes."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError

from annotation.exchange.format import Format
from annotation.exchange.records import HistogramRecord, VoteRecord, WatchRecord
from annotation.management.table_export import TableExport
from annotation.models import Campaign
from annotation.selectors.export import (
    aggregated_records,
    aggregated_watch_records,
    histogram_records,
    vote_records,
    watch_records,
)


class Command(TableExport):
    help = "Write the votes of a campaign that were given without seeing a prediction, each or summed up."
    rows_of = {VoteRecord: vote_records, HistogramRecord: histogram_records, WatchRecord: watch_records}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--of-import",
            type=int,
            metavar="NUMBER",
            help="Write the histograms or the watch labels that came with this import of votes, instead of the "
            "campaign's votes. The number is in the address of its page.",
        )

    def rows(self, campaign: Campaign, chosen: Format[Any], options: Any) -> tuple[Iterator[Any], tuple[int, int]]:
        if options["of_import"] is None:
            return super().rows(campaign, chosen, options)
        if chosen.record is VoteRecord:
            raise CommandError(f"{chosen.label} has single votes. An import of histograms or labels has none.")
        vote_import = campaign.vote_imports.filter(pk=options["of_import"]).first()
        if vote_import is None:
            raise CommandError(f"{campaign.slug} has no import of votes with the number {options['of_import']}.")
        of_import = aggregated_records if chosen.record is HistogramRecord else aggregated_watch_records
        return of_import(vote_import), (vote_import.scale_min, vote_import.scale_max)
