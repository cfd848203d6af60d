"""Watch labels from nobody that is known, as JSON Lines. Pure."""

from annotation.exchange.format import JsonLinesFormat
from annotation.exchange.json_table_reader import JsonTableReader
from annotation.exchange.reading import WatchLabel
from annotation.exchange.records import WatchRecord
from annotation.exchange.watch_csv import WatchCsv


class WatchJsonLines(JsonLinesFormat[WatchRecord], JsonTableReader):
    """One object per photo, with the columns of `WatchCsv` as keys."""

    name = "watch-jsonl"
    label = "Watch labels (JSON Lines)"
    description = "One object per photo: file, and whether it shows a watch (yes, no or unsure)."
    record = WatchRecord
    reads = WatchLabel
    table = WatchCsv()
    example = '{"file": "1.jpg", "watch": "yes"}'
