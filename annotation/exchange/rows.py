"""Writes CSV without cells that a spreadsheet would run as a formula. All CSV files are written here. Pure.

A spreadsheet runs a text as a formula if it starts with = + - or @, even after a tab, a line end or spaces, quoted or
not. Names of files and users are untrusted, so such a text gets an apostrophe in front. Numbers do not need it.
Source: OWASP, CSV Injection.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

ROWS = 500  # rows per piece of text
_FORMULA_STARTS = frozenset(
    "=+-@\t\r\n\0＝＋－＠"
)  # the last four are the full-width characters of East Asian keyboards
_GUARDED_STARTS = _FORMULA_STARTS | {"'", " "}
_NEGATIVE_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


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
    piece = ["\ufeff"] if byte_order_mark else []
    if header:
        piece.append(writer.writerow([formula_guard(name) for name in columns])[:-2] + line_end)
    for number, row in enumerate(rows, start=1):
        piece.append(writer.writerow([cell_text(cell, decimals) for cell in row])[:-2] + line_end)
        if number % ROWS == 0:
            yield "".join(piece)
            piece = []
    if piece:
        yield "".join(piece)


def cell_text(cell: object, decimals: int | None = None) -> str:
    """Return the text of a cell.

    None is empty, True and False are 1 and 0, times are ISO 8601 in UTC. Floats have enough digits to read the same
    number again, or at most `decimals` digits after the point and no exponent. Everything else is text, guarded by
    `formula_guard`. Raises ValueError for a time without a time zone.
    """
    if type(cell) is str:  # first, because most cells are
        return formula_guard(cell)
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
    return formula_guard(str(cell))


def formula_guard(text: str) -> str:
    """Return the text, with an apostrophe in front if a spreadsheet would run it as a formula.

    A formula that already has apostrophes in front gets one more, so that `formula_unguard` restores every text
    exactly.
    """
    if text[:1] not in _GUARDED_STARTS:
        return text
    return f"'{text}" if _is_formula(text.lstrip("'")) else text


def formula_unguard(text: str) -> str:
    """Return the text before `formula_guard`. A text without such an apostrophe does not change."""
    return text[1:] if text.startswith("'") and _is_formula(text.lstrip("'")) else text


def _is_formula(text: str) -> bool:
    return text.lstrip(" ")[:1] in _FORMULA_STARTS and _NEGATIVE_NUMBER.fullmatch(text) is None


class _Echo:
    """A file that returns each written line instead of storing it."""

    def write(self, line: str) -> str:
        return line
