"""What every exchange format is. Pure."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from annotation.exchange.rows import csv_pieces

Record = TypeVar("Record", bound=NamedTuple)


class Format(ABC, Generic[Record]):
    """One kind of file. A format that can also be read gets a method `read` from a binary file to records."""

    name: ClassVar[str]
    """By which commands and addresses call it."""
    label: ClassVar[str]
    """By which pages call it."""
    description: ClassVar[str]
    """One sentence: what is in it, and for whom."""
    suffix: ClassVar[str]
    """Of the file's name, with the dot."""
    content_type: ClassVar[str]
    """For HTTP."""
    record: ClassVar[type[Any]]
    """What its rows are, of `annotation.exchange.records`."""

    @abstractmethod
    def write(self, rows: Iterable[Record]) -> Iterator[bytes]:
        """Yield the file in pieces, while the rows are read."""


class CsvFormat(Format[Record]):
    """A table with a column for each field of its record, as `csv_pieces` writes it."""

    suffix = ".csv"
    content_type = "text/csv; charset=utf-8"

    def write(self, rows: Iterable[Record]) -> Iterator[bytes]:
        """Yield the header and the rows, in UTF-8."""
        return (piece.encode() for piece in csv_pieces(self.record._fields, rows))
