"""Base classes of the exchange formats. Pure."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from annotation.exchange.rows import ROWS, csv_pieces
from annotation.files.names import text_encodable

Record = TypeVar("Record", bound=NamedTuple)


class Format(ABC, Generic[Record]):
    """One file format. A readable format also has a method `read` from a binary file to records."""

    name: ClassVar[str]
    """Name in commands and URLs."""
    label: ClassVar[str]
    """Name on pages."""
    description: ClassVar[str]
    """One sentence about its content."""
    suffix: ClassVar[str]
    """File extension, with the dot."""
    content_type: ClassVar[str]
    """HTTP content type."""
    is_text: ClassVar[bool] = True
    """Whether a terminal can show the file."""
    record: ClassVar[type[Any]]
    """Type of its rows, from `annotation.exchange.records`."""

    @abstractmethod
    def write(self, rows: Iterable[Record], *, for_excel: bool = False) -> Iterator[bytes]:
        """Yield the file in pieces while reading the rows.

        for_excel: mark the encoding of a text file in the way that Excel needs. Other formats ignore it.
        """


class CsvFormat(Format[Record]):
    """A CSV table with a column for each field of its record, written by `csv_pieces`."""

    suffix = ".csv"
    content_type = "text/csv; charset=utf-8"

    def write(self, rows: Iterable[Record], *, for_excel: bool = False) -> Iterator[bytes]:
        """Yield the header and the rows, in UTF-8. for_excel: with a byte order mark."""
        pieces = csv_pieces(self.record._fields, rows, byte_order_mark=for_excel)
        return (piece.encode() for piece in pieces)


class JsonLinesFormat(Format[Record]):
    """One JSON object a line, with a key for each field of its record. Unknown values are null, times are in UTC."""

    suffix = ".jsonl"
    content_type = "application/jsonl"

    def write(self, rows: Iterable[Record], *, for_excel: bool = False) -> Iterator[bytes]:
        """Yield the lines in UTF-8, `ROWS` at a time. Texts are as they are stored: no program runs them."""
        rest = iter(rows)
        while piece := list(islice(rest, ROWS)):
            yield "".join(f"{json.dumps(self._object(row), ensure_ascii=False)}\n" for row in piece).encode()

    @staticmethod
    def _object(row: Record) -> dict[str, object]:
        return {name: _json_value(value) for name, value in row._asdict().items()}


def _json_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return text_encodable(value) if isinstance(value, str) else value
