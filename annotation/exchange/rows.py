"""Writes CSV without cells that a spreadsheet would run as a formula, and reads it again. Pure.

All CSV files of the project are written here.

A spreadsheet runs a text as a formula if it starts with = + - or @, even after spaces, tabs, line ends, quotes or
invisible characters. Names of files and users are untrusted, so such a text gets an apostrophe in front. In many
countries spreadsheets separate cells by a semicolon. Then the quotes of this file do not count, and a cell can begin in
the middle of a text: after ; or a tab or a line end. So the apostrophe comes there too. Numbers do not need it.
Source: OWASP, CSV Injection.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from annotation.files.names import text_encodable

ROWS = 500  # rows per piece of text
BYTE_ORDER_MARK = "\ufeff"
# Characters that a program may skip before it looks for a formula: spaces, control and invisible characters, quotes.
_SKIPPED = (
    r"\"\x00-\x08\x0b\x0c\x0e-\x20\x7f-\xa0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
)
_SIGN = r"[=+\-@＝＋－＠]"  # the last four are the full-width characters of East Asian keyboards
_AT_START = rf"'*(?:[{_SKIPPED}\t\r\n]*{_SIGN}|[\t\r\n\x00])"
_INSIDE = rf"'*[{_SKIPPED}]*{_SIGN}"
_UNGUARDED = re.compile(rf"\A({_AT_START})|([;\t\r\n])({_INSIDE})")
_GUARDED = re.compile(rf"\A'({_AT_START})|([;\t\r\n])'({_INSIDE})")
_SEPARATOR = re.compile(r"[;\t\r\n]")
_NEGATIVE_NUMBER = re.compile(r"'*-[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def csv_pieces(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    header: bool = True,
    decimals: int | None = None,
    line_end: str = "\r\n",
    byte_order_mark: bool = False,
) -> Iterator[str]:
    """Yield a table as CSV (RFC 4180) in pieces of `ROWS` rows, so that it can be of any length.

    columns: names for the header. rows: one cell per column, see `cell_text`. header: False when appending to an
    existing table. byte_order_mark: start with a byte order mark, so that Excel detects UTF-8.
    """
    # csv only quotes the characters of its own line terminator. So it always gets both, and the end is replaced.
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    piece = [BYTE_ORDER_MARK] if byte_order_mark else []
    if header:
        piece.append(writer.writerow([formula_guard(name) for name in columns])[:-2] + line_end)
    for number, row in enumerate(rows, start=1):
        piece.append(writer.writerow([cell_text(cell, decimals) for cell in row])[:-2] + line_end)
        if number % ROWS == 0:
            yield "".join(piece)
            piece = []
    if piece:
        yield "".join(piece)


def csv_rows(lines: Iterable[str], *, delimiter: str = ",") -> Iterator[list[str]]:
    """Yield the rows of a table, the header first, as `csv_pieces` got them: without the apostrophes of the guard.

    lines: a text file that was opened with `newline=""`, or its lines. A byte order mark at its start is left out.
    Raises csv.Error if the text is not CSV.
    """
    reader = csv.reader(_without_mark(lines), delimiter=delimiter)
    for row in reader:
        yield [formula_unguard(cell) for cell in row]


def cell_text(cell: object, decimals: int | None = None) -> str:
    """Return the text of a cell.

    None is empty, True and False are 1 and 0, times are ISO 8601 in UTC. Floats have enough digits to read the same
    number again, or at most `decimals` digits after the point and no exponent. A tuple has spaces between its
    numbers. Everything else is text, guarded by `formula_guard`. Raises ValueError for a time without a time zone.
    """
    if type(cell) is str:  # first, because most cells are
        return formula_guard(cell if cell.isascii() else text_encodable(cell))
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, int):
        return str(int(cell))
    if isinstance(cell, float):
        if decimals is None:
            return float.__repr__(cell)
        # Not 1e-06, which some programs read as text.
        return f"{cell:.{decimals}f}".rstrip("0").rstrip(".")
    if isinstance(cell, datetime):
        if cell.tzinfo is None:
            raise ValueError(f"{cell} has no time zone.")
        return cell.astimezone(UTC).isoformat()
    if isinstance(cell, tuple):
        return " ".join(cell_text(one, decimals) for one in cell)
    return formula_guard(text_encodable(str(cell)))


def formula_guard(text: str) -> str:
    """Return the text, with an apostrophe wherever a spreadsheet could begin a formula.

    A formula that already has apostrophes in front gets one more, so that `formula_unguard` restores every text
    exactly.
    """
    if _is_plain(text) or _NEGATIVE_NUMBER.fullmatch(text):
        return text
    return _UNGUARDED.sub(r"\2'\1\3", text)


def formula_unguard(text: str) -> str:
    """Return the text before `formula_guard`. A text without such an apostrophe does not change."""
    if _is_plain(text) or _NEGATIVE_NUMBER.fullmatch(text):
        return text
    return _GUARDED.sub(r"\2\1\3", text)


def _is_plain(text: str) -> bool:
    """Return whether a text is of the most frequent kind: no guard is needed, and the slow patterns can be skipped."""
    return text[:1].isalnum() and not _SEPARATOR.search(text)


def _without_mark(lines: Iterable[str]) -> Iterator[str]:
    rest = iter(lines)
    first = next(rest, None)
    if first is not None:
        yield first.removeprefix(BYTE_ORDER_MARK)
        yield from rest


class _Echo:
    """A file that returns each written line instead of storing it."""

    def write(self, line: str) -> str:
        return line
