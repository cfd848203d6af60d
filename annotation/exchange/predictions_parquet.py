"""Predictions as Parquet. Pure."""

from annotation.exchange.parquet import ParquetFormat
from annotation.exchange.records import PredictionRecord
from annotation.language import gettext_noop


class PredictionsParquet(ParquetFormat[PredictionRecord]):
    """One row per prediction."""

    name = "predictions-parquet"
    label = gettext_noop("Predictions (Parquet)")
    description = gettext_noop("One row per photo and model version, with the whole score distribution.")
    record = PredictionRecord
