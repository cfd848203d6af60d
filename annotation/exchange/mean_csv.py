"""Means of votes as CSV. Pure."""

from annotation.exchange.reading import MeanScore
from annotation.exchange.rows import formula_unguard
from annotation.exchange.table_reader import PHOTO_NAMES, TableReader
from annotation.exchange.values import LineError, count_read, deviation_read, mean_read, name_read


class MeanCsv(TableReader):
    """The columns `file,mos`, and if known `sos` (the standard deviation of the votes) and `votes` (their number)."""

    name = "mean-csv"
    label = "Means (CSV)"
    description = "One line per photo: file, mos, and if known sos and the number of votes."
    reads = MeanScore
    needed = {"file": PHOTO_NAMES, "mos": ("mos",)}
    optional = {"sos": ("sos",), "votes": ("votes",)}

    def row(self, line: int, cells: tuple[str, ...], scale: tuple[int, int]) -> MeanScore:
        """Return the mean of a line. Raises LineError."""
        photo, mos, sos, votes = cells
        return MeanScore(
            line,
            name_read(formula_unguard(photo)),
            mean_read(mos, scale, "mos"),
            deviation_read(sos, scale) if sos.strip() else None,
            _votes(votes) if votes.strip() else None,
        )


def _votes(text: str) -> int:
    votes = count_read(text, "number of votes")
    if not votes:
        raise LineError("The mean has 0 votes.")
    return votes
