"""Writes Parquet in row groups, so that a table can be of any length. Pure.

The files are written with arro3, which is imported when the first file is written.
"""

import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from annotation.exchange.format import Format, Record
from annotation.files.names import text_encodable

_GROUP = 50_000  # rows in one row group; only these are in memory
_PIECE = 256 * 1024  # bytes
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class ParquetFormat(Format[Record]):
    """A Parquet table with a column for each field of its record. Unknown values are null, times are in UTC."""

    suffix = ".parquet"
    content_type = "application/vnd.apache.parquet"
    is_text = False

    def write(self, rows: Iterable[Record], *, for_excel: bool = False) -> Iterator[bytes]:
        """Yield the file in pieces. All rows are read first, because the end of the file lists the row groups.

        They are written into a temporary file on the disk.
        """
        with TemporaryFile() as file:
            parquet_write(columns_of(self.record), rows, file)
            yield from file_pieces(file)


def file_pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content of a file, from its start."""
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece


def columns_of(record: type[Any]) -> dict[str, Any]:
    """Return {field: type of its values} of a NamedTuple, without None: str, int, float, bool, datetime, or a tuple."""
    return {name: _without_none(hint) for name, hint in typing.get_type_hints(record).items()}


def parquet_write(columns: Mapping[str, Any], rows: Iterable[Sequence[Any]], target: str | IO[bytes]) -> None:
    """Write rows with a cell for each column; None is null, but a tuple is never None.

    columns: {name: type}, see `columns_of`. Raises OSError, and what the rows raise.
    """
    from arro3.core import RecordBatch, RecordBatchReader
    from arro3.io import write_parquet

    def batch(part: Sequence[Sequence[Any]]) -> RecordBatch:
        arrays = [_array([row[place] for row in part], kind) for place, kind in enumerate(columns.values())]
        return RecordBatch.from_arrays(arrays, names=list(columns))

    raised: list[BaseException] = []

    def batches() -> Iterator[RecordBatch]:
        rest = iter(rows)
        with _errors_kept(raised):
            while part := list(islice(rest, _GROUP)):
                yield batch(part)

    reader = RecordBatchReader.from_batches(batch([]).schema, batches())
    # Files are opened here, because the library panics when it cannot write to one that it has opened.
    with Path(target).open("wb") if isinstance(target, str) else nullcontext(target) as file:
        try:
            with library_errors(OSError):
                kept: Any = _Target(file, raised)
                write_parquet(reader, kept, compression="zstd(3)", max_row_group_size=_GROUP)
        except OSError:
            # The library keeps only the text of what the rows or the file have raised.
            if raised:
                raise raised[0] from None
            raise


@contextmanager
def library_errors(error: type[Exception]) -> Iterator[None]:
    """Turn what arro3 raises into an error of this type: bare Exceptions, and panics, which are no Exceptions."""
    try:
        yield
    except Exception as found:
        raise error(str(found)) from found
    except BaseException as found:
        if type(found).__name__ != "PanicException":  # no module exports this class
            raise
        raise error(str(found)) from found


@contextmanager
def _errors_kept(raised: list[BaseException]) -> Iterator[None]:
    """Append what is raised to a list, and raise it."""
    try:
        yield
    except GeneratorExit:
        raise
    except BaseException as error:
        raised.append(error)
        raise


class _Target:
    """A file that keeps the errors of its writes."""

    def __init__(self, file: IO[bytes], raised: list[BaseException]) -> None:
        self._file = file
        self._raised = raised

    def write(self, data: bytes) -> int:
        with _errors_kept(self._raised):
            return self._file.write(data)

    def flush(self) -> None:
        with _errors_kept(self._raised):
            self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _without_none(hint: Any) -> Any:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        (hint,) = (one for one in typing.get_args(hint) if one is not types.NoneType)
    return hint


def _array(values: list[Any], kind: Any) -> Any:
    """Return an Arrow array of the values."""
    from arro3.core import Array, DataType, list_array

    if typing.get_origin(kind) is tuple:
        ends = [0]
        for value in values:
            ends.append(ends[-1] + len(value))
        inner = [one for value in values for one in value]
        return list_array(Array(ends, type=DataType.int32()), _array(inner, typing.get_args(kind)[0]))
    if kind is datetime:
        times = [None if value is None else (value - _EPOCH) // _MICROSECOND for value in values]
        return Array(times, type=DataType.int64()).cast(DataType.timestamp("us", tz="UTC"))
    if kind is str:
        values = [None if value is None else text_encodable(str(value)) for value in values]
    of_kind = {str: DataType.utf8(), int: DataType.int64(), float: DataType.float64(), bool: DataType.bool()}
    return Array(values, type=of_kind[kind])
