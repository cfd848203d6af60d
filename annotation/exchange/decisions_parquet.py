"""Labels and scores of all photos, with who said so, as Parquet. Pure."""

from annotation.exchange.parquet import ParquetFormat
from annotation.exchange.records import DecisionRecord
from annotation.language import gettext_noop


class DecisionsParquet(ParquetFormat[DecisionRecord]):
    """One row per photo."""

    name = "decisions-parquet"
    label = gettext_noop("Labels and who said so (Parquet)")
    description = gettext_noop(
        "One row per photo with its class, score and watch label, and whether people or the model said so."
    )
    record = DecisionRecord
