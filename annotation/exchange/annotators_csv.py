"""The statistics of each annotator as CSV. Pure."""

from annotation.exchange.format import CsvFormat
from annotation.exchange.records import AnnotatorRecord


class AnnotatorsCsv(CsvFormat[AnnotatorRecord]):
    """One line per annotator with votes."""

    name = "annotators-csv"
    label = "Annotators (CSV)"
    description = "One line per annotator with votes: bias, gain, noise, and how well they label watches."
    record = AnnotatorRecord
