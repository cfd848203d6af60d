import csv
import io
from datetime import UTC, datetime, timedelta, timezone
from itertools import chain, count
from uuid import UUID

import numpy as np
import pytest
from django.db.models import TextChoices
from hypothesis import given
from hypothesis import strategies as st

from annotation.exchange.rows import ROWS, cell_text, csv_pieces, formula_guard, formula_unguard

FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "-",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\0=1",
    "  =1",
    "=",
    "＝1+1",
    "－2+3+cmd|' /C calc'!A0",
    "-1.5.jpg",
    "-1e5e5",
    "-1\n",
]


class Split(TextChoices):
    HOLDOUT = "holdout"


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, ""),
        (True, "1"),
        (False, "0"),
        (0, "0"),
        (-3, "-3"),
        (0.1, "0.1"),
        (1e-7, "1e-07"),
        (-2.5, "-2.5"),
        (np.float64(0.1), "0.1"),
        (datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2))), "2026-03-01T10:00:00+00:00"),
        (datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC), "2026-03-01T12:00:00.000005+00:00"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (Split.HOLDOUT, "holdout"),
        ('fünf, "sechs"\n', 'fünf, "sechs"\n'),
        ("", ""),
    ],
)
def test_cell_text_of_each_type(cell: object, expected: str) -> None:
    assert cell_text(cell) == expected


@pytest.mark.parametrize(
    ("number", "expected"), [(0.1234567, "0.123457"), (1e-6, "0.000001"), (5.0, "5"), (-0.25, "-0.25"), (100.0, "100")]
)
def test_a_number_with_fixed_decimals_has_no_exponent_and_no_trailing_zeros(number: float, expected: str) -> None:
    assert cell_text(number, 6) == expected


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        cell_text(datetime(2026, 3, 1))


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_is_a_spreadsheet_formula(text: str) -> None:
    assert cell_text(text) == f"'{text}"
    assert read("".join(csv_pieces([text], [[text]]))) == [[f"'{text}"]] * 2


@pytest.mark.parametrize("text", ["-1", "-1.5", "-1e-05", "a=1", "'quoted'", "'", "1+1", "e-mail@example", " x"])
def test_other_texts_and_negative_numbers_do_not_change(text: str) -> None:
    assert cell_text(text) == text


@given(st.text(alphabet="'=+-@\t 1a＝", max_size=6) | st.text())
def test_unguarding_restores_a_guarded_text(text: str) -> None:
    assert formula_unguard(formula_guard(text)) == text


@given(st.lists(st.tuples(st.text(), st.text(alphabet="\r\n\",'=- a"), st.none() | st.floats(allow_nan=False))))
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_a_csv_reader_restores_every_table(line_end: str, rows: list[tuple[str, str, float | None]]) -> None:
    text = "".join(csv_pieces(["a", "b", "c"], rows, line_end=line_end))
    header, *found = read(text)
    assert header == ["a", "b", "c"]
    assert [(formula_unguard(a), formula_unguard(b), float(c) if c else None) for a, b, c in found] == rows


def test_the_line_end_and_the_header_are_options() -> None:
    rows = [[1, "a\rb"], [2, ""]]
    assert "".join(csv_pieces(["n", "t"], rows)) == 'n,t\r\n1,"a\rb"\r\n2,\r\n'
    assert "".join(csv_pieces(["n", "t"], rows, header=False, line_end="\n")) == '1,"a\rb"\n2,\n'
    assert list(csv_pieces(["n", "t"], [], header=False)) == []
    assert list(csv_pieces(["n", "t"], [])) == ["n,t\r\n"]


def test_the_byte_order_mark_is_written_once_at_the_start() -> None:
    assert "".join(csv_pieces(["n"], [[1]], byte_order_mark=True)).encode("utf-8") == b"\xef\xbb\xbfn\r\n1\r\n"


def test_an_infinite_table_is_written_in_pieces() -> None:
    read_so_far = count()
    pieces = csv_pieces(["n"], ([number] for number in read_so_far))
    first, second = next(pieces), next(pieces)
    assert first.count("\r\n") == ROWS + 1
    assert second.count("\r\n") == ROWS
    assert next(read_so_far) == 2 * ROWS
    assert list(chain(first.split("\r\n")[:3])) == ["n", "0", "1"]
