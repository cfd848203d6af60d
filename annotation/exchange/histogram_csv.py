"""Histograms of votes as CSV. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from annotation.exchange.format import Format
from annotation.exchange.histogram_rows import histogram_cells
from annotation.exchange.reading import Histogram, VoteFileError
from annotation.exchange.records import HistogramRecord
from annotation.exchange.rows import csv_pieces, formula_unguard
from annotation.exchange.table_reader import PHOTO_NAMES, Columns, TableReader
from annotation.exchange.values import count_read, counts_checked, name_read
from annotation.language import gettext_noop

_SCORE_NAME = re.compile(r"(?:score)?_?([0-9]{1,9})")


class HistogramCsv(Format[HistogramRecord], TableReader):
    """One line per photo, with a column for each score of the scale: `file,1,2,3` or `file,score1,score2,score3`.

    The header says which column is for which score, so a column for a score outside the scale is refused.
    """

    name = "histogram-csv"
    label = gettext_noop("Histograms (CSV)")
    description = gettext_noop("One line per photo: file, and a column for each score with the number of its votes.")
    suffix = ".csv"
    content_type = "text/csv; charset=utf-8"
    record = HistogramRecord
    reads = Histogram
    needed = {"file": PHOTO_NAMES}

    def columns(self, scale: tuple[int, int]) -> Columns:
        """Return the column of the photo's name and one for each score of the scale."""
        scores = {str(score): (str(score), f"score{score}", f"score_{score}") for score in _scores(scale)}
        return {**self.needed, **scores}

    def header_check(self, names: list[str], scale: tuple[int, int]) -> None:
        """Raise VoteFileError when a score has two columns, or is outside the scale."""
        scores = [int(found[1]) for name in names if (found := _SCORE_NAME.fullmatch(name))]
        outside = [score for score in scores if score not in _scores(scale)]
        if outside:
            words = (
                gettext_noop(
                    "The file has a column for the score %(score)s, but the scale is from %(low)s to %(high)s. "
                    "The counts of AVA in columns score2 to score11 are the format ava-csv."
                )
                if outside == [11]
                else gettext_noop(
                    "The file has a column for the score %(score)s, but the scale is from %(low)s to %(high)s."
                )
            )
            raise VoteFileError(words % {"score": outside[0], "low": scale[0], "high": scale[1]})
        for score, times in Counter(scores).items():
            if times > 1:
                raise VoteFileError(
                    gettext_noop("The file has %(times)s columns for the score %(score)s.")
                    % {"times": times, "score": score}
                )

    def row(self, line: int, cells: tuple[str, ...], scale: tuple[int, int]) -> Histogram:
        """Return the histogram of a line. Raises LineError."""
        photo, *counts = cells
        given = [count_read(count, gettext_noop("number of votes")) for count in counts]
        return Histogram(line, name_read(formula_unguard(photo)), counts_checked(given))

    def write(self, rows: Iterable[HistogramRecord], *, for_excel: bool = False) -> Iterator[bytes]:
        """Yield the header and the rows, in UTF-8. for_excel: with a byte order mark.

        Without rows the scores are not known, so the header has only `file`. Raises ValueError when the rows have
        different scales.
        """
        scores, cells = histogram_cells(rows)
        pieces = csv_pieces(["file", *map(str, scores)], cells, byte_order_mark=for_excel)
        return (piece.encode() for piece in pieces)


def _scores(scale: tuple[int, int]) -> range:
    return range(scale[0], scale[1] + 1)
