"""Base class of readers whose files have one row a line, without a header. Pure."""

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path

from annotation.exchange.reading import Row, VoteReader, Wrong
from annotation.exchange.tables import text_rows
from annotation.exchange.values import LineError


class LineReader(VoteReader):
    """A reader of texts with one row a line."""

    @abstractmethod
    def row(self, line: int, text: str, scale: tuple[int, int]) -> Row | None:
        """Return the row of a line, or None for a line that says that nothing is known. Raises LineError."""

    def read(self, path: Path, scale: tuple[int, int]) -> Iterator[Row | Wrong]:
        """Yield the rows of the file, as `VoteReader.read` says."""
        for found in text_rows(path):
            if isinstance(found, Wrong):
                yield found
                continue
            line, text = found
            try:
                row = self.row(line, text, scale)
            except LineError as error:
                yield Wrong(line, str(error))
            else:
                if row is not None:
                    yield row
