"""Watch labels from nobody that is known, as Parquet. Pure."""

from annotation.exchange.parquet import ParquetFormat
from annotation.exchange.parquet_reader import ParquetReader
from annotation.exchange.reading import WatchLabel
from annotation.exchange.records import WatchRecord
from annotation.exchange.watch_csv import WatchCsv
from annotation.language import gettext_noop


class WatchParquet(ParquetFormat[WatchRecord], ParquetReader):
    """One row per photo, with the columns of `WatchCsv`."""

    name = "watch-parquet"
    label = gettext_noop("Watch labels (Parquet)")
    description = gettext_noop("One row per photo: file, and whether it shows a watch (yes, no or unsure).")
    record = WatchRecord
    reads = WatchLabel
    table = WatchCsv()
