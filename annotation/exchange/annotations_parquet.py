"""Annotations as Parquet. Pure."""

from annotation.exchange.parquet import ParquetFormat
from annotation.exchange.records import AnnotationRecord


class AnnotationsParquet(ParquetFormat[AnnotationRecord]):
    """One row per row of `Annotation`, in the order of recording."""

    name = "annotations-parquet"
    label = "Annotations (Parquet)"
    description = "One row per answer or skip, including those that were corrected later."
    record = AnnotationRecord
