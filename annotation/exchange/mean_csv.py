"""Means of votes as CSV. Pure."""

from annotation.exchange.reading import MeanScore, WatchLabel
from annotation.exchange.rows import formula_unguard
from annotation.exchange.table_reader import PHOTO_NAMES, TableReader
from annotation.exchange.values import LineError, count_read, deviation_read, mean_read, name_read, watch_label_read
from annotation.language import gettext_noop


class MeanCsv(TableReader):
    """The columns `file,mos`, and if known `sos` (standard deviation of the votes), `votes` (their number), `watch`.

    A line needs a mean or a watch label.
    """

    name = "mean-csv"
    label = gettext_noop("Means (CSV)")
    description = gettext_noop(
        "One line per photo: file, mos, and if known sos, the number of votes and the watch label."
    )
    reads = MeanScore
    needed = {"file": PHOTO_NAMES, "mos": ("mos",)}
    optional = {"sos": ("sos",), "votes": ("votes",), "watch": ("watch",)}

    def row(self, line: int, cells: tuple[str, ...], scale: tuple[int, int]) -> MeanScore | WatchLabel:
        """Return the mean of a line, or only its watch label. Raises LineError."""
        photo, mos, sos, votes, watch = cells
        label = watch and watch_label_read(watch)
        if label and not (mos + sos + votes).strip():
            return WatchLabel(line, name_read(formula_unguard(photo)), label)
        return MeanScore(
            line,
            name_read(formula_unguard(photo)),
            mean_read(mos, scale, "mos"),
            deviation_read(sos, scale) if sos.strip() else None,
            _votes(votes) if votes.strip() else None,
            label,
        )


def _votes(text: str) -> int:
    votes = count_read(text, gettext_noop("number of votes"))
    if not votes:
        raise LineError(gettext_noop("The mean has 0 votes."))
    return votes
