"""What every reader of text files does, on one small invented file of each format.

Parquet files have tests of their own in `test_parquet_reading.py`, folders by class in `test_class_folders.py`.
"""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.exchange.reading import Histogram, MeanScore, Vote, VoteFileError, WatchLabel, Wrong
from annotation.exchange.registry import FORMATS, READERS
from annotation.exchange.values import MOST_VOTES
from annotation.files.names import text_storable
from tests.annotation.exchange.vote_files import read, read_bytes
from tests.iqs_site.test_docs import rows as rows_of_page

#: {name of the reader: (scale, a file with two rows)}
EXAMPLES = {
    "votes-csv": ((1, 10), "annotator,file,score,watch\na,é.jpg,7,yes\nb,2.jpg,1,\n"),
    "votes-jsonl": (
        (1, 10),
        '{"annotator": "a", "file": "é.jpg", "score": 7}\n{"annotator": "b", "file": "2.jpg", "score": 1}\n',
    ),
    "annotations-csv": (
        (1, 10),
        "annotation,image,annotator,watch,score,independent_vote,created_at\n1,é.jpg,a,yes,7,True,\n3,2.jpg,b,,1,True,\n",
    ),
    "annotations-jsonl": (
        (1, 10),
        '{"image": "é.jpg", "annotator": "a", "score": 7, "independent_vote": true, "watch": "yes"}\n'
        '{"image": "2.jpg", "annotator": "b", "score": 1, "independent_vote": true, "watch": ""}\n',
    ),
    "consensus-csv": ((0, 100), "image,split,votes,mos,sos,low\né.jpg,train,12,61.5,3,60\n2.jpg,train,1,0,,0\n"),
    "consensus-jsonl": (
        (0, 100),
        '{"image": "é.jpg", "mos": 61.5, "sos": 3, "votes": 12}\n'
        '{"image": "2.jpg", "mos": 0, "sos": null, "votes": 1}\n',
    ),
    "observer-csv": ((1, 5), "Image Name,Vote,Duration,Timestamp\né.jpg,3,0.5,\n2.jpg,5,1,\n"),
    "histogram-csv": ((1, 3), "file,1,2,3\né.jpg,1,0,2\n2.jpg,0,0,1\n"),
    "mean-csv": ((0, 100), "file,mos,sos,votes\né.jpg,61.5,3,12\n2.jpg,0,,\n"),
    "watch-csv": ((1, 10), "file,watch\né.jpg,yes\n2.jpg,no-watch\n"),
    "watch-jsonl": ((1, 10), '{"file": "é.jpg", "watch": "yes"}\n{"file": "2.jpg", "watch": false}\n'),
    "ava": ((1, 10), "1 é 0 0 1 2 3 4 3 2 1 0 12 30 873\n2 20 1 0 0 0 0 0 0 0 0 0 0 0 1\n"),
    "ava-csv": (
        (1, 10),
        "image_id,score2,score3,score4,score5,score6,score7,score8,score9,score10,score11,tag1\n"
        "é,1,0,0,0,0,0,0,0,0,2,7\n20,0,0,0,0,0,0,0,0,0,2,7\n",
    ),
    "ava-json": (
        (1, 10),
        '[{"image_id": "é", "label": [1,0,0,0,0,0,0,0,0,2]}, {"image_id": 20, "label": [0,0,0,0,0,0,0,0,0,2]}]',
    ),
    "dpchallenge": ((1, 10), "1 é 3 7 1 0 0 0 0 0 0 0 0 2\n2 20 2 10.0 0 0 0 0 0 0 0 0 0 2\n"),
    "eva": ((0, 10), "image_id=user_id=score=difficulty\né=a=0=1\n20=b=10=1\n"),
    "koniq": (
        (1, 5),
        "image_name,c1,c2,c3,c4,c5,c_total,MOS\né.jpg,0,0.5,0.25,0.25,0,8,70\n2.jpg,0,0,0,1,0,3,80\n",
    ),
    "spaq": ((0, 100), "Image name,MOS\né.jpg,61.5\n2.jpg,100\n"),
    "label-studio": (
        (1, 10),
        '[{"data": {"image": "/data/upload/3/0a1b2c3d-é.jpg"}, "annotations": [{"completed_by": {"email": "a@b.c"},'
        ' "result": [{"type": "rating", "value": {"rating": 7}}]}]}, {"data": {"image": "2.jpg"}, "annotations":'
        ' [{"completed_by": 4, "result": [{"type": "number", "value": {"number": 1}}]}]}]',
    ),
    "image-folder": ((0, 100), '{"file_name": "é.jpg", "mos": 61.5}\n{"file_name": "2.jpg", "label": 7, "votes": 3}\n'),
}
#: Texts that are likely to be misread.
HOSTILE = ["1e308", "-1", "nan", "١", '"', "\0", ",", " ", "=", "\n", "\r", "9" * 400, "[", "}", "7.5", "é", "\u2028"]


def test_every_reader_has_an_example() -> None:
    assert set(EXAMPLES) == {name for name, reader in READERS.items() if reader.counts_lines}


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_rows_of_a_file_in_every_encoding_and_with_every_line_end(name: str, encoding: str, end: str) -> None:
    scale, text = EXAMPLES[name]
    rows = read_bytes(name, text.replace("\n", end).encode(encoding), scale)
    assert [type(row) for row in rows] == [READERS[name].reads] * 2
    suffix = "" if READERS[name].by_stem else ".jpg"
    assert rows[0].photo == f"é{suffix}"
    assert READERS[name].file_scale in {None, scale}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_file_in_another_encoding_is_one_sentence(name: str) -> None:
    scale, text = EXAMPLES[name]
    with pytest.raises(VoteFileError, match="is not text in UTF-8 or UTF-16"):
        read_bytes(name, text.encode("latin-1"), scale)


@pytest.mark.parametrize("name", EXAMPLES)
@given(
    changes=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 3), st.one_of(st.sampled_from(HOSTILE), st.text(max_size=5))),
        min_size=1,
        max_size=3,
    )
)
def test_a_changed_file_has_only_rows_that_can_be_stored_or_is_refused(
    name: str, changes: list[tuple[float, int, str]]
) -> None:
    scale, text = EXAMPLES[name]
    for where, length, new in changes:
        place = int(where * len(text))
        text = text[:place] + new + text[place + length :]
    try:
        rows = read_bytes(name, text.encode("utf-8", "replace"), scale)
    except VoteFileError:
        return
    for row in rows:
        assert row.line >= 1
        if isinstance(row, Wrong):
            assert row.why.endswith(".")
            continue
        # A photo without a mean can have a watch label.
        assert type(row) in {READERS[name].reads, WatchLabel if READERS[name].reads is MeanScore else None}
        assert 0 < len(row.photo) <= 500
        assert text_storable(row.photo) == row.photo
        if isinstance(row, Vote):
            assert scale[0] <= row.score <= scale[1]
            assert text_storable(row.annotator) == row.annotator != ""
        if isinstance(row, Histogram):
            assert len(row.counts) == scale[1] - scale[0] + 1
            assert min(row.counts) >= 0
            assert 0 < sum(row.counts) <= MOST_VOTES
        if isinstance(row, MeanScore):
            assert scale[0] <= row.mos <= scale[1]
        if isinstance(row, WatchLabel):
            assert row.watch in {"yes", "no", "unsure"}


@pytest.mark.parametrize("name", EXAMPLES)
@given(data=st.binary(max_size=300))
def test_no_bytes_raise_another_error(name: str, data: bytes) -> None:
    with suppress(VoteFileError):
        read_bytes(name, data, EXAMPLES[name][0])


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_file_that_is_missing_or_a_folder_is_an_os_error(name: str, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.csv"):
        with pytest.raises(OSError, match=r"directory"):
            list(READERS[name].read(path, EXAMPLES[name][0]))


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("text", ["", "\ufeff"])
def test_an_empty_file_is_one_sentence(name: str, text: str) -> None:
    with pytest.raises(VoteFileError, match=r"^The file is empty\.$"):
        read(name, text, EXAMPLES[name][0])


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_rows_come_while_the_file_is_read(name: str, tmp_path: Path) -> None:
    """The last line of the file is broken, which the first row does not know."""
    scale, text = EXAMPLES[name]
    between = {"ava-json": ", {", "label-studio": ', {"data"'}.get(name, "\n")
    start, last = text.rstrip("\n").rsplit(between, 1)
    last = f", {{{last[:-1]}" if name == "ava-json" else f"\n{last}"
    path = tmp_path / "file"
    path.write_bytes((start + last * 30_000).encode() + b"\xff\n")
    assert isinstance(next(READERS[name].read(path, scale)), READERS[name].reads)


def test_the_page_of_formats_has_exactly_the_existing_formats() -> None:
    assert rows_of_page("exchange.md") == {*FORMATS, *READERS}
