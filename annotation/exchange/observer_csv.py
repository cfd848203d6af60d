"""The votes of one person as CSV. Pure."""

from collections.abc import Iterator
from pathlib import Path

from annotation.exchange.reading import NAME_LENGTH, Row, Vote, Wrong
from annotation.exchange.rows import formula_unguard
from annotation.exchange.table_reader import TableReader
from annotation.exchange.values import name_read, score_read, watch_read
from annotation.files.names import name_shortened, name_text
from annotation.language import gettext_noop


class ObserverCsv(TableReader):
    """The columns `Image Name,Vote`, and if known `watch`. The annotator is the name of the file without its extension.

    Other columns are ignored, also times, because they have no time zone.
    """

    name = "observer-csv"
    label = gettext_noop("Votes of one person (CSV)")
    description = gettext_noop(
        "The votes of one person: Image Name (or file), Vote (or score), and if known watch. The name of the file is "
        "the name of the annotator."
    )
    reads = Vote
    needed = {"Image Name": ("image_name", "file", "image", "photo"), "Vote": ("vote", "score", "rating")}
    optional = {"watch": ("watch",)}

    def read(self, path: Path, scale: tuple[int, int]) -> Iterator[Row | Wrong]:
        """Yield the votes of the file, as `VoteReader.read` says."""
        annotator = name_shortened(name_text(path.stem), NAME_LENGTH)
        for row in super().read(path, scale):
            yield row._replace(annotator=annotator) if isinstance(row, Vote) else row

    def row(self, line: int, cells: tuple[str, ...], scale: tuple[int, int]) -> Vote:
        """Return the vote of a line, without its annotator. Raises LineError."""
        photo, score, watch = cells
        label = watch and watch_read(watch)
        return Vote(line, name_read(formula_unguard(photo)), "", score_read(score, scale), label)
