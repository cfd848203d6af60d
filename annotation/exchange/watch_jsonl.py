"""Watch labels from nobody that is known, as JSON Lines. Pure."""

from annotation.exchange.format import JsonLinesFormat
from annotation.exchange.json_table_reader import JsonTableReader
from annotation.exchange.reading import WatchLabel
from annotation.exchange.records import WatchRecord
from annotation.exchange.watch_csv import WatchCsv
from annotation.language import gettext_noop


class WatchJsonLines(JsonLinesFormat[WatchRecord], JsonTableReader):
    """One object per photo, with the columns of `WatchCsv` as keys."""

    name = "watch-jsonl"
    label = gettext_noop("Watch labels (JSON Lines)")
    description = gettext_noop("One object per photo: file, and whether it shows a watch (yes, no or unsure).")
    record = WatchRecord
    reads = WatchLabel
    table = WatchCsv()
    example = '{"file": "1.jpg", "watch": "yes"}'
