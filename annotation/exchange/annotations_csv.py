"""Annotations as CSV. Pure."""

from annotation.exchange.format import CsvFormat
from annotation.exchange.reading import Vote
from annotation.exchange.records import AnnotationRecord
from annotation.exchange.table_reader import PHOTO_NAMES, TableReader
from annotation.exchange.values import yes_read
from annotation.exchange.votes_csv import VotesCsv
from annotation.language import gettext_noop


class AnnotationsCsv(CsvFormat[AnnotationRecord], TableReader):
    """One line per row of `Annotation`, in the order of recording.

    It contains every row, including superseded ones (`supersedes` is the number of the `annotation` that a row
    replaces) and skips (with empty `score` and `watch`). An import takes only the independent votes: it stores votes
    that were given without seeing a prediction, one for each person and photo.
    """

    name = "annotations-csv"
    label = gettext_noop("Annotations (CSV)")
    description = gettext_noop(
        "One line per answer or skip, including those that were corrected later. Read: independent votes."
    )
    record = AnnotationRecord
    reads = Vote
    needed = {
        "annotator": ("annotator",),
        "image": tuple(reversed(PHOTO_NAMES)),
        "score": ("score",),
        "independent_vote": ("independent_vote",),
    }
    optional = {"watch": ("watch",), "created_at": ("created_at",)}
    flags = ("independent_vote",)

    def row(self, line: int, cells: tuple[str, ...], scale: tuple[int, int]) -> Vote | None:
        """Return the vote of a line; None for a skip, and for an answer that is no independent vote."""
        annotator, photo, score, independent, watch, created_at = cells
        if not yes_read(independent, "value of independent_vote"):
            return None
        return VotesCsv().row(line, (annotator, photo, score, watch, created_at), scale)
