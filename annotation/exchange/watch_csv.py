"""Watch labels from nobody that is known, as CSV. Pure."""

from annotation.exchange.format import CsvFormat
from annotation.exchange.reading import WatchLabel
from annotation.exchange.records import WatchRecord
from annotation.exchange.rows import formula_unguard
from annotation.exchange.table_reader import PHOTO_NAMES, TableReader
from annotation.exchange.values import LineError, name_read, watch_label_read
from annotation.language import gettext_noop


class WatchCsv(CsvFormat[WatchRecord], TableReader):
    """The columns `file,watch`. Nothing is known about the quality of the photos, or about who gave the labels."""

    name = "watch-csv"
    label = gettext_noop("Watch labels (CSV)")
    description = gettext_noop("One line per photo: file, and whether it shows a watch (yes, no or unsure).")
    record = WatchRecord
    reads = WatchLabel
    needed = {"file": (*PHOTO_NAMES, "file_name"), "watch": ("watch",)}
    flags = ("watch",)

    def row(self, line: int, cells: tuple[str, ...], scale: tuple[int, int]) -> WatchLabel:
        """Return the label of a line. Raises LineError."""
        photo, watch = cells
        label = watch_label_read(watch)
        if not label:
            raise LineError(gettext_noop("The watch label is missing."))
        return WatchLabel(line, name_read(formula_unguard(photo)), label)
