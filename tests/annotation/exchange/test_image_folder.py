"""The table of an image folder is read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.exchange.reading import MeanScore, WatchLabel
from tests.annotation.exchange.vote_files import names, read, read_bytes, why

numbers = st.floats(1, 10, allow_nan=False)


@given(
    rows=st.lists(st.tuples(names, numbers, st.none() | st.floats(0, 9), st.integers(1, 10**9)), min_size=1, max_size=5)
)
def test_means_are_read_as_they_were_written(rows: list[tuple[str, float, float | None, int]]) -> None:
    lines = [
        json.dumps({"file_name": f"{number}.jpg", "file": file, "mos": mos, "sos": sos, "votes": votes})
        for number, (file, mos, sos, votes) in enumerate(rows)
    ]
    assert read_bytes("image-folder", "\n".join(lines).encode(), (1, 10)) == [
        MeanScore(line, *row) for line, row in enumerate(rows, start=1)
    ]


def test_a_photo_without_a_mean_is_left_out() -> None:
    rows = read("image-folder", '{"file_name": "1.jpg", "mos": null}\n{"file_name": "2.jpg", "mos": 3}', (1, 10))
    assert rows == [MeanScore(2, "2.jpg", 3)]


def test_a_line_can_have_a_watch_label_beside_the_mean_or_alone() -> None:
    lines = (
        '{"file_name": "1.jpg", "mos": 3, "watch": "no-watch"}\n{"file_name": "2.jpg", "watch": true}\n'
        '{"file_name": "3.jpg", "mos": null, "watch": ""}\n{"file_name": "4.jpg", "mos": 9, "watch": ""}'
    )
    assert read("image-folder", lines, (1, 10)) == [
        MeanScore(1, "1.jpg", 3, watch="no"),
        WatchLabel(2, "2.jpg", "yes"),
        MeanScore(4, "4.jpg", 9),
    ]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"file_name": "1.jpg", "mos": 3, "sos": 9.5}', "a standard deviation on this scale is from 0 to 9"),
        ('{"file_name": "1.jpg", "mos": 3, "sos": -1}', "a standard deviation on this scale is from 0 to 9"),
        ('{"file_name": "1.jpg", "mos": 3, "sos": [1]}', "The sos is neither a text nor a number."),
        ('{"file_name": "1.jpg", "mos": 11}', "the scale is from 1 to 10"),
        ('{"file_name": "1.jpg", "label": "watch"}', "which is not a number"),
        ('{"file_name": "1.jpg"}', "The line has none of mos, score, rating, label, watch."),
        ('{"file_name": "1.jpg", "watch": "perhaps"}', "It can be yes, no or unsure"),
        ('{"mos": 3}', "The name of the photo is missing."),
    ],
)
def test_a_line_that_is_no_mean_is_explained(line: str, sentence: str) -> None:
    assert sentence in why("image-folder", line, (1, 10))
