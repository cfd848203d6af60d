"""The tables of one run, kept consistent so that an interrupted run can be resumed. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from inference.scoring.decode import quality_class
from inference.scoring.rows import Cells, Rules, ScoreRow
from inference.scoring.tables import ResumeError, Table

#: Sort keys of a table → columns; a minus before the key sorts the largest first.
SORT_COLUMNS = {
    "quality": "quality_mean",
    "watch": "watch_probability",
    "file": "file",
    "distortion": "distortion_quality",
}
_TOLERANCE = 2e-3  # results on different machines differ by less


class RunTables:
    """All tables of a run; each file has the same row in every table."""

    def __init__(self, tables: Sequence[Table], rules: Rules, *, distortions: bool) -> None:
        self.tables = tables
        self.rules = rules
        self.distortions = distortions
        self.scored = 0
        self.failed: dict[str, str] = {}
        """file → reason"""
        self._known: set[str] = set()
        self._sample: Cells | None = None

    def __contains__(self, file: str) -> bool:
        return file in self._known

    def __len__(self) -> int:
        return len(self._known)

    @property
    def sample(self) -> Cells | None:
        """Return a scored row of an earlier run, to check that this run uses the same model."""
        return self._sample

    def clear(self) -> None:
        """Delete all rows."""
        for table in self.tables:
            table.clear()

    def resume(self) -> None:
        """Read the rows of earlier runs, and copy rows that one table has and another lacks.

        Raises ResumeError if the tables were made with other options.
        """
        files_of_tables: list[set[str]] = []
        for table in self.tables:
            table.repair()
            files: set[str] = set()
            for cells in table.read():
                self._options_check(table, cells)
                files.add(str(cells["file"]))
                self._register(cells)
            files_of_tables.append(files)
        for table, files in zip(self.tables, files_of_tables, strict=True):
            if missing := self._known - files:
                table.append(self._from_others(table, missing))

    def append(self, rows: Iterable[ScoreRow]) -> None:
        """Write rows to every table; rows of files that already have one are ignored."""
        cells = [row.cells(self.rules) for row in rows if row.file not in self._known]
        for one in cells:
            self._register(one)
        for table in self.tables:
            table.append(cells)

    def rows(self) -> Iterator[Cells]:
        """Yield every row, of this run and earlier ones."""
        return self.tables[0].read()

    def finish(self, sort: str | None) -> None:
        """Finish the tables, sorted by one of SORT_COLUMNS; rows without a number come last."""
        rows = None if sort is None else rows_sorted(self.rows(), sort)
        for table in self.tables:
            table.finish(rows)

    def model_check(self, again: ScoreRow) -> None:
        """Compare `sample` with the same photo's row of this run. Raises ResumeError if another model made it."""
        before, now = self._sample, again.cells(self.rules)
        if before is None:
            return
        for name in ("watch_probability", "quality_mean"):
            old, new = before[name], now[name]
            if (
                not isinstance(old, float)
                or not isinstance(new, float)
                or abs(old - new) > _TOLERANCE * self.rules.bins
            ):
                raise ResumeError(
                    f"{self.tables[0].path} was made with other heads, or {again.file} has changed since "
                    f"({name} was {old}, now it is {new}); write to another file, or start again with --restart."
                )

    def _register(self, cells: Cells) -> None:
        file = str(cells["file"])
        if file in self._known:
            return
        self._known.add(file)
        if cells["reason"]:
            self.failed[file] = str(cells["reason"])
        else:
            self.scored += 1
            self._sample = self._sample or cells

    def _from_others(self, table: Table, missing: set[str]) -> list[Cells]:
        found = {str(row["file"]): row for other in self.tables if other is not table for row in other.read()}
        return [found[file] for file in found if file in missing]

    def _options_check(self, table: Table, cells: Cells) -> None:
        """Raise ResumeError if this run's options would give another row."""
        if cells["reason"]:
            return
        watch, mean = cells["watch_probability"], cells["quality_mean"]
        rules = self.rules
        fits = False
        if isinstance(watch, float) and isinstance(mean, float):
            expected = quality_class([mean], reject_at=rules.reject_at, pending_at=rules.pending_at)[0]
            fits = cells["watch"] == (watch > rules.threshold) and cells["quality_class"] == expected
        if not fits or (cells["distortion_quality"] is not None) != self.distortions:
            raise ResumeError(
                f"{table.path} was made with other options (see {cells['file']}): --threshold, --reject-at, "
                "--pending-at or --no-distortions; write to another file, or start again with --restart."
            )


def rows_sorted(rows: Iterable[Cells], key: str) -> list[Cells]:
    """Return the rows sorted by one of SORT_COLUMNS, with a minus the largest first; rows without a number last."""
    column = SORT_COLUMNS[key.removeprefix("-")]
    by_name = sorted(rows, key=lambda row: str(row["file"]))
    with_number: list[Any] = [row for row in by_name if row[column] is not None]
    without = [row for row in by_name if row[column] is None]
    return [*sorted(with_number, key=lambda row: row[column], reverse=key.startswith("-")), *without]
