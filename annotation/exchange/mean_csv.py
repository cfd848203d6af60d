"""Means of votes as CSV. Pure."""

from annotation.exchange.reading import MeanScore
from annotation.exchange.rows import formula_unguard
from annotation.exchange.table_reader import PHOTO_NAMES, TableReader
from annotation.exchange.values import LineError, count_read, mean_read, name_read, number_read


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
            _deviation(sos, scale[1] - scale[0]) if sos.strip() else None,
            _votes(votes) if votes.strip() else None,
        )


def _deviation(text: str, most: int) -> float:
    """Return a standard deviation, which is at most the length of the scale. Raises LineError."""
    value = number_read(text, "sos")
    if not 0 <= value <= most:
        raise LineError(f"The sos is {text.strip()}, but a standard deviation on this scale is from 0 to {most}.")
    return value


def _votes(text: str) -> int:
    votes = count_read(text, "number of votes")
    if not votes:
        raise LineError("The mean has 0 votes.")
    return votes
