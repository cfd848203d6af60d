"""Annotations as CSV. Pure."""

from annotation.exchange.format import CsvFormat
from annotation.exchange.records import AnnotationRecord


class AnnotationsCsv(CsvFormat[AnnotationRecord]):
    """One line per row of `Annotation`, in the order of recording.

    It contains every row, including superseded ones (`supersedes` is the number of the `annotation` that a row
    replaces) and skips (with empty `score` and `watch`).
    """

    name = "annotations-csv"
    label = "Annotations (CSV)"
    description = "One line per answer or skip, including those that were corrected later."
    record = AnnotationRecord
