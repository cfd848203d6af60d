"""Annotations as Parquet. Pure."""

from annotation.exchange.annotations_csv import AnnotationsCsv
from annotation.exchange.parquet import ParquetFormat
from annotation.exchange.parquet_reader import ParquetReader
from annotation.exchange.reading import Vote
from annotation.exchange.records import AnnotationRecord
from annotation.language import gettext_noop


class AnnotationsParquet(ParquetFormat[AnnotationRecord], ParquetReader):
    """One row per row of `Annotation`, in the order of recording, and read as `AnnotationsCsv`."""

    name = "annotations-parquet"
    label = gettext_noop("Annotations (Parquet)")
    description = gettext_noop(
        "One row per answer or skip, including those that were corrected later. Read: independent votes."
    )
    record = AnnotationRecord
    reads = Vote
    table = AnnotationsCsv()
