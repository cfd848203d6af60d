"""Parquet files are read as the CSV files with the same columns."""

import io
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.exchange.parquet import parquet_write
from annotation.exchange.reading import Histogram, MeanScore, Vote, VoteFileError, WatchLabel, Wrong
from annotation.exchange.records import HistogramRecord, VoteRecord, WatchRecord
from annotation.exchange.registry import FORMATS, READERS
from tests.annotation.exchange.test_registry import ANNOTATION, CONSENSUS
from tests.annotation.exchange.vote_files import names, read_bytes

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
PARQUET = [name for name in READERS if name.endswith("-parquet")]


def table(columns: dict[str, Any], *rows: tuple[Any, ...]) -> bytes:
    """Return a Parquet table with columns {name: type}."""
    file = io.BytesIO()
    parquet_write(columns, rows, file)
    return file.getvalue()


def written(name: str, *rows: Any) -> bytes:
    return b"".join(FORMATS[name].write(rows))


VOTES = [VoteRecord("=ada", "é.jpg", 7, "yes", WHEN), VoteRecord("'=bob", "2.jpg", 1, "", WHEN)]


def test_every_parquet_table_of_votes_is_read() -> None:
    names = ("votes", "annotations", "histogram", "consensus", "watch")
    assert [f"{name}-parquet" for name in names] == PARQUET


def test_watch_labels_come_back_as_they_were_written() -> None:
    records = [WatchRecord("=1.jpg", "yes"), WatchRecord("é.jpg", "no"), WatchRecord("3.jpg", "unsure")]
    found = read_bytes("watch-parquet", written("watch-parquet", *records))
    assert found == [WatchLabel(line, *record) for line, record in enumerate(records, start=1)]


def test_single_votes_come_back_as_they_were_written() -> None:
    assert read_bytes("votes-parquet", written("votes-parquet", *VOTES)) == [
        Vote(1, "é.jpg", "=ada", 7, "yes", WHEN),
        Vote(2, "2.jpg", "'=bob", 1, "", WHEN),
    ]


@settings(max_examples=10, deadline=None)  # each starts a process
@given(st.lists(st.tuples(names, names, st.integers(1, 10)), min_size=1, max_size=20))
def test_every_name_comes_back(rows: list[tuple[str, str, int]]) -> None:
    records = [VoteRecord(annotator, file, score, "no", WHEN) for annotator, file, score in rows]
    found = read_bytes("votes-parquet", written("votes-parquet", *records))
    assert [(one.annotator, one.photo, one.score, one.watch, one.given_at) for one in found] == records_without_type(
        records
    )


def records_without_type(records: list[VoteRecord]) -> list[tuple[Any, ...]]:
    return [tuple(record) for record in records]


def test_of_annotations_only_independent_votes_are_read() -> None:
    rows = [
        ANNOTATION._replace(annotation=1, image="1.jpg", independent_vote=False),
        ANNOTATION._replace(annotation=2, image="1.jpg", score=8, independent_vote=True),
        ANNOTATION._replace(annotation=3, image="2.jpg", score=None, watch="", skip_reason="broken"),
    ]
    wanted = [("1.jpg", "@alice", 8, "yes")]
    for name in ("annotations-csv", "annotations-jsonl", "annotations-parquet"):
        found = read_bytes(name, written(name, *rows))
        assert [row[1:5] for row in found] == wanted, name
        assert found[0].given_at == ANNOTATION.created_at


def test_histograms_and_consensus_come_back() -> None:
    rows = [HistogramRecord("=1.jpg", (0, 2, 1), 3), HistogramRecord("2", (1, 0, 0), 3)]
    assert read_bytes("histogram-parquet", written("histogram-parquet", *rows), (3, 5)) == [
        Histogram(1, "=1.jpg", (0, 2, 1)),
        Histogram(2, "2", (1, 0, 0)),
    ]
    for name in ("consensus-csv", "consensus-jsonl", "consensus-parquet"):
        (found,) = read_bytes(name, written(name, CONSENSUS))
        assert found[1:] == MeanScore(0, "=1.jpg", 5.25, None, 3)[1:], name


def test_other_types_of_columns_are_read() -> None:
    columns = {"rater": int, "image": str, "rating": float}
    rows = read_bytes("votes-parquet", table(columns, (4, "1.jpg", 7.0), (5, "1.jpg", 7.5)))
    assert rows[0] == Vote(1, "1.jpg", "4", 7)
    assert rows[1] == Wrong(2, "The score is 7.5, but votes are whole numbers.")


def test_each_wrong_row_is_named_with_its_number() -> None:
    columns = {"annotator": str, "file": str, "score": int}
    rows = [("a", f"{number}.jpg", 5) for number in range(3000)]
    rows[1499] = ("a", None, 5)  # type: ignore[assignment]
    rows[2999] = ("a", "1.jpg", 11)
    found = read_bytes("votes-parquet", table(columns, *rows))
    assert len(found) == 3000
    assert [row for row in found if isinstance(row, Wrong)] == [
        Wrong(1500, "The name of the photo is missing."),
        Wrong(3000, "The score is 11, but the scale is from 1 to 10."),
    ]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "The file is empty."),
        (b"annotator,file,score\na,1.jpg,7\n", "The file is not Parquet. Choose the format that the file has."),
        (b"PAR1" + b"\0" * 100 + b"PAR1", "The file is damaged or incomplete"),
        (table({"file": str, "score": int}, ("1.jpg", 7)), "The file needs the columns annotator"),
        (
            table({"annotator": str, "file": str, "score": tuple[int, ...]}, ("a", "1.jpg", (7, 8))),
            'The column "score" has the type List. It must have texts, numbers or times.',
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(data: bytes, why: str) -> None:
    with pytest.raises(VoteFileError) as refused:
        read_bytes("votes-parquet", data)
    assert str(refused.value).startswith(why)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.99])
def test_a_truncated_file_is_refused(part: float) -> None:
    data = written("votes-parquet", *VOTES * 50)
    with pytest.raises(VoteFileError, match="The end of the Parquet file is missing"):
        read_bytes("votes-parquet", data[: int(len(data) * part)])


@settings(max_examples=15, deadline=None)  # each starts a process
@given(st.floats(0.05, 0.95), st.binary(min_size=1, max_size=30))
def test_a_damaged_file_never_ends_the_reading_process(where: float, damage: bytes) -> None:
    data = bytearray(written("votes-parquet", *VOTES))
    place = int(where * len(data))
    data[place : place + len(damage)] = damage
    with suppress(VoteFileError):
        read_bytes("votes-parquet", bytes(data))


@pytest.mark.parametrize("name", PARQUET)
def test_a_missing_file_and_a_folder_are_os_errors(name: str, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.parquet"):
        with pytest.raises(OSError, match="directory"):
            list(READERS[name].read(path, (1, 10)))
