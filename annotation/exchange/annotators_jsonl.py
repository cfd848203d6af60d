"""The statistics of each annotator as JSON Lines. Pure."""

from annotation.exchange.format import JsonLinesFormat
from annotation.exchange.records import AnnotatorRecord
from annotation.language import gettext_noop


class AnnotatorsJsonLines(JsonLinesFormat[AnnotatorRecord]):
    """One line per annotator with votes."""

    name = "annotators-jsonl"
    label = gettext_noop("Annotators (JSON Lines)")
    description = gettext_noop("One line per annotator with votes: bias, gain, noise, and how well they label watches.")
    record = AnnotatorRecord
