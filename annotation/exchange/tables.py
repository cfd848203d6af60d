"""Reads tables and texts that other programs wrote, line by line, so that a file can be of any length. Pure."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from annotation.exchange.reading import VoteFileError, Wrong
from annotation.language import gettext_noop

DELIMITERS = ",;\t"
#: Characters of the longest line that is read.
LONGEST_LINE = 1_000_000
#: Byte order marks → encodings. Excel writes "Unicode text" as UTF-16.
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_LINE_TOO_LONG = gettext_noop("The line has more than %(most)s characters.") % {"most": f"{LONGEST_LINE:,}"}
_CELL_TOO_LONG = gettext_noop('A cell has more than %(most)s characters. Perhaps a quote (") is missing.') % {
    "most": f"{csv.field_size_limit():,}"
}

Header = list[str]


def text_open(path: Path) -> TextIO:
    """Open a text in UTF-8, with or without a byte order mark, or in UTF-16 with one. Line ends stay as they are.

    Raises OSError. Reading raises UnicodeDecodeError for other encodings.
    """
    with path.open("rb") as file:
        start = file.read(3)
    encoding = next((name for mark, name in _MARKS.items() if start.startswith(mark)), "utf-8")
    return path.open(encoding=encoding, newline="")


def delimiter_find(file: TextIO, fits: Callable[[Header], bool], delimiters: str = DELIMITERS) -> str:
    """Return the first delimiter with which the header of a table fits, or else the one that finds the most cells.

    The file is at its start afterwards. Raises UnicodeDecodeError and csv.Error.
    """
    headers: dict[str, Header] = {}
    for delimiter in delimiters:
        file.seek(0)
        headers[delimiter] = next(filter(None, csv.reader(_lines(file, set()), delimiter=delimiter)), [])
        if fits(headers[delimiter]):
            break
    else:
        delimiter = max(headers, key=lambda one: len(headers[one]))
    file.seek(0)
    return delimiter


def table_rows(
    path: Path, fits: Callable[[Header], bool], delimiters: str = DELIMITERS
) -> Iterator[tuple[int, list[str]] | Wrong]:
    """Yield (number of its first line, cells) of each row of a table, without blank lines. The header comes first.

    fits: whether a header has the columns that are needed; it decides which of the `delimiters` separates the cells.
    Yields `Wrong` for a row that is too long. Raises OSError, and VoteFileError when the file is empty, is no text,
    or has a header that cannot be read.
    """
    too_long: set[int] = set()
    first = 1
    is_header = True
    cells: list[str] = []
    with text_open(path) as file:
        try:
            reader = csv.reader(_lines(file, too_long), delimiter=delimiter_find(file, fits, delimiters))
            while True:
                why = ""
                try:
                    cells = next(reader)
                except StopIteration:
                    break
                except csv.Error:
                    why = _CELL_TOO_LONG
                if too_long and not too_long.isdisjoint(range(first, reader.line_num + 1)):
                    why = _LINE_TOO_LONG
                if why and is_header:
                    raise VoteFileError(gettext_noop("The first line cannot be read. %(why)s") % {"why": why})
                if why:
                    yield Wrong(first, why)
                elif cells:
                    is_header = False
                    yield first, cells
                first = reader.line_num + 1
        except UnicodeError as error:
            raise _no_text(first) from error
        except csv.Error as error:
            raise VoteFileError(
                gettext_noop("The first line cannot be read. %(why)s") % {"why": _CELL_TOO_LONG}
            ) from error
    if is_header:
        raise VoteFileError(gettext_noop("The file is empty."))


def text_rows(path: Path) -> Iterator[tuple[int, str] | Wrong]:
    """Yield (number, text) of each line that is not blank, without its end.

    Yields `Wrong` for a line that is too long. Raises OSError, and VoteFileError when the file is empty or no text.
    """
    too_long: set[int] = set()
    number = 0
    with text_open(path) as file:
        try:
            for number, line in enumerate(_lines(file, too_long), start=1):
                if number in too_long:
                    yield Wrong(number, _LINE_TOO_LONG)
                elif not line.isspace():
                    yield number, line.rstrip("\r\n")
        except UnicodeError as error:
            raise _no_text(number + 1) from error
    if not number:
        raise VoteFileError(gettext_noop("The file is empty."))


def _lines(file: TextIO, too_long: set[int]) -> Iterator[str]:
    """Yield the lines of a file. A line that is too long becomes an empty one, and its number is in `too_long`."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE and not _is_ended(line):
            too_long.add(number)
            while (rest := file.readline(LONGEST_LINE)) and not _is_ended(rest):
                pass
            line = "\n"
        yield line


def _is_ended(line: str) -> bool:
    return line.endswith(("\n", "\r"))


def _no_text(line: int) -> VoteFileError:
    if line <= 1:
        return VoteFileError(gettext_noop("The file is not text in UTF-8 or UTF-16. Save the file as UTF-8."))
    return VoteFileError(
        gettext_noop("Line %(line)s or a later one is not text in UTF-8 or UTF-16. Save the file as UTF-8.")
        % {"line": line}
    )
