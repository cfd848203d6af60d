"""What formats that write one histogram a row share: the scale, the cells and the names. Pure."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import PurePosixPath

from annotation.exchange.records import HistogramRecord
from annotation.files.names import text_encodable


def rows_on_scale(
    rows: Iterable[HistogramRecord], scale: tuple[int, int], label: str, *, by_stem: bool
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield (name, votes for each score) of rows. by_stem: names are without their extension.

    Raises ValueError when the scale of a row is another one.
    """
    for row in rows:
        if (row.lowest, row.lowest + len(row.counts) - 1) != scale:
            raise ValueError(f"{label} needs the scale {scale[0]} to {scale[1]}.")
        yield (stem_of(row.file) if by_stem else row.file), row.counts


def histogram_cells(rows: Iterable[HistogramRecord]) -> tuple[range, Iterator[tuple[object, ...]]]:
    """Return the scores of the scale, and for each row the file and the votes for each score.

    Without rows the scale is not known, and there are no scores. The rows raise ValueError when their scales differ.
    """
    rest = iter(rows)
    first = next(rest, None)
    scores = range(first.lowest, first.lowest + len(first.counts)) if first else range(0)

    def cells(row: HistogramRecord) -> tuple[object, ...]:
        if range(row.lowest, row.lowest + len(row.counts)) != scores:
            raise ValueError("The histograms of one file need one scale.")
        return row.file, *row.counts

    return scores, map(cells, chain([first] if first else [], rest))


def stem_of(file: str) -> str:
    """Return the name of a photo without its extension."""
    path = PurePosixPath(file)
    return text_encodable(str(path.with_suffix("")) if path.suffix else file)
