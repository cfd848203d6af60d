"""Predictions as JSON Lines. Pure."""

from annotation.exchange.format import JsonLinesFormat
from annotation.exchange.records import PredictionRecord


class PredictionsJsonLines(JsonLinesFormat[PredictionRecord]):
    """One line per prediction."""

    name = "predictions-jsonl"
    label = "Predictions (JSON Lines)"
    description = "One object per photo and model version, with the whole score distribution."
    record = PredictionRecord
