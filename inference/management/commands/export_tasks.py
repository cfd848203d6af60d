"""`manage.py export_tasks CAMPAIGN [--address PREFIX] [--out FILE]`: export photos as tasks of Label Studio."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from annotation.exchange.format import Format
from annotation.exchange.records import TaskRecord
from annotation.management.table_export import TableExport
from annotation.models import Campaign
from inference.gallery.tasks_table import task_records


class Command(TableExport):
    help = "Write the photos as tasks, with the votes that were given without seeing a prediction, and predictions."
    rows_of = {TaskRecord: lambda campaign: task_records(campaign, str)}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--address",
            default="",
            metavar="PREFIX",
            help="What comes before the names of photos in the addresses, for example /data/local-files/?d=photos/.",
        )

    def rows(self, campaign: Campaign, chosen: Format[Any], options: Any) -> tuple[Iterator[Any], tuple[int, int]]:
        prefix: str = options["address"]
        rows = task_records(campaign, lambda name: prefix + quote(name) if prefix else name)
        return rows, (campaign.scale_min, campaign.scale_max)
