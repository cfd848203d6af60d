"""Score tables: CSV, JSON Lines, Parquet. On disk, each can be resumed after its writer was killed. Pure.

Rows are appended to CSV and JSON Lines files directly. Parquet files cannot be appended to, so rows are collected in a
JSON Lines file beside it (`scores.parquet.rows`) until the table is finished.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Protocol

from annotation.exchange.parquet import library_errors, parquet_write
from annotation.exchange.rows import csv_pieces, csv_rows
from annotation.files.whole_file import whole_file, whole_path
from inference.scoring.rows import DECIMALS, Cell, Cells, Column


class ResumeError(Exception):
    """An existing table cannot be resumed; the message names it and says what to do."""


class Table(Protocol):
    """A table on disk."""

    path: Path

    def read(self) -> Iterator[Cells]:
        """Yield the existing rows, none if there is no file. Raises ResumeError."""
        ...

    def repair(self) -> None:
        """Drop an incomplete last row."""
        ...

    def append(self, rows: Iterable[Cells]) -> None:
        """Add rows; they are handed to the operating system before this returns."""
        ...

    def finish(self, rows: Iterable[Cells] | None = None) -> None:
        """Finish the table. With `rows`, they replace the rows written so far."""
        ...

    def clear(self) -> None:
        """Delete all rows."""
        ...


class CsvTable:
    """Comma-separated values with a header; true and false are 1 and 0, None is an empty cell.

    A name that a spreadsheet would treat as a formula gets an apostrophe in front, which `read` removes.
    """

    def __init__(self, path: Path, columns: Sequence[Column], *, for_excel: bool = False) -> None:
        """`for_excel`: a new file begins with a byte order mark."""
        self.path = path
        self.columns = columns
        self.for_excel = for_excel

    def read(self) -> Iterator[Cells]:
        """Yield the existing rows."""
        if not self.path.exists():
            return
        with self.path.open(newline="", encoding="utf-8") as file:
            records = enumerate(csv_rows(file), start=1)
            number = 0
            try:
                for number, record in records:
                    if number == 1:
                        _columns_check(self.path, record, self.columns)
                        continue
                    yield {column.name: _value(text, column) for column, text in zip(self.columns, record, strict=True)}
            except (ValueError, csv.Error) as error:
                raise ResumeError(f"Row {number} of {self.path} cannot be read; start again with --restart.") from error

    def repair(self) -> None:
        """Drop an incomplete last row."""
        _cut_after_last_row(self.path, quotes=True)

    def append(self, rows: Iterable[Cells]) -> None:
        """Add rows, and the header if the file is new."""
        new = not self.path.exists() or not self.path.stat().st_size
        _append(self.path, _csv(rows, self.columns, header=new, for_excel=self.for_excel))

    def finish(self, rows: Iterable[Cells] | None = None) -> None:
        """Replace all rows if `rows` are given."""
        if rows is not None:
            _replace(self.path, _csv(rows, self.columns, header=True, for_excel=self.for_excel))

    def clear(self) -> None:
        """Delete all rows."""
        self.path.unlink(missing_ok=True)


class JsonLinesTable:
    """One JSON object per line."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self.path = path
        self.columns = columns

    def read(self) -> Iterator[Cells]:
        """Yield the existing rows."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    cells = json.loads(line)
                    names = list(cells)
                except (ValueError, TypeError) as error:
                    raise ResumeError(
                        f"Line {number} of {self.path} cannot be read; start again with --restart."
                    ) from error
                _columns_check(self.path, names, self.columns)
                yield cells

    def repair(self) -> None:
        """Drop an incomplete last row."""
        _cut_after_last_row(self.path, quotes=False)

    def append(self, rows: Iterable[Cells]) -> None:
        """Add rows."""
        _append(self.path, _json_lines(rows, self.columns))

    def finish(self, rows: Iterable[Cells] | None = None) -> None:
        """Replace all rows if `rows` are given."""
        if rows is not None:
            _replace(self.path, _json_lines(rows, self.columns))

    def clear(self) -> None:
        """Delete all rows."""
        self.path.unlink(missing_ok=True)


class ParquetTable:
    """Apache Parquet, written when the table is finished; until then rows are collected in a file beside it."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self.path = path
        self.columns = columns
        self._collected = JsonLinesTable(path.with_name(f"{path.name}.rows"), columns)

    @property
    def rows_path(self) -> Path:
        """Return the file in which rows are collected."""
        return self._collected.path

    def read(self) -> Iterator[Cells]:
        """Yield the existing rows, the collected ones last."""
        if self.path.exists():
            from arro3.io import read_parquet

            try:
                with library_errors(ValueError):
                    table = read_parquet(str(self.path)).read_all()
            except ValueError as error:
                raise ResumeError(f"{self.path} cannot be read ({error}); start again with --restart.") from error
            _columns_check(self.path, table.column_names, self.columns)
            for batch in table.to_batches():
                lists = [batch.column(column.name).to_pylist() for column in self.columns]
                for values in zip(*lists, strict=True):
                    yield dict(zip(table.column_names, values, strict=True))
        yield from self._collected.read()

    def repair(self) -> None:
        """Drop an incomplete last row."""
        self._collected.repair()

    def append(self, rows: Iterable[Cells]) -> None:
        """Add rows to the collected ones."""
        self._collected.append(rows)

    def finish(self, rows: Iterable[Cells] | None = None) -> None:
        """Write the table, from `rows` or from the rows written so far."""
        # If a writer was killed between the last two statements, its rows are in both files.
        kept = {row["file"]: row for row in (self.read() if rows is None else rows)}
        with whole_path(self.path) as part:
            _parquet_write(kept.values(), self.columns, str(part))
        self._collected.clear()

    def clear(self) -> None:
        """Delete all rows."""
        self.path.unlink(missing_ok=True)
        self._collected.clear()


class StreamTable:
    """A table for a stream, such as standard output or a pipe. It cannot be read again, so it cannot be resumed.

    With `hold`, all rows are written at the end; Parquet is always held, because its file cannot be written in pieces.
    """

    def __init__(
        self,
        kind: str,
        send: Callable[[bytes], object],
        columns: Sequence[Column],
        *,
        hold: bool,
        name: str = "standard output",
        for_excel: bool = False,
    ) -> None:
        """`kind`: a key of KINDS. `send` writes bytes. `name`: of the stream, for messages."""
        self.path = Path(name)
        self.columns = columns
        self.kind = kind
        self.for_excel = for_excel
        self._write = send
        self._hold = hold or kind == "parquet"
        self._held: list[Cells] = []
        self._begun = False

    def read(self) -> Iterator[Cells]:
        """Yield the rows that are held back."""
        yield from self._held

    def repair(self) -> None:
        """Do nothing: there is no file."""

    def append(self, rows: Iterable[Cells]) -> None:
        """Write the rows, or hold them back."""
        if self._hold:
            self._held += rows
        else:
            self._send(rows)

    def finish(self, rows: Iterable[Cells] | None = None) -> None:
        """Write `rows`, or the rows that were held back."""
        self._send(self._held if rows is None else rows)

    def clear(self) -> None:
        """Do nothing: there is no file."""

    def _send(self, rows: Iterable[Cells]) -> None:
        if self.kind == "parquet":
            whole = io.BytesIO()
            _parquet_write(rows, self.columns, whole)
            self._write(whole.getvalue())
            return
        pieces = (
            _csv(rows, self.columns, header=not self._begun, for_excel=self.for_excel)
            if self.kind == "csv"
            else _json_lines(rows, self.columns)
        )
        for piece in pieces:
            self._write(piece.encode())
        self._begun = True


def _csv(rows: Iterable[Cells], columns: Sequence[Column], *, header: bool, for_excel: bool) -> Iterator[str]:
    names = [column.name for column in columns]
    cells = ([row[name] for name in names] for row in rows)
    marked = header and for_excel
    return csv_pieces(names, cells, header=header, decimals=DECIMALS, line_end="\n", byte_order_mark=marked)


def _json_lines(rows: Iterable[Cells], columns: Sequence[Column]) -> Iterator[str]:
    names = [column.name for column in columns]
    return (json.dumps({name: row[name] for name in names}) + "\n" for row in rows)


def _parquet_write(rows: Iterable[Cells], columns: Sequence[Column], target: str | IO[bytes]) -> None:
    names = [column.name for column in columns]
    cells = ([row[name] for name in names] for row in rows)
    parquet_write({column.name: column.kind for column in columns}, cells, target)


def _value(text: str, column: Column) -> Cell:
    """Return the value of a cell. Raises ValueError."""
    if column.kind is str:
        return text or (None if column.name == "quality_class" else "")
    if not text:
        return None
    return bool(int(text)) if column.kind is bool else float(text)


def _columns_check(path: Path, found: Sequence[str], wanted: Sequence[Column]) -> None:
    names = [column.name for column in wanted]
    if list(found) != names:
        odd = next((name for name in [*found, *names] if (name in found) != (name in names)), "their order")
        raise ResumeError(
            f"{path} has other columns than this run ({odd}), so it was made with another scale, other synsets or "
            "--parts; write to another file, or start again with --restart."
        )


def _append(path: Path, pieces: Iterable[str]) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        file.writelines(pieces)


def _replace(path: Path, pieces: Iterable[str]) -> None:
    with whole_file(path, "w") as file:
        file.writelines(pieces)


def _cut_after_last_row(path: Path, *, quotes: bool) -> None:
    """Cut a file after its last complete row. With `quotes`, quoted cells may contain line ends."""
    if not path.exists():
        return
    end = position = marks = 0
    with path.open("r+b") as file:
        for line in file:
            position += len(line)
            marks += line.count(b'"') if quotes else 0
            if line.endswith(b"\n") and marks % 2 == 0:
                end = position
        if end < position:
            file.truncate(end)


#: Option name → table class.
KINDS: dict[str, Callable[[Path, Sequence[Column]], Table]] = {
    "csv": CsvTable,
    "jsonl": JsonLinesTable,
    "parquet": ParquetTable,
}
