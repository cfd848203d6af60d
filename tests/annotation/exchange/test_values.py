"""Each value of a vote file is read exactly, or refused with a sentence that shows it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.exchange import values
from annotation.exchange.values import LineError
from tests.annotation.exchange.vote_files import names


@pytest.mark.parametrize(
    ("text", "score"), [("7", 7), (" 7 ", 7), ("7.0", 7), ("7.", 7), ("07", 7), ("+7", 7), ("1e1", 10), ("70e-1", 7)]
)
def test_a_score_is_a_whole_number_in_any_spelling(text: str, score: int) -> None:
    assert values.score_read(text, (1, 10)) == score


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The score is missing."),
        (" ", "The score is missing."),
        ("7.5", "The score is 7.5, but votes are whole numbers."),
        ("0", "The score is 0, but the scale is from 1 to 10."),
        ("11", "The score is 11, but the scale is from 1 to 10."),
        ("-7", "The score is -7, but the scale is from 1 to 10."),
        ("1e308", "The score is 1e308, but the scale is from 1 to 10."),
        ("1e999", "The score is 1e999, but the scale is from 1 to 10."),
        ("good", 'The score is "good", which is not a number such as 7 or 6.5.'),
        ("nan", 'The score is "nan", which is not a number such as 7 or 6.5.'),
        ("Infinity", 'The score is "Infinity", which is not a number such as 7 or 6.5.'),
        ("١", 'The score is "١", which is not a number such as 7 or 6.5.'),
        ("７", 'The score is "７", which is not a number such as 7 or 6.5.'),
        ("1_0", 'The score is "1_0", which is not a number such as 7 or 6.5.'),
        ("0x7", 'The score is "0x7", which is not a number such as 7 or 6.5.'),
        ("7\0", 'The score is "7\\x00", which is not a number such as 7 or 6.5.'),
        ("1" * 100_000, f'The score is "{"1" * 60}…", which is not a number such as 7 or 6.5.'),
    ],
)
def test_what_is_no_score_is_shown(text: str, message: str) -> None:
    with pytest.raises(LineError) as error:
        values.score_read(text, (1, 10))
    assert str(error.value) == message


@pytest.mark.parametrize("text", ["-1", "1.5", "1e10", "nan", "١", "x", "", "9" * 5000, "1000000001"])
def test_a_number_of_votes_is_a_whole_number_that_the_database_can_hold(text: str) -> None:
    with pytest.raises(LineError):
        values.count_read(text, "number of votes")


def test_numbers_of_votes() -> None:
    assert [values.count_read(text, "n") for text in ("0", "7.0", "1000000000", "1e9", "12345")] == [
        0,
        7,
        10**9,
        10**9,
        12345,
    ]


def test_a_histogram_has_a_vote_and_no_more_than_the_database_can_hold() -> None:
    assert values.counts_checked([0, 1]) == (0, 1)
    for counts in ([0, 0], [10**9, 1]):
        with pytest.raises(LineError):
            values.counts_checked(counts)


@given(names)
def test_every_name_that_can_be_stored_is_unchanged(name: str) -> None:
    assert values.name_read(name) == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "is missing"),
        (" \t", "is missing"),
        ("x" * 501, "has 501 characters. At most 500 are possible."),
        ("a\0.jpg", 'is "a\\x00.jpg". It has a character that cannot be stored.'),
        ("a\ud800.jpg", 'is "a\\ud800.jpg". It has a character that cannot be stored.'),
        ("a\udce9.jpg", 'is "a\\udce9.jpg". It has a character that cannot be stored.'),
    ],
)
def test_a_name_that_cannot_be_stored_is_refused(name: str, message: str) -> None:
    with pytest.raises(LineError, match="name of the annotator") as error:
        values.name_read(name, "name of the annotator")
    assert message in str(error.value)


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_time_in_utc_is_read_again(time: datetime) -> None:
    assert values.time_read(time.isoformat()) == time


def test_times_are_in_utc() -> None:
    time = values.time_read("2026-03-01T12:00:00+05:30")
    assert time == datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert time is not None
    assert time.tzinfo is UTC
    assert values.time_read(" ") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026-03-01T12:00:00", "with a time zone"),
        ("2026-03-01", "with a time zone"),
        ("20-Jan-2023 11:47:37", "It must be like"),
        ("٢٠٢٦-03-01T12:00:00Z", "It must be like"),
        ("0001-01-01T00:00:00+14:00", "out of range"),
    ],
)
def test_a_time_needs_a_time_zone_and_iso_8601(text: str, message: str) -> None:
    with pytest.raises(LineError, match=message):
        values.time_read(text)


def test_watch_labels() -> None:
    assert [values.watch_read(text) for text in ("yes", " No ", "UNSURE", "")] == ["yes", "no", "unsure", ""]
    with pytest.raises(LineError, match=r'"1"\. It can be yes, no, unsure or empty'):
        values.watch_read("1")


@pytest.mark.parametrize("value", [True, [], {}, [7]])
def test_json_that_is_neither_a_text_nor_a_number_is_refused(value: Any) -> None:
    with pytest.raises(LineError, match="The score is neither a text nor a number"):
        values.json_text(value, "score")
