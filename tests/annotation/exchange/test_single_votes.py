"""Files of single votes: votes-csv, votes-jsonl, observer-csv and eva."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.exchange.reading import WATCH_LABELS, Vote, VoteFileError, Wrong
from annotation.exchange.records import VoteRecord
from annotation.exchange.registry import FORMATS, READERS
from tests.annotation.exchange.vote_files import names, read, read_bytes, why

HEADER = "annotator,file,score\n"
records = st.builds(
    VoteRecord,
    annotator=names,
    file=names,
    score=st.integers(1, 10),
    watch=st.sampled_from(WATCH_LABELS),
    given_at=st.datetimes(timezones=st.just(UTC)),
)


def written(name: str, rows: list[Any], *, for_excel: bool = False) -> bytes:
    return b"".join(FORMATS[name].write(rows, for_excel=for_excel))


@pytest.mark.parametrize("name", ["votes-csv", "votes-jsonl"])
@given(rows=st.lists(records, min_size=1, max_size=5), for_excel=st.booleans())
def test_votes_that_were_written_are_read_again(name: str, rows: list[VoteRecord], for_excel: bool) -> None:
    found = read_bytes(name, written(name, rows, for_excel=for_excel))
    assert [VoteRecord(row.annotator, row.photo, row.score, row.watch, row.given_at) for row in found] == rows


def test_a_formula_is_written_with_a_guard_and_read_without() -> None:
    row = VoteRecord("=1+1", "@a.jpg", 7, "", datetime(2026, 3, 1, tzinfo=UTC))
    data = written("votes-csv", [row])
    assert b"'=1+1,'@a.jpg,7" in data
    assert [(vote.annotator, vote.photo) for vote in read_bytes("votes-csv", data)] == [("=1+1", "@a.jpg")]


def test_columns_in_any_order_and_other_columns() -> None:
    text = "note,score,given_at,file,watch,annotator\nx,7,2026-03-01T12:00:00Z,a.jpg,yes,1\n,3.0,,b c.jpg,,2\n"
    assert read("votes-csv", text) == [
        Vote(2, "a.jpg", "1", 7, "yes", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        Vote(3, "b c.jpg", "2", 3),
    ]


@pytest.mark.parametrize("photo", ["file", "image", "photo", "image_name", "Image Name", " FILE "])
@pytest.mark.parametrize("annotator", ["annotator", "user", "observer", "rater"])
@pytest.mark.parametrize("score", ["score", "rating", "vote"])
def test_columns_have_the_names_of_other_programs(photo: str, annotator: str, score: str) -> None:
    assert read("votes-csv", f"{score};{photo};{annotator}\n7;a.jpg;x\n") == [Vote(2, "a.jpg", "x", 7)]


def test_the_preferred_name_of_a_column_comes_first() -> None:
    assert read("votes-csv", "user,annotator,image,file,score\nu,a,i.jpg,f.jpg,7\n") == [Vote(2, "f.jpg", "a", 7)]
    line = '{"user": "u", "annotator": "a", "image": "i.jpg", "file": "f.jpg", "score": 7}\n'
    assert read("votes-jsonl", line) == [Vote(1, "f.jpg", "a", 7)]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "name,points\n",
            r"needs the columns annotator \(or user, observer, rater\), file \(or image, photo, image_name\), "
            r"score \(or rating, vote\)\. It has name, points\.",
        ),
        ("annotator,file\n", "It has annotator, file"),
        ("\x00\x01\n", r"It has \\x00\\x01\."),
        (",\n", "It has none"),
        ("annotator,file,score,score\n", "has the column score twice"),
        (",".join(map(str, range(10_000))) + "\n", "28, 29, …"),
    ],
)
def test_a_wrong_header_is_one_sentence_about_the_file(header: str, message: str) -> None:
    with pytest.raises(VoteFileError, match=message):
        read("votes-csv", f"{header}a,b,7\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a,1.jpg,11", "The score is 11, but the scale is from 1 to 10."),
        ("a,1.jpg,7.5", "The score is 7.5, but votes are whole numbers."),
        ("a,1.jpg,", "The score is missing."),
        ("a,1.jpg,١", 'The score is "١", which is not a number such as 7 or 6.5.'),
        (",1.jpg,7", "The name of the annotator is missing."),
        ("a,,7", "The name of the photo is missing."),
        ("a,1.jpg", "The line has 2 cells, but the header has 3."),
        ("a", "The line has 1 cell, but the header has 3."),
        ("a,1,2.jpg,7", "The line has 4 cells, but the header has 3."),
        (f"a,{'x' * 501},7", "The name of the photo has 501 characters. At most 500 are possible."),
        ("a\0,1.jpg,7", 'The name of the annotator is "a\\x00". It has a character that cannot be stored.'),
    ],
)
def test_a_wrong_line_is_one_sentence_and_the_others_are_read(line: str, message: str) -> None:
    rows = read("votes-csv", f"{HEADER}a,0.jpg,1\n{line}\nb,1.jpg,10\n")
    assert rows == [Vote(2, "0.jpg", "a", 1), Wrong(3, message), Vote(4, "1.jpg", "b", 10)]


def test_empty_cells_after_the_last_column_do_not_count() -> None:
    assert read("votes-csv", f"{HEADER}a,1.jpg,7,,\n") == [Vote(2, "1.jpg", "a", 7)]


def test_a_wrong_watch_label_and_a_wrong_time() -> None:
    assert "watch label" in why("votes-csv", "annotator,file,score,watch\na,1.jpg,7,maybe\n")
    assert "time zone" in why("votes-csv", "annotator,file,score,given_at\na,1.jpg,7,2026-03-01 12:00\n")


def test_a_file_without_votes_has_no_rows() -> None:
    assert read("votes-csv", HEADER) == []


@given(cells=st.lists(st.lists(st.text(max_size=8), min_size=1, max_size=4), max_size=6))
def test_each_line_of_a_table_is_a_vote_or_wrong(cells: list[list[str]]) -> None:
    """What is read has as many rows as the table has lines that are not blank."""
    lines = [",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in cells]
    text = HEADER + "".join(f"{line}\n" for line in lines)
    rows = read_bytes("votes-csv", text.encode("utf-8", "replace"))
    assert len(rows) == len(cells)
    assert all(isinstance(row, Vote | Wrong) for row in rows)


class TestJsonLines:
    def test_names_can_be_numbers_and_scores_can_be_texts(self) -> None:
        text = '{"user": 12, "image": 34, "rating": "7.0", "watch": null}\n\n{"rater":"a","photo":"b","vote":3.0}'
        assert read("votes-jsonl", text) == [Vote(1, "34", "12", 7), Vote(3, "b", "a", 3)]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("{", "The line is not JSON."),
            ("[" * 100_000, "The line is not JSON."),
            ("1" * 5000, "The line is not JSON."),
            ("[1]", "is not a JSON object such as"),
            ("null", "is not a JSON object such as"),
            ('{"annotator": "a", "file": "1.jpg"}', "The score is missing."),
            ('{"annotator": "a", "file": "1.jpg", "score": true}', "The score is neither a text nor a number."),
            ('{"annotator": "a", "file": "1.jpg", "score": NaN}', 'The score is "nan", which is not a number'),
            ('{"annotator": "a", "file": "1.jpg", "score": 1e308}', "The score is 1e+308, but the scale"),
            ('{"annotator": "a", "file": ["1.jpg"], "score": 1}', "The file is neither a text nor a number."),
            ('{"annotator": "a", "file": "\\ud800", "score": 1}', "It has a character that cannot be stored."),
            ('{"annotator": "a", "file": "\\u0000", "score": 1}', "It has a character that cannot be stored."),
        ],
    )
    def test_a_wrong_line_is_one_sentence(self, line: str, message: str) -> None:
        assert message in why("votes-jsonl", f'{{"annotator": "a", "file": "0.jpg", "score": 1}}\n{line}\n')

    def test_names_are_written_as_they_are(self) -> None:
        row = VoteRecord("=1", "é\n.jpg", 7, "no", datetime(2026, 3, 1, tzinfo=UTC))
        assert json.loads(written("votes-jsonl", [row])) == {
            "annotator": "=1",
            "file": "é\n.jpg",
            "score": 7,
            "watch": "no",
            "given_at": "2026-03-01T00:00:00+00:00",
        }


class TestObserver:
    TEXT = "Image Name,Vote,Duration,Timestamp\r\n1.JPEG,3,0.38,20-Jan-2023 11:47:37\r\n2.JPEG,6,0.33,\r\n"

    def test_the_name_of_the_file_is_the_annotator(self) -> None:
        assert read("observer-csv", self.TEXT, (1, 5), "Obs 1.csv") == [
            Vote(2, "1.JPEG", "Obs 1", 3),
            Wrong(3, "The score is 6, but the scale is from 1 to 5."),
        ]

    def test_a_file_name_that_is_no_text_is_an_annotator_that_can_be_stored(self) -> None:
        (vote,) = read("observer-csv", "Image Name,Vote\n1.jpg,3\n", (1, 5), "Obs\udce9.csv")
        assert vote.annotator == "Obs\\xe9"


class TestEva:
    HEADER = "image_id=user_id=score=difficulty=visual=composition=quality=semantic=vote_time=1=2=3=4\n"

    def test_votes_are_read_with_the_ids_as_names(self) -> None:
        text = self.HEADER + "11=a1=0=1=2=3=4=5=2020-01-01 10:00:00=0=1=2=3\n11=a2=10.0=1=2=3=4=5=x=y=z=0=1=2=3\n"
        assert read("eva", text, (0, 10)) == [Vote(2, "11", "a1", 0), Vote(3, "11", "a2", 10)]
        assert (READERS["eva"].file_scale, READERS["eva"].by_stem) == ((0, 10), True)

    def test_a_table_with_commas_is_refused(self) -> None:
        with pytest.raises(
            VoteFileError, match=r"needs the columns user_id, image_id, score\. It has image_id,user_id"
        ):
            read("eva", "image_id,user_id,score\n1,2,3\n", (0, 10))

    def test_a_line_that_is_too_short_is_wrong(self) -> None:
        assert "The line has 2 cells" in why("eva", self.HEADER + "11=a1\n", (0, 10))


def test_the_quotes_of_a_table_are_those_of_csv() -> None:
    text = HEADER + '"a ""b""","x,y.jpg",7\n'
    assert read("votes-csv", text) == [Vote(2, "x,y.jpg", 'a "b"', 7)]
