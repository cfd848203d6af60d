"""Annotations as JSON Lines. Pure."""

from annotation.exchange.annotations_csv import AnnotationsCsv
from annotation.exchange.format import JsonLinesFormat
from annotation.exchange.json_table_reader import JsonTableReader
from annotation.exchange.reading import Vote
from annotation.exchange.records import AnnotationRecord
from annotation.language import gettext_noop


class AnnotationsJsonLines(JsonLinesFormat[AnnotationRecord], JsonTableReader):
    """One line per row of `Annotation`, with the fields and the order of `AnnotationsCsv`, and read as it is."""

    name = "annotations-jsonl"
    label = gettext_noop("Annotations (JSON Lines)")
    description = gettext_noop(
        "One object per answer or skip, including those that were corrected later. Read: independent votes."
    )
    record = AnnotationRecord
    reads = Vote
    table = AnnotationsCsv()
    example = '{"annotator": "a", "image": "1.jpg", "score": 7, "independent_vote": true}'
