"""The statistics of annotators as Parquet. Pure."""

from annotation.exchange.parquet import ParquetFormat
from annotation.exchange.records import AnnotatorRecord


class AnnotatorsParquet(ParquetFormat[AnnotatorRecord]):
    """One row per annotator with votes."""

    name = "annotators-parquet"
    label = "Annotators (Parquet)"
    description = "One row per annotator with votes: bias, gain, noise, and how well they label watches."
    record = AnnotatorRecord
