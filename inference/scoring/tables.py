"""Score tables on disk: CSV, JSON Lines, Parquet. Each can be resumed after its writer was killed. Pure.

Rows are appended to CSV and JSON Lines files directly. Parquet files cannot be appended to, so rows are collected in a
JSON Lines file beside it (`scores.parquet.rows`) until the table is finished.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from annotation.exchange.rows import csv_pieces, formula_unguard
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

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self.path = path
        self.columns = columns

    def read(self) -> Iterator[Cells]:
        """Yield the existing rows."""
        if not self.path.exists():
            return
        with self.path.open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            header = next(reader, None)
            if header is None:
                return
            _columns_check(self.path, header, self.columns)
            for number, record in enumerate(reader, start=2):
                try:
                    yield {column.name: _value(text, column) for column, text in zip(self.columns, record, strict=True)}
                except ValueError as error:
                    raise ResumeError(
                        f"Row {number} of {self.path} cannot be read; start again with --restart."
                    ) from error

    def repair(self) -> None:
        """Drop an incomplete last row."""
        _cut_after_last_row(self.path, quotes=True)

    def append(self, rows: Iterable[Cells]) -> None:
        """Add rows, and the header if the file is new."""
        new = not self.path.exists() or not self.path.stat().st_size
        _append(self.path, _csv(rows, self.columns, header=new))

    def finish(self, rows: Iterable[Cells] | None = None) -> None:
        """Replace all rows if `rows` are given."""
        if rows is not None:
            _replace(self.path, _csv(rows, self.columns, header=True))

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
        with self.path.open(encoding="utf-8") as file:
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
        _append(self.path, self._lines(rows))

    def finish(self, rows: Iterable[Cells] | None = None) -> None:
        """Replace all rows if `rows` are given."""
        if rows is not None:
            _replace(self.path, self._lines(rows))

    def clear(self) -> None:
        """Delete all rows."""
        self.path.unlink(missing_ok=True)

    def _lines(self, rows: Iterable[Cells]) -> Iterator[str]:
        names = [column.name for column in self.columns]
        return (json.dumps({name: row[name] for name in names}) + "\n" for row in rows)


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
                table = read_parquet(str(self.path)).read_all()
            except Exception as error:  # its reader raises bare Exceptions
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
        from arro3.core import Array, DataType, Table
        from arro3.io import write_parquet

        kinds = {str: DataType.utf8(), float: DataType.float64(), bool: DataType.bool()}
        # If a writer was killed between the last two statements, its rows are in both files.
        kept = list({row["file"]: row for row in (self.read() if rows is None else rows)}.values())
        arrays = [Array([row[column.name] for row in kept], type=kinds[column.kind]) for column in self.columns]
        table = Table.from_arrays(arrays, names=[column.name for column in self.columns])
        with whole_path(self.path) as part:
            write_parquet(table, str(part), compression="zstd(3)")
        self._collected.clear()

    def clear(self) -> None:
        """Delete all rows."""
        self.path.unlink(missing_ok=True)
        self._collected.clear()


class StreamTable:
    """CSV for a stream such as standard output; it cannot be resumed. With `hold`, all rows are written at the end."""

    path = Path("standard output")

    def __init__(self, write: Callable[[str], object], columns: Sequence[Column], *, hold: bool) -> None:
        self.columns = columns
        self._write = write
        self._hold = hold
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
        for piece in _csv(rows, self.columns, header=not self._begun):
            self._write(piece)
        self._begun = True


def _csv(rows: Iterable[Cells], columns: Sequence[Column], *, header: bool) -> Iterator[str]:
    names = [column.name for column in columns]
    cells = ([row[name] for name in names] for row in rows)
    return csv_pieces(names, cells, header=header, decimals=DECIMALS, line_end="\n")


def _value(text: str, column: Column) -> Cell:
    """Return the value of a cell. Raises ValueError."""
    if column.kind is str:
        return formula_unguard(text) or (None if column.name == "quality_class" else "")
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
