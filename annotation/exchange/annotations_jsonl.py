"""Annotations as JSON Lines. Pure."""

from annotation.exchange.format import JsonLinesFormat
from annotation.exchange.records import AnnotationRecord


class AnnotationsJsonLines(JsonLinesFormat[AnnotationRecord]):
    """One line per row of `Annotation`, with the fields and the order of `AnnotationsCsv`."""

    name = "annotations-jsonl"
    label = "Annotations (JSON Lines)"
    description = "One object per answer or skip, including those that were corrected later."
    record = AnnotationRecord
