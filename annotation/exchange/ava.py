"""AVA.txt, the histograms of the data set AVA. Pure."""

from collections.abc import Iterable, Iterator
from itertools import count, islice
from pathlib import PurePosixPath

from annotation.exchange.format import Format
from annotation.exchange.line_reader import LineReader
from annotation.exchange.reading import Histogram
from annotation.exchange.records import HistogramRecord
from annotation.exchange.rows import ROWS, formula_guard, formula_unguard
from annotation.exchange.values import LineError, count_read, counts_checked, name_read
from annotation.files.names import text_encodable
from annotation.language import gettext_noop

_COUNTS = 10
_AFTER_COUNTS = 3  # two tags and a challenge


class Ava(Format[HistogramRecord], LineReader):
    """15 columns separated by spaces: number of the line, photo, votes for the scores 1 to 10, two tags, challenge.

    The names of the photos lack their extension. Tags and challenge are not read; 0 is written, which means none.
    Source: Murray, Marchesotti and Perronnin, AVA: A large-scale database for aesthetic visual analysis (CVPR 2012).
    """

    name = "ava"
    label = gettext_noop("AVA.txt")
    description = gettext_noop("AVA.txt: one line per photo with the numbers of votes for the scores 1 to 10.")
    suffix = ".txt"
    content_type = "text/plain; charset=utf-8"
    record = HistogramRecord
    reads = Histogram
    file_scale = (1, 10)
    by_stem = True

    def row(self, line: int, text: str, scale: tuple[int, int]) -> Histogram:
        """Return the histogram of a line. Raises LineError."""
        # From the right, because a name can have spaces.
        start, *others = text.rsplit(None, _COUNTS + _AFTER_COUNTS)
        number_and_name = start.split(None, 1)
        if len(others) < _COUNTS + _AFTER_COUNTS or len(number_and_name) < 2:
            columns = len(number_and_name) + len(others)
            raise LineError(
                gettext_noop("The line has %(columns)s columns, but the format has 15, separated by spaces.")
                % {"columns": columns}
            )
        counts = [count_read(cell, gettext_noop("number of votes")) for cell in others[:_COUNTS]]
        return Histogram(line, name_read(formula_unguard(number_and_name[1])), counts_checked(counts))

    def write(self, rows: Iterable[HistogramRecord], *, for_excel: bool = False) -> Iterator[bytes]:
        r"""Yield the lines in UTF-8. Names are without their extension; a line end in a name becomes \n or \r.

        Raises ValueError when the scale of a row is not 1 to 10.
        """
        lines = map(_line, count(1), rows)
        while piece := "".join(islice(lines, ROWS)):
            yield piece.encode()


def _line(number: int, row: HistogramRecord) -> str:
    if (row.lowest, len(row.counts)) != (1, _COUNTS):
        raise ValueError("AVA.txt needs the scale 1 to 10.")
    path = PurePosixPath(row.file)
    name = str(path.with_suffix("")) if path.suffix else row.file
    guarded = formula_guard(text_encodable(name).replace("\n", "\\n").replace("\r", "\\r"))
    return f"{number} {guarded} {' '.join(map(str, row.counts))} 0 0 0\n"
