"""Predictions as CSV. Pure."""

from annotation.exchange.format import CsvFormat
from annotation.exchange.records import PredictionRecord
from annotation.language import gettext_noop


class PredictionsCsv(CsvFormat[PredictionRecord]):
    """One line per prediction. The probabilities of the scores are in one cell, with spaces between them."""

    name = "predictions-csv"
    label = gettext_noop("Predictions (CSV)")
    description = gettext_noop("One line per photo and model version, with the whole score distribution.")
    record = PredictionRecord
