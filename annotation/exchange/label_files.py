"""Finds out which format a table of labels has. Pure."""

from pathlib import Path

from annotation.exchange.annotations_csv import AnnotationsCsv
from annotation.exchange.ava_csv import AvaCsv
from annotation.exchange.eva import Eva
from annotation.exchange.histogram_csv import HistogramCsv
from annotation.exchange.image_folder import ImageFolder
from annotation.exchange.koniq import Koniq
from annotation.exchange.mean_csv import MeanCsv
from annotation.exchange.observer_csv import ObserverCsv
from annotation.exchange.reading import VoteFileError, VoteReader, Wrong
from annotation.exchange.table_reader import TableReader, column_name
from annotation.exchange.tables import table_rows, text_rows
from annotation.exchange.values import LineError, json_object
from annotation.exchange.votes_csv import VotesCsv
from annotation.exchange.votes_jsonl import VotesJsonLines
from annotation.exchange.watch_csv import WatchCsv
from annotation.exchange.watch_jsonl import WatchJsonLines
from annotation.language import gettext_noop

# The first that fits is taken, so the ones that need most columns come first.
_TABLES: tuple[TableReader, ...] = (
    *(AnnotationsCsv(), VotesCsv(), Koniq(), AvaCsv(), Eva(), MeanCsv(), HistogramCsv(), ObserverCsv(), WatchCsv()),
)
_FOLDER_TABLE = "metadata.jsonl"

Found = tuple[VoteReader, tuple[int, int] | None]
"""The format, and the scale that the header of the file shows; None: the scale of the format or of the campaign."""


def label_reader(path: Path, scale: tuple[int, int]) -> Found:
    """Return the format of a table by its name and its columns.

    scale: lowest and highest score of the campaign. Histograms can have another one, which their columns show. Raises
    VoteFileError when no format fits, with a sentence that says what would, and OSError.
    """
    if path.suffix.lower() == ".jsonl":
        if path.name == _FOLDER_TABLE:
            return ImageFolder(), None
        return (WatchJsonLines() if _has_watch_alone(path) else VotesJsonLines()), None
    for reader in _TABLES:
        own = _scale_of_columns(path) if isinstance(reader, HistogramCsv) else None
        if reader.fits(path, own or reader.file_scale or scale):
            return reader, own
    raise VoteFileError(
        gettext_noop(
            "It is a table, but none of labels: those have a column with the name of the photo (file), and a "
            "score, a MOS, a watch label, or one column for each score. The page Import votes lists the "
            "formats."
        )
    )


def _has_watch_alone(path: Path) -> bool:
    """Return whether the first line of JSON Lines has a watch label, and neither a score nor an annotator."""
    first = next((row for row in text_rows(path) if not isinstance(row, Wrong)), None)
    try:
        keys = set(json_object(first[1], "") if first else ())
    except LineError:
        return False
    votes = VotesCsv.needed
    return "watch" in keys and not keys & {*votes["score"], *votes["annotator"]}


def _scale_of_columns(path: Path) -> tuple[int, int] | None:
    """Return the scale of a histogram with the columns 1, 2, 3 or score1, score2, score3; None for another table."""
    rows = table_rows(path, lambda header: len(header) > 1)
    _line, header = next(rows)
    assert isinstance(header, list)  # the first one is the header
    names = [column_name(name).removeprefix("score").removeprefix("_") for name in header]
    scores = sorted(int(name) for name in names if name.isascii() and name.isdecimal() and len(name) < 4)
    if len(scores) < 2 or scores != list(range(scores[0], scores[-1] + 1)):
        return None
    return scores[0], scores[-1]
