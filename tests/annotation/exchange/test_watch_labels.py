"""Files that say only whether photos show a watch: every spelling, wrong lines, and lines with a mean beside others."""

import pytest

from annotation.exchange.reading import MeanScore, WatchLabel, Wrong
from annotation.exchange.records import WatchRecord
from annotation.exchange.registry import FORMATS
from tests.annotation.exchange.vote_files import read, read_bytes


@pytest.mark.parametrize(
    ("text", "watch"),
    [
        *[(text, "yes") for text in ("yes", " YES", "watch", "1", "1.0", "true", "True")],
        *[(text, "no") for text in ("no", "no-watch", "no_watch", "No watch", "0", "0.0", "false")],
        ("unsure", "unsure"),
    ],
)
def test_spellings_of_other_programs(text: str, watch: str) -> None:
    assert read("watch-csv", f"file,watch\n1.jpg,{text}\n", (1, 10)) == [WatchLabel(2, "1.jpg", watch)]


def test_wrong_lines_have_their_numbers() -> None:
    rows = read("watch-csv", "watch;image\nyes;1.jpg\n;2.jpg\nperhaps;3.jpg\nno;\nno;5.jpg\n", (1, 10))
    assert [row for row in rows if not isinstance(row, Wrong)] == [
        WatchLabel(2, "1.jpg", "yes"),
        WatchLabel(6, "5.jpg", "no"),
    ]
    assert [(row.line, row.why) for row in rows if isinstance(row, Wrong)] == [
        (3, "The watch label is missing."),
        (
            4,
            'The watch label is "perhaps". It can be yes, no or unsure; watch or no-watch; 1 or 0; true or false.',
        ),
        (5, "The name of the photo is missing."),
    ]


def test_lines_of_a_table_of_means_can_have_a_label_beside_the_mean_or_alone() -> None:
    text = "file,mos,votes,watch\n1.jpg,7.5,3,1\n2.jpg,,,no\n3.jpg,2,,\n4.jpg,,,\n5.jpg,,3,yes\n"
    assert read("mean-csv", text, (1, 10)) == [
        MeanScore(2, "1.jpg", 7.5, None, 3, "yes"),
        WatchLabel(3, "2.jpg", "no"),
        MeanScore(4, "3.jpg", 2.0),
        Wrong(5, "The mos is missing."),
        Wrong(6, "The mos is missing."),
    ]


@pytest.mark.parametrize("name", ["watch-csv", "watch-jsonl", "watch-parquet"])
def test_labels_come_back_as_they_were_written(name: str) -> None:
    records = [WatchRecord("=1.jpg", "yes"), WatchRecord("'é;2.jpg", "no"), WatchRecord("3.jpg", "unsure")]
    found = read_bytes(name, b"".join(FORMATS[name].write(records)))
    assert [(row.photo, row.watch) for row in found if isinstance(row, WatchLabel)] == [tuple(one) for one in records]
