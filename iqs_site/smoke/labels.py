"""Reads a CSV file that says which photos of a folder show a watch."""

import csv
from pathlib import Path

from annotation.exchange.labels import LabelsError, table_read

_YES, _NO = {"1", "yes", "true"}, {"0", "no", "false"}
_COLUMNS = ("file", "watch")


def labels_read(path: Path) -> dict[str, bool]:
    """Return photo name → whether it shows a watch, from the columns `file` and `watch` (1 or 0).

    `annotation.exchange.labels` says which tables it reads, and finds the photos. Raises LabelsError when the file
    cannot be read, a column is missing, or a value is wrong.
    """
    try:
        table = table_read(path, _COLUMNS)
    except (OSError, UnicodeError, csv.Error) as error:
        raise LabelsError(f"{path} cannot be read as a CSV file: {error}.") from error
    if missing := set(_COLUMNS) - set(table.header):
        raise LabelsError(
            f"{path} needs the columns 'file' and 'watch' in its first line; missing: "
            f"{' and '.join(sorted(missing))} (found: {', '.join(table.header) or 'nothing'})."
        )
    return {row["file"] or "": _truth(path, line, row["watch"]) for line, row in table.rows}


def _truth(path: Path, line: int, word: str | None) -> bool:
    value = (word or "").strip().lower()
    if value not in _YES | _NO:
        raise LabelsError(f"{path}, line {line}: 'watch' must be 1 or 0, not {word!r}.")
    return value in _YES
