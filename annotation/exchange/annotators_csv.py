"""The statistics of each annotator as CSV. Pure."""

from annotation.exchange.format import CsvFormat
from annotation.exchange.records import AnnotatorRecord
from annotation.language import gettext_noop


class AnnotatorsCsv(CsvFormat[AnnotatorRecord]):
    """One line per annotator with votes."""

    name = "annotators-csv"
    label = gettext_noop("Annotators (CSV)")
    description = gettext_noop("One line per annotator with votes: bias, gain, noise, and how well they label watches.")
    record = AnnotatorRecord
