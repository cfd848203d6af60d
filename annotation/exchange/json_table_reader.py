"""Base class of readers whose files are tables as JSON Lines: one object a line. Pure."""

from typing import ClassVar

from annotation.exchange.line_reader import LineReader
from annotation.exchange.reading import Row
from annotation.exchange.rows import formula_guard
from annotation.exchange.table_reader import TableReader
from annotation.exchange.values import json_object, json_text


class JsonTableReader(LineReader):
    """A reader of the same table as a reader of CSV, with its columns as keys. Names can also be whole numbers."""

    table: ClassVar[TableReader]
    """The reader of the same columns from CSV."""
    example: ClassVar[str]
    """A line, for a message."""

    def row(self, line: int, text: str, scale: tuple[int, int]) -> Row | None:
        """Return the row of a line, or None for a line that has none. Raises LineError."""
        entry = json_object(text, self.example)
        cells = []
        for column, names in {**self.table.columns(scale), **self.table.optional}.items():
            value = next((entry[name] for name in names if name in entry), None)
            cell = str(value).lower() if isinstance(value, bool) and column in self.table.flags else None
            # Texts are as they are stored. The apostrophe that the reader of CSV removes is set first.
            cells.append(formula_guard(json_text(value, column) if cell is None else cell))
        return self.table.row(line, tuple(cells), scale)
