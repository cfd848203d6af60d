"""Annotations as a table. Pure."""

from annotation.exchange.format import CsvFormat
from annotation.exchange.records import AnnotationRecord


class AnnotationsCsv(CsvFormat[AnnotationRecord]):
    """One line a row of `Annotation`, in the order they were recorded.

    Every row is there, also those that a later one supersedes (`supersedes` names the `annotation` replaced) and
    skips (`score` and `watch` are empty then).
    """

    name = "annotations-csv"
    label = "Annotations (CSV)"
    description = "Every answer and skip, also those that a later one replaced: one line each."
    record = AnnotationRecord
