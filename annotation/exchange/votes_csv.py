"""Single votes as CSV. Pure."""

from annotation.exchange.format import CsvFormat
from annotation.exchange.reading import Vote
from annotation.exchange.records import VoteRecord
from annotation.exchange.rows import formula_unguard
from annotation.exchange.table_reader import PHOTO_NAMES, TableReader
from annotation.exchange.values import name_read, score_read, time_read, watch_read
from annotation.language import gettext_noop


class VotesCsv(CsvFormat[VoteRecord], TableReader):
    """One line per vote. The columns `watch` and `given_at` can be missing."""

    name = "votes-csv"
    label = gettext_noop("Votes (CSV)")
    description = gettext_noop("One line per vote: annotator, file, score, and if known the watch label and the time.")
    record = VoteRecord
    reads = Vote
    needed = {
        "annotator": ("annotator", "user", "observer", "rater"),
        "file": PHOTO_NAMES,
        "score": ("score", "rating", "vote"),
    }
    optional = {"watch": ("watch",), "given_at": ("given_at",)}

    def row(self, line: int, cells: tuple[str, ...], scale: tuple[int, int]) -> Vote:
        """Return the vote of a line. Raises LineError."""
        annotator, photo, score, watch, given_at = cells
        return Vote(
            line,
            name_read(formula_unguard(photo)),
            name_read(formula_unguard(annotator), gettext_noop("name of the annotator")),
            score_read(score, scale),
            watch and watch_read(watch),
            time_read(given_at) if given_at else None,
        )
