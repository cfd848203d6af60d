"""`manage.py export_predictions CAMPAIGN [--model N] [--format NAME] [--out FILE]`: export predictions."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError

from annotation.exchange.format import Format
from annotation.exchange.records import PhotoRecord, PredictionRecord
from annotation.management.table_export import TableExport
from annotation.models import Campaign
from inference.gallery.predictions_table import prediction_records
from inference.gallery.query import GalleryQuery
from inference.gallery.table import gallery_records
from inference.selectors import champion


def _photos(campaign: Campaign) -> Iterator[PhotoRecord]:
    return gallery_records(campaign, champion(campaign), GalleryQuery())


class Command(TableExport):
    help = "Write the predictions of all model versions, or every photo with the champion's prediction and its MOS."
    rows_of = {PredictionRecord: prediction_records, PhotoRecord: _photos}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--model", type=int, metavar="NUMBER", help="Only the predictions of this model version.")

    def rows(self, campaign: Campaign, chosen: Format[Any], options: Any) -> tuple[Iterator[Any], tuple[int, int]]:
        rows, scale = super().rows(campaign, chosen, options)
        number: int | None = options["model"]
        if number is None:
            return rows, scale
        if chosen.record is not PredictionRecord:
            raise CommandError(f"{chosen.label} has the champion's predictions. Leave out --model.")
        if not campaign.model_versions.filter(number=number).exists():
            raise CommandError(f"{campaign.slug} has no model version {number}.")
        return prediction_records(campaign, number), scale
