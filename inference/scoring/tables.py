"""Score tables on disk: CSV, JSON Lines, Parquet. Each can be gone on with after its writer was killed. Pure.

CSV and JSON Lines are appended to and are their own memory. Parquet cannot be appended to, so its rows
wait in a JSON Lines file beside it (`scores.parquet.rows`) until the table is finished.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from annotation.exchange.rows import csv_pieces, formula_unguard
from annotation.files.whole_file import whole_file, whole_path
from inference.scoring.rows import DECIMALS, Cell, Cells, Column


class TableUnfit(Exception):
    """A file cannot be gone on with; the message names it and says what to do."""


class Table(Protocol):
    """A table on disk."""

    path: Path

    def read(self) -> Iterator[Cells]:
        """Yield the rows that are there, none when there is no file. Raises TableUnfit."""
        ...

    def repair(self) -> None:
        """Drop a last row that was only half written."""
        ...

    def append(self, rows: Iterable[Cells]) -> None:
        """Add rows; they are in the hands of the operating system when this returns."""
        ...

    def finish(self, rows: Iterable[Cells] | None = None) -> None:
        """Make the table whole: with these rows in this order instead of those written, or as they are."""
        ...

    def clear(self) -> None:
        """Begin anew."""
        ...


class CsvTable:
    """Comma-separated values with a header; yes and no are 1 and 0, an empty cell says nothing.

    A name that a spreadsheet would take for a formula has an apostrophe in front, which `read` takes off.
    """

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self.path = path
        self.columns = columns

    def read(self) -> Iterator[Cells]:
        """Yield the rows that are there."""
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
                    raise TableUnfit(f"Row {number} of {self.path} cannot be read; begin anew (--restart).") from error

    def repair(self) -> None:
        """Drop a last row that was only half written."""
        _cut_after_last_row(self.path, quotes=True)

    def append(self, rows: Iterable[Cells]) -> None:
        """Add rows, after a header where there is none."""
        new = not self.path.exists() or not self.path.stat().st_size
        _append(self.path, _csv(rows, self.columns, header=new))

    def finish(self, rows: Iterable[Cells] | None = None) -> None:
        """Write the rows in their new order; nothing is left to do without any."""
        if rows is not None:
            _replace(self.path, _csv(rows, self.columns, header=True))

    def clear(self) -> None:
        """Begin anew."""
        self.path.unlink(missing_ok=True)


class JsonLinesTable:
    """One JSON object a line."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self.path = path
        self.columns = columns

    def read(self) -> Iterator[Cells]:
        """Yield the rows that are there."""
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    cells = json.loads(line)
                    names = list(cells)
                except (ValueError, TypeError) as error:
                    raise TableUnfit(f"Line {number} of {self.path} cannot be read; begin anew (--restart).") from error
                _columns_check(self.path, names, self.columns)
                yield cells

    def repair(self) -> None:
        """Drop a last row that was only half written."""
        _cut_after_last_row(self.path, quotes=False)

    def append(self, rows: Iterable[Cells]) -> None:
        """Add rows."""
        _append(self.path, self._lines(rows))

    def finish(self, rows: Iterable[Cells] | None = None) -> None:
        """Write the rows in their new order; nothing is left to do without any."""
        if rows is not None:
            _replace(self.path, self._lines(rows))

    def clear(self) -> None:
        """Begin anew."""
        self.path.unlink(missing_ok=True)

    def _lines(self, rows: Iterable[Cells]) -> Iterator[str]:
        names = [column.name for column in self.columns]
        return (json.dumps({name: row[name] for name in names}) + "\n" for row in rows)


class ParquetTable:
    """Apache Parquet, written when the table is finished; until then its rows wait in a file beside it."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self.path = path
        self.columns = columns
        self._waiting = JsonLinesTable(path.with_name(f"{path.name}.rows"), columns)

    @property
    def waiting_path(self) -> Path:
        """Return the file in which rows wait."""
        return self._waiting.path

    def read(self) -> Iterator[Cells]:
        """Yield the rows that are there, the waiting ones last."""
        if self.path.exists():
            from arro3.io import read_parquet

            try:
                table = read_parquet(str(self.path)).read_all()
            except Exception as error:  # its reader raises bare Exceptions
                raise TableUnfit(f"{self.path} cannot be read ({error}); begin anew (--restart).") from error
            _columns_check(self.path, table.column_names, self.columns)
            for batch in table.to_batches():
                lists = [batch.column(column.name).to_pylist() for column in self.columns]
                for values in zip(*lists, strict=True):
                    yield dict(zip(table.column_names, values, strict=True))
        yield from self._waiting.read()

    def repair(self) -> None:
        """Drop a last row that was only half written."""
        self._waiting.repair()

    def append(self, rows: Iterable[Cells]) -> None:
        """Add rows to those that wait."""
        self._waiting.append(rows)

    def finish(self, rows: Iterable[Cells] | None = None) -> None:
        """Write the table, the rows in their new order or as they came."""
        from arro3.core import Array, DataType, Table
        from arro3.io import write_parquet

        kinds = {str: DataType.utf8(), float: DataType.float64(), bool: DataType.bool()}
        # A writer that died between the last two lines below has left its rows in both files.
        kept = list({row["file"]: row for row in (self.read() if rows is None else rows)}.values())
        arrays = [Array([row[column.name] for row in kept], type=kinds[column.kind]) for column in self.columns]
        table = Table.from_arrays(arrays, names=[column.name for column in self.columns])
        with whole_path(self.path) as part:
            write_parquet(table, str(part), compression="zstd(3)")
        self._waiting.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.path.unlink(missing_ok=True)
        self._waiting.clear()


class StreamTable:
    """CSV on its way to somebody else: nothing can be read back or gone on with. `hold`: all at once, at the end."""

    path = Path("standard output")

    def __init__(self, write: Callable[[str], object], columns: Sequence[Column], *, hold: bool) -> None:
        self.columns = columns
        self._write = write
        self._hold = hold
        self._held: list[Cells] = []
        self._begun = False

    def read(self) -> Iterator[Cells]:
        """Yield the rows that were held."""
        yield from self._held

    def repair(self) -> None:
        """Do nothing: there is no file."""

    def append(self, rows: Iterable[Cells]) -> None:
        """Hold the rows, or send them on."""
        if self._hold:
            self._held += rows
        else:
            self._send(rows)

    def finish(self, rows: Iterable[Cells] | None = None) -> None:
        """Send what was held, in its new order or as it came."""
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
    """Return what stands in a cell. Raises ValueError."""
    if column.kind is str:
        return formula_unguard(text) or (None if column.name == "quality_class" else "")
    if not text:
        return None
    return bool(int(text)) if column.kind is bool else float(text)


def _columns_check(path: Path, found: Sequence[str], wanted: Sequence[Column]) -> None:
    names = [column.name for column in wanted]
    if list(found) != names:
        odd = next((name for name in [*found, *names] if (name in found) != (name in names)), "their order")
        raise TableUnfit(
            f"{path} has other columns than this run ({odd}), so it was made with another scale, other synsets or "
            "--parts; write to another file, or begin anew (--restart)."
        )


def _append(path: Path, pieces: Iterable[str]) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        file.writelines(pieces)


def _replace(path: Path, pieces: Iterable[str]) -> None:
    with whole_file(path, "w") as file:
        file.writelines(pieces)


def _cut_after_last_row(path: Path, *, quotes: bool) -> None:
    """Cut a file after its last whole row; with `quotes`, a line may also end inside a quoted cell."""
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


#: By the name of the command's option.
KINDS: dict[str, Callable[[Path, Sequence[Column]], Table]] = {
    "csv": CsvTable,
    "jsonl": JsonLinesTable,
    "parquet": ParquetTable,
}
