"""The histograms of KonIQ-10k. Pure."""

from collections.abc import Iterable, Iterator

from annotation.exchange.format import Format
from annotation.exchange.histogram_rows import rows_on_scale
from annotation.exchange.reading import Histogram
from annotation.exchange.records import HistogramRecord
from annotation.exchange.rows import csv_pieces, formula_unguard
from annotation.exchange.table_reader import TableReader
from annotation.exchange.values import LineError, count_read, counts_checked, name_read, number_read
from annotation.language import gettext_noop

#: How far a fraction times the number of votes may be from a whole number.
_TOLERANCE = 0.01


class Koniq(Format[HistogramRecord], TableReader):
    """The columns `image_name,c1,…,c5,c_total`: votes for the scores 1 to 5, or their fractions of c_total.

    Fractions times c_total must be whole numbers, within 0.01, that add up to c_total. Other columns are ignored: MOS
    is on another scale.
    Source: Hosu and others, KonIQ-10k: an ecologically valid database for deep learning of blind image quality
    assessment (IEEE Transactions on Image Processing, 2020).
    """

    name = "koniq"
    label = gettext_noop("KonIQ-10k")
    description = gettext_noop(
        "KonIQ-10k: one line per photo with the votes for the scores 1 to 5, as numbers or fractions."
    )
    suffix = ".csv"
    content_type = "text/csv; charset=utf-8"
    record = HistogramRecord
    reads = Histogram
    file_scale = (1, 5)
    needed = {
        "image_name": ("image_name",),
        **{f"c{score}": (f"c{score}",) for score in range(1, 6)},
        "c_total": ("c_total",),
    }

    def row(self, line: int, cells: tuple[str, ...], scale: tuple[int, int]) -> Histogram:
        """Return the histogram of a line. Raises LineError."""
        photo, *parts, votes = cells
        total = count_read(votes, "c_total")
        given = [number_read(part, f"c{score}") for score, part in enumerate(parts, start=1)]
        return Histogram(line, name_read(formula_unguard(photo)), counts_checked(_counts(given, total)))

    def write(self, rows: Iterable[HistogramRecord], *, for_excel: bool = False) -> Iterator[bytes]:
        """Yield the header and the rows with numbers of votes, in UTF-8. for_excel: with a byte order mark.

        Raises ValueError when the scale of a row is not 1 to 5.
        """
        of_rows = rows_on_scale(rows, (1, 5), self.label, by_stem=False)
        cells = ((name, *counts, sum(counts)) for name, counts in of_rows)
        return (piece.encode() for piece in csv_pieces(list(self.needed), cells, byte_order_mark=for_excel))


def _counts(given: list[float], total: int) -> list[int]:
    """Return whole numbers of votes from numbers or from fractions. Raises LineError."""
    if any(part < 0 or part > max(1, total) for part in given):
        raise LineError(gettext_noop("c1 to c5 must be from 0 to %(most)s.") % {"most": max(1, total)})
    if sum(given) == total and all(part.is_integer() for part in given):
        return [int(part) for part in given]
    products = [part * total for part in given]
    counts = [round(product) for product in products]
    if any(abs(product - count) > _TOLERANCE for product, count in zip(products, counts, strict=True)):
        texts = ", ".join(f"{product:.4g}" for product in products)
        raise LineError(
            gettext_noop("c1 to c5 times %(total)s votes are %(products)s. These are no whole numbers of votes.")
            % {"total": total, "products": texts}
        )
    if sum(counts) != total:
        raise LineError(
            gettext_noop("c1 to c5 times %(total)s votes add up to %(sum)s votes.")
            % {"total": total, "sum": sum(counts)}
        )
    return counts
