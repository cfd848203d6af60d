"""Parquet files have the rows of their records. They are read with another program's reader."""

import io
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.exchange import parquet
from annotation.exchange.parquet import ParquetFormat, columns_of, parquet_write


class Row(NamedTuple):
    text: str
    number: int | None
    value: float | None
    is_true: bool | None
    at: datetime | None
    parts: tuple[float, ...]
    counts: tuple[int, ...]


class RowsParquet(ParquetFormat[Row]):
    name, label, description, record = "rows", "Rows", "Rows.", Row


def rows_in(data: bytes) -> list[dict[str, Any]]:
    """Return the rows of a file, read by arro3."""
    from arro3.io import read_parquet

    batches = read_parquet(io.BytesIO(data)).read_all().to_batches()
    return [row for batch in batches for row in batch.to_struct_array().to_pylist()]


def written(rows: list[Row]) -> bytes:
    return b"".join(RowsParquet().write(rows))


times = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
rows = st.builds(
    Row,
    texts,
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.booleans(),
    st.none() | times,
    st.lists(st.floats(allow_nan=False), max_size=3).map(tuple),
    st.lists(st.integers(0, 10**6), max_size=3).map(tuple),
)


@given(st.lists(rows, max_size=5))
def test_written_rows_are_read_again(given_rows: list[Row]) -> None:
    expected = [row._asdict() | {"parts": list(row.parts), "counts": list(row.counts)} for row in given_rows]
    assert rows_in(written(given_rows)) == expected


def test_a_table_without_rows_has_its_columns(tmp_path: Path) -> None:
    from arro3.io import read_parquet

    data = written([])
    assert rows_in(data) == []
    assert read_parquet(io.BytesIO(data)).schema.names == list(Row._fields)


def test_long_tables_are_written_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_GROUP", 10)  # the real number takes a while to check
    row = Row("a", 1, 2.5, True, datetime(2026, 3, 1, tzinfo=UTC), (0.5,), ())
    found = rows_in(written([row._replace(number=number) for number in range(35)]))
    assert [one["number"] for one in found] == list(range(35))


def test_times_are_stored_in_utc_and_half_characters_are_escaped() -> None:
    zone = datetime.fromisoformat("2026-03-01T12:00:00+02:00")
    (found,) = rows_in(written([Row("a\ud800", None, math.inf, None, zone, (), ())]))
    assert found["at"] == zone
    assert found["at"].utcoffset() == timedelta(0)
    assert found["text"] == "a\\ud800"
    assert found["value"] == math.inf


def test_the_types_of_the_columns_are_those_of_the_record() -> None:
    assert columns_of(Row) == {
        "text": str,
        "number": int,
        "value": float,
        "is_true": bool,
        "at": datetime,
        "parts": tuple[float, ...],
        "counts": tuple[int, ...],
    }


def test_a_table_is_written_to_a_path_too(tmp_path: Path) -> None:
    parquet_write({"a": str}, [["x"], ["y"]], str(tmp_path / "a.parquet"))
    assert rows_in((tmp_path / "a.parquet").read_bytes()) == [{"a": "x"}, {"a": "y"}]
