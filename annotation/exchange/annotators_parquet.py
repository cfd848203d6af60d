"""The statistics of annotators as Parquet. Pure."""

from annotation.exchange.parquet import ParquetFormat
from annotation.exchange.records import AnnotatorRecord
from annotation.language import gettext_noop


class AnnotatorsParquet(ParquetFormat[AnnotatorRecord]):
    """One row per annotator with votes."""

    name = "annotators-parquet"
    label = gettext_noop("Annotators (Parquet)")
    description = gettext_noop("One row per annotator with votes: bias, gain, noise, and how well they label watches.")
    record = AnnotatorRecord
