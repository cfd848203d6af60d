"""Predictions as Parquet. Pure."""

from annotation.exchange.parquet import ParquetFormat
from annotation.exchange.records import PredictionRecord


class PredictionsParquet(ParquetFormat[PredictionRecord]):
    """One row per prediction."""

    name = "predictions-parquet"
    label = "Predictions (Parquet)"
    description = "One row per photo and model version, with the whole score distribution."
    record = PredictionRecord
