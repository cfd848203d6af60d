"""The histograms of AVA as the code of TANet has them: CSV. Pure."""

from annotation.exchange.reading import Histogram
from annotation.exchange.table_reader import TableReader
from annotation.exchange.values import count_read, counts_checked, name_read


class AvaCsv(TableReader):
    """The columns `image_id,score2,…,score11`: the votes for the scores 1 to 10. Other columns are ignored.

    The columns have the number of their place in AVA.txt, not of the score: place 1 has the name of the photo. That is
    why this is a format of its own. In `HistogramCsv` a column score2 is for the score 2.
    Source: He and others, Rethinking image aesthetics assessment: models, datasets and benchmarks (IJCAI 2022).
    """

    name = "ava-csv"
    label = "AVA as CSV (TANet)"
    description = "AVA as CSV: the columns score2 to score11 have the numbers of votes for the scores 1 to 10."
    reads = Histogram
    file_scale = (1, 10)
    by_stem = True
    needed = {"image_id": ("image_id",), **{f"score{place}": (f"score{place}",) for place in range(2, 12)}}

    def row(self, line: int, cells: tuple[str, ...], scale: tuple[int, int]) -> Histogram:
        """Return the histogram of a line. Raises LineError."""
        photo, *counts = cells
        given = [count_read(count, "number of votes") for count in counts]
        return Histogram(line, name_read(photo), counts_checked(given))
