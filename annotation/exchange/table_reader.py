"""Base class of readers whose files are tables with a header. Pure."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import ClassVar

from annotation.exchange.reading import Row, VoteFileError, VoteReader, Wrong
from annotation.exchange.tables import DELIMITERS, table_rows
from annotation.exchange.values import LineError
from annotation.files.names import name_shown
from annotation.language import gettext_noop

#: Names of the column with the name of the photo.
PHOTO_NAMES = ("file", "image", "photo", "image_name")
_COLUMNS_SHOWN = 30
_CHARACTERS_SHOWN = 40

Columns = Mapping[str, Sequence[str]]
"""{column: names that it can have in a file, the preferred one first}"""


class TableReader(VoteReader):
    """A reader of tables: a header, then one row a line.

    Columns can come in any order, and other columns are ignored. Capitals in their names do not count, and a space is
    the same as _. Commas, semicolons or tabs separate the cells, whichever gives the header its columns.
    """

    needed: ClassVar[Columns]
    """Columns that the file must have."""
    optional: ClassVar[Columns] = {}
    """Columns that it can have. Their cells are empty in a file without them."""
    flags: ClassVar[Sequence[str]] = ()
    """Columns whose values are true or false."""
    delimiters: ClassVar[str] = DELIMITERS
    allows_more_cells: ClassVar[bool] = False
    """Whether a row can have more cells than the header has."""

    @abstractmethod
    def row(self, line: int, cells: tuple[str, ...], scale: tuple[int, int]) -> Row | None:
        """Return the row of a line, or None for a line that has none. Raises LineError.

        cells: of the needed columns, then of the optional ones, as in the file.
        """

    def fits(self, path: Path, scale: tuple[int, int]) -> bool:
        """Return whether the header of the file has the columns of this format.

        Raises VoteFileError when the file is empty, is no text, or has a header that cannot be read, and OSError.
        """
        rows = table_rows(path, lambda header: self._has_columns(header, scale), self.delimiters)
        _line, header = next(rows)
        assert isinstance(header, list)  # the first one is the header
        return self._has_columns(header, scale)

    def columns(self, scale: tuple[int, int]) -> Columns:
        """Return the columns that a file with this scale must have."""
        return self.needed

    def read(self, path: Path, scale: tuple[int, int]) -> Iterator[Row | Wrong]:
        """Yield the rows of the file, as `VoteReader.read` says."""
        rows = table_rows(path, lambda header: self._has_columns(header, scale), self.delimiters)
        _line, header = next(rows)
        assert isinstance(header, list)  # the first one is the header
        width = len(header)
        chosen = itemgetter(*self.places(header, scale))
        for found in rows:
            if isinstance(found, Wrong):
                yield found
                continue
            line, cells = found
            try:
                if len(cells) != width:
                    cells = self._fitted(cells, width)
                cells.append("")  # of optional columns that the file lacks
                row = self.row(line, chosen(cells), scale)
            except LineError as error:
                yield Wrong(line, str(error))
            else:
                if row is not None:
                    yield row

    def _has_columns(self, header: list[str], scale: tuple[int, int]) -> bool:
        try:
            self.places(header, scale)
        except VoteFileError:
            return False
        return True

    def places(self, header: list[str], scale: tuple[int, int]) -> list[int]:
        """Return the place of each column in a row; the end of the row if an optional one is missing.

        Raises VoteFileError when a needed column is missing, or the header has a column twice.
        """
        names = [column_name(name) for name in header]
        self.header_check(names, scale)
        times = Counter(names)
        needed = self.columns(scale)
        places = []
        for column, accepted in {**needed, **self.optional}.items():
            name = next((one for one in accepted if one in times), None)
            if name is None and column in needed:
                raise VoteFileError(
                    gettext_noop("The file needs the columns %(needed)s. It has %(found)s.")
                    % {"needed": _columns_text(needed), "found": _shown(header)}
                )
            if name is not None and times[name] > 1:
                raise VoteFileError(
                    gettext_noop("The file has the column %(name)s twice. It has %(found)s.")
                    % {"name": name, "found": _shown(header)}
                )
            places.append(len(header) if name is None else names.index(name))
        return places

    def header_check(self, names: list[str], scale: tuple[int, int]) -> None:
        """Raise VoteFileError when a column must not be there. names: of all columns, see `column_name`."""

    def _fitted(self, cells: list[str], width: int) -> list[str]:
        """Return as many cells as the header has. Raises LineError."""
        if len(cells) < width or (any(cells[width:]) and not self.allows_more_cells):
            words = (
                gettext_noop("The line has 1 cell, but the header has %(width)s.")
                if len(cells) == 1
                else gettext_noop("The line has %(count)s cells, but the header has %(width)s.")
            )
            raise LineError(words % {"count": len(cells), "width": width})
        return cells[:width]


def column_name(name: str) -> str:
    """Return the name of a column for comparison: in small letters, with _ for spaces."""
    return name.strip().casefold().replace(" ", "_")


def _columns_text(columns: Columns) -> str:
    texts = []
    for names in columns.values():
        others = f" (or {', '.join(names[1:])})" if len(names) > 1 else ""
        texts.append(f"{names[0]}{others}")
    return ", ".join(texts)


def _shown(header: list[str]) -> str:
    if not any(header):
        return "none"
    names = [name_shown(name[:_CHARACTERS_SHOWN]) for name in header[:_COLUMNS_SHOWN]]
    return ", ".join([*names, "…"] if len(header) > _COLUMNS_SHOWN else names)
