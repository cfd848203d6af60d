"""The histograms of AVA as the code of TANet has them: CSV. Pure."""

from collections.abc import Iterable, Iterator

from annotation.exchange.format import Format
from annotation.exchange.histogram_rows import rows_on_scale
from annotation.exchange.reading import Histogram
from annotation.exchange.records import HistogramRecord
from annotation.exchange.rows import csv_pieces, formula_unguard
from annotation.exchange.table_reader import TableReader
from annotation.exchange.values import count_read, counts_checked, name_read
from annotation.language import gettext_noop


class AvaCsv(Format[HistogramRecord], TableReader):
    """The columns `image_id,score2,…,score11`: the votes for the scores 1 to 10. Other columns are ignored.

    The columns have the number of their place in AVA.txt, not of the score: place 1 has the name of the photo. That is
    why this is a format of its own. In `HistogramCsv` a column score2 is for the score 2.
    Source: He and others, Rethinking image aesthetics assessment: models, datasets and benchmarks (IJCAI 2022).
    """

    name = "ava-csv"
    label = gettext_noop("AVA as CSV (TANet)")
    description = gettext_noop(
        "AVA as CSV: the columns score2 to score11 have the numbers of votes for the scores 1 to 10."
    )
    suffix = ".csv"
    content_type = "text/csv; charset=utf-8"
    record = HistogramRecord
    reads = Histogram
    file_scale = (1, 10)
    by_stem = True
    needed = {"image_id": ("image_id",), **{f"score{place}": (f"score{place}",) for place in range(2, 12)}}

    def row(self, line: int, cells: tuple[str, ...], scale: tuple[int, int]) -> Histogram:
        """Return the histogram of a line. Raises LineError."""
        photo, *counts = cells
        given = [count_read(count, gettext_noop("number of votes")) for count in counts]
        return Histogram(line, name_read(formula_unguard(photo)), counts_checked(given))

    def write(self, rows: Iterable[HistogramRecord], *, for_excel: bool = False) -> Iterator[bytes]:
        """Yield the header and the rows, in UTF-8. for_excel: with a byte order mark.

        Raises ValueError when the scale of a row is not 1 to 10.
        """
        cells = ((name, *counts) for name, counts in rows_on_scale(rows, (1, 10), self.label, by_stem=True))
        return (piece.encode() for piece in csv_pieces(list(self.needed), cells, byte_order_mark=for_excel))
