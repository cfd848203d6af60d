"""The histograms of KonIQ-10k. Pure."""

from annotation.exchange.reading import Histogram
from annotation.exchange.rows import formula_unguard
from annotation.exchange.table_reader import TableReader
from annotation.exchange.values import LineError, count_read, counts_checked, name_read, number_read

#: How far a fraction times the number of votes may be from a whole number.
_TOLERANCE = 0.01


class Koniq(TableReader):
    """The columns `image_name,c1,…,c5,c_total`: votes for the scores 1 to 5, or their fractions of c_total.

    Fractions times c_total must be whole numbers, within 0.01, that add up to c_total. Other columns are ignored: MOS
    is on another scale.
    Source: Hosu and others, KonIQ-10k: an ecologically valid database for deep learning of blind image quality
    assessment (IEEE Transactions on Image Processing, 2020).
    """

    name = "koniq"
    label = "KonIQ-10k"
    description = "KonIQ-10k: one line per photo with the votes for the scores 1 to 5, as numbers or fractions."
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


def _counts(given: list[float], total: int) -> list[int]:
    """Return whole numbers of votes from numbers or from fractions. Raises LineError."""
    if any(part < 0 or part > max(1, total) for part in given):
        raise LineError(f"c1 to c5 must be from 0 to {max(1, total)}.")
    if sum(given) == total and all(part.is_integer() for part in given):
        return [int(part) for part in given]
    products = [part * total for part in given]
    counts = [round(product) for product in products]
    if any(abs(product - count) > _TOLERANCE for product, count in zip(products, counts, strict=True)):
        texts = ", ".join(f"{product:.4g}" for product in products)
        raise LineError(f"c1 to c5 times {total} votes are {texts}. These are no whole numbers of votes.")
    if sum(counts) != total:
        raise LineError(f"c1 to c5 times {total} votes add up to {sum(counts)} votes.")
    return counts
