"""Reads a CSV file that says which photos of a folder show a watch."""

import csv
from pathlib import Path, PurePosixPath

_YES, _NO = {"1", "yes", "true"}, {"0", "no", "false"}


class LabelsError(ValueError):
    """The file is not valid; the message says what to change."""


def labels_read(path: Path) -> dict[str, bool]:
    """Return photo name → whether it shows a watch, from the columns `file` and `watch` (1 or 0).

    Raises LabelsError when the file cannot be read, a column is missing, or a value is wrong.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            reader = csv.DictReader(handle)
            header = reader.fieldnames or []
            if missing := {"file", "watch"} - set(header):
                raise LabelsError(
                    f"{path} needs the columns 'file' and 'watch' in its first line; missing: "
                    f"{' and '.join(sorted(missing))} (found: {', '.join(header) or 'nothing'})."
                )
            return {row["file"]: _truth(path, reader.line_num, row["watch"]) for row in reader}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LabelsError(f"{path} cannot be read as a CSV file: {error}.") from error


def label_of(labels: dict[str, bool], name: str) -> bool | None:
    """Return the label of a photo by its path, or by its file name; None when it has no label."""
    return labels.get(name, labels.get(PurePosixPath(name).name))


def _truth(path: Path, line: int, word: str | None) -> bool:
    value = (word or "").strip().lower()
    if value not in _YES | _NO:
        raise LabelsError(f"{path}, line {line}: 'watch' must be 1 or 0, not {word!r}.")
    return value in _YES
