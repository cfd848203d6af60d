"""Predictions as JSON Lines. Pure."""

from annotation.exchange.format import JsonLinesFormat
from annotation.exchange.records import PredictionRecord
from annotation.language import gettext_noop


class PredictionsJsonLines(JsonLinesFormat[PredictionRecord]):
    """One line per prediction."""

    name = "predictions-jsonl"
    label = gettext_noop("Predictions (JSON Lines)")
    description = gettext_noop("One object per photo and model version, with the whole score distribution.")
    record = PredictionRecord
