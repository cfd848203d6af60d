"""Reads tables of labels that other programs wrote, and finds the photo of each label. Pure."""

import csv
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Generic, TypeVar

from annotation.exchange.rows import formula_guard, formula_unguard
from annotation.exchange.tables import delimiter_find, text_open
from annotation.language import gettext_noop

Spelling = Callable[[str], str]
Label = TypeVar("Label")


class LabelsError(ValueError):
    """The table or its labels are not usable; the message says why."""


@dataclass(frozen=True)
class LabelTable:
    """A table as it stands in the file."""

    header: list[str]
    rows: list[tuple[int, dict[str, str | None]]]
    """(line number of its end, {column: cell}) of each row; None for a cell that a short row lacks."""


@dataclass(frozen=True)
class LabelMatch(Generic[Label]):
    """The labels of photos."""

    found: dict[str, Label]
    """Photo name → label."""
    missing: list[str]
    """Names in the table that fit no photo, or several."""


def table_read(path: Path, columns: Collection[str]) -> LabelTable:
    """Return a CSV table in UTF-8, with or without a byte order mark, or in UTF-16 with one.

    Commas, semicolons or tabs separate its cells: the first of them for which the header has the `columns`. Raises
    OSError, UnicodeDecodeError and csv.Error. A missing column is no error; the header shows it.
    """
    with text_open(path) as file:
        delimiter = delimiter_find(file, lambda header: set(columns) <= set(header))
        reader = csv.DictReader(file, delimiter=delimiter)
        header = list(reader.fieldnames or [])
        return LabelTable(header, [(reader.line_num, row) for row in reader])


def labels_match(labels: Mapping[str, Label], names: Iterable[str], *, by_file_name: bool = False) -> LabelMatch[Label]:
    """Return the labels of the photos with these names.

    A label belongs to the photo with exactly its name. If there is none, to the photo whose name is the same with / for
    \\ and without `./`; then in another Unicode form (macOS has names in NFD, other systems in NFC). by_file_name: then
    to every photo with this file name, in any folder. Names can have the apostrophe of `formula_guard`. If all of them
    can be written by it, they are first compared without it.

    Raises LabelsError if a photo gets two different labels.
    """
    photos = list(dict.fromkeys(names))
    found: dict[str, Label] = {}
    open_labels = dict(labels)
    is_guarded = all(name == formula_guard(formula_unguard(name)) for name in labels)
    exact: tuple[tuple[Spelling, Spelling], ...] = ((_same, _same), (formula_unguard, _same))
    for of_label, of_photo in (*(reversed(exact) if is_guarded else exact), *_LOOSE_SPELLINGS):
        places: dict[str, list[str]] = {}
        for photo in photos:
            places.setdefault(of_photo(photo), []).append(photo)
        for name, label in list(open_labels.items()):
            fitting = places.get(of_label(name), [])
            if len(fitting) != 1:
                continue
            del open_labels[name]
            if found.setdefault(fitting[0], label) != label:
                raise LabelsError(gettext_noop("%(name)s has two different labels") % {"name": fitting[0]})
    if by_file_name:
        short = {_composed(_tidy(formula_unguard(name))): name for name in open_labels}
        for photo in photos:
            fits = short.get(PurePosixPath(_composed(_tidy(photo))).name)
            if fits is not None and photo not in found:
                found[photo] = labels[fits]
                open_labels.pop(fits, None)
    return LabelMatch(found, list(open_labels))


def _tidy(name: str) -> str:
    return "/".join(part for part in name.replace("\\", "/").split("/") if part not in {"", "."})


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _same(name: str) -> str:
    return name


#: How a label and a photo are spelled to be compared, if their exact names differ.
_LOOSE_SPELLINGS: tuple[tuple[Spelling, Spelling], ...] = (
    (lambda name: _tidy(formula_unguard(name)), _tidy),
    (lambda name: _composed(_tidy(formula_unguard(name))), lambda name: _composed(_tidy(name))),
)
