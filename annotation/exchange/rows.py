"""The one writer of tables: rows in, CSV out in pieces, with no cell that a spreadsheet would run. Pure.

A spreadsheet takes a text that begins with = + - or @ for a formula and computes it, also behind a tab, a line end
or spaces, in quotes or not. Names of files and people come from outside, so such a text gets an apostrophe in
front. Source: OWASP, CSV Injection. Numbers need none.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

ROWS = 500  # in one piece of text
_FORMULA_STARTS = frozenset("=+-@\t\r\n\0＝＋－＠")  # the last four are the wide ones of East Asian keyboards
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
    """Yield a table as CSV (RFC 4180), some hundred rows at a time, so that it can be as long as it likes.

    columns: their names, for the header. rows: as many cells each, see `cell_text`. header: False for rows that
    follow on others. byte_order_mark: begin with one, by which Excel knows UTF-8.
    """
    # csv quotes a cell for the line end that it writes itself, so that is always both characters.
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
    """Return what stands in a cell.

    None is empty, yes and no are 1 and 0, times are ISO 8601 in UTC. Numbers with a fraction have as many digits
    as it takes to read the same number again, or at most `decimals` after the point and no exponent. Everything
    else is text, guarded by `formula_guard`. Raises ValueError for a time without a zone.
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
        # Never 1e-06, which some programs read as text.
        return f"{cell:.{decimals}f}".rstrip("0").rstrip(".")
    if isinstance(cell, datetime):
        if cell.tzinfo is None:
            raise ValueError(f"{cell} has no time zone.")
        return cell.astimezone(UTC).isoformat()
    return formula_guard(str(cell))


def formula_guard(text: str) -> str:
    """Return a text with an apostrophe in front where a spreadsheet would take it for a formula.

    A text that already begins with apostrophes before a formula gets one more, so `formula_unguard` gives
    every text back as it was.
    """
    if text[:1] not in _GUARDED_STARTS:
        return text
    return f"'{text}" if _is_formula(text.lstrip("'")) else text


def formula_unguard(text: str) -> str:
    """Return the text that `formula_guard` was given. A text from elsewhere without such an apostrophe stays."""
    return text[1:] if text.startswith("'") and _is_formula(text.lstrip("'")) else text


def _is_formula(text: str) -> bool:
    return text.lstrip(" ")[:1] in _FORMULA_STARTS and _NEGATIVE_NUMBER.fullmatch(text) is None


class _Echo:
    """A file that gives each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line
