"""The histograms of DPChallenge. Pure."""

from annotation.exchange.line_reader import LineReader
from annotation.exchange.reading import Histogram
from annotation.exchange.values import LineError, count_read, counts_checked, mean_read, name_read
from annotation.language import gettext_noop

_COLUMNS = 14
_UNKNOWN = ["0", *["-1"] * 11]
_TOLERANCE = 0.01


class DpChallenge(LineReader):
    """14 columns separated by spaces: number of the line, photo, votes, mean, votes for the scores 1 to 10.

    The names of the photos lack their extension. A line with 0 votes and -1 in all columns after it is left out: the
    data set does not know the votes of this photo. Votes and mean must fit the ten numbers.
    Source: Datta, Li and Wang, Algorithmic inferencing of aesthetics and emotion in natural images (ICIP 2008).
    """

    name = "dpchallenge"
    label = gettext_noop("DPChallenge")
    description = gettext_noop("DPChallenge: one line per photo with the numbers of votes for the scores 1 to 10.")
    reads = Histogram
    file_scale = (1, 10)
    by_stem = True

    def row(self, line: int, text: str, scale: tuple[int, int]) -> Histogram | None:
        """Return the histogram of a line, or None when its votes are not known. Raises LineError."""
        cells = text.split()
        if len(cells) != _COLUMNS:
            raise LineError(
                gettext_noop("The line has %(count)s columns, but the format has %(columns)s, separated by spaces.")
                % {"count": len(cells), "columns": _COLUMNS}
            )
        _number, photo, votes, mean, *rest = cells
        if [votes, mean, *rest] == _UNKNOWN:
            return None
        counts = counts_checked([count_read(cell, gettext_noop("number of votes")) for cell in rest])
        total = sum(counts)
        if count_read(votes, gettext_noop("total number of votes")) != total:
            raise LineError(
                gettext_noop("The line says %(votes)s votes, but its ten numbers add up to %(total)s.")
                % {"votes": votes, "total": total}
            )
        counted = sum(score * given for score, given in enumerate(counts, start=1)) / total
        if abs(mean_read(mean, scale) - counted) > _TOLERANCE:
            raise LineError(
                gettext_noop("The line says that the mean is %(mean)s, but its ten numbers have the mean %(counted)s.")
                % {"mean": mean, "counted": f"{counted:.4f}"}
            )
        return Histogram(line, name_read(photo), counts)
