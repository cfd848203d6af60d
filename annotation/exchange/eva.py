"""The votes of the data set EVA. Pure."""

from annotation.exchange.reading import Vote
from annotation.exchange.table_reader import TableReader
from annotation.exchange.values import name_read, score_read
from annotation.language import gettext_noop


class Eva(TableReader):
    """A table separated by = with the columns `image_id`, `user_id` and `score`, such as votes_filtered.csv.

    Scores are from 0 to 10. The names of the photos lack their extension. Other columns are ignored.
    Source: Kang, Valenzise and Dufaux, EVA: an explainable visual aesthetics dataset (ATQAM/MAST 2020).
    """

    name = "eva"
    label = gettext_noop("EVA")
    description = gettext_noop("EVA: one line per vote with image_id, user_id and score, separated by =.")
    reads = Vote
    file_scale = (0, 10)
    by_stem = True
    needed = {"user_id": ("user_id",), "image_id": ("image_id",), "score": ("score",)}
    delimiters = "="
    allows_more_cells = True  # the last columns are answers of any kind

    def row(self, line: int, cells: tuple[str, ...], scale: tuple[int, int]) -> Vote:
        """Return the vote of a line. Raises LineError."""
        annotator, photo, score = cells
        return Vote(
            line,
            name_read(photo),
            name_read(annotator, gettext_noop("name of the annotator")),
            score_read(score, scale),
        )
