"""Which format a table of labels has, by its columns."""

from pathlib import Path

import pytest

from annotation.exchange.label_files import label_reader
from annotation.exchange.reading import VoteFileError

TEN = (1, 10)


def found(folder: Path, text: str, name: str = "labels.csv") -> tuple[str, tuple[int, int] | None]:
    path = folder / name
    path.write_text(text)
    reader, scale = label_reader(path, TEN)
    return reader.name, scale


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("annotator,file,score", ("votes-csv", None)),
        ("image;rater;rating;watch", ("votes-csv", None)),
        ("file,score", ("observer-csv", None)),
        ("Image Name\tVote", ("observer-csv", None)),
        ("file,mos,votes", ("mean-csv", None)),
        ("file,mos,watch", ("mean-csv", None)),
        ("file,watch,source", ("watch-csv", None)),
        ("file,1,2,3,4,5", ("histogram-csv", (1, 5))),
        ("file,score1,score2,score3", ("histogram-csv", (1, 3))),
        ("image_name,c1,c2,c3,c4,c5,c_total", ("koniq", None)),
        ("image_id," + ",".join(f"score{n}" for n in range(2, 12)), ("ava-csv", None)),
    ],
)
def test_a_table_is_recognised_by_its_header(tmp_path: Path, header: str, expected: tuple[str, object]) -> None:
    assert found(tmp_path, f"{header}\n") == expected


def test_json_lines_are_votes_or_the_table_of_a_folder(tmp_path: Path) -> None:
    assert found(tmp_path, "{}", "votes.jsonl")[0] == "votes-jsonl"
    assert found(tmp_path, "{}", "metadata.jsonl")[0] == "image-folder"
    assert found(tmp_path, '{"file": "1.jpg", "watch": "yes"}\n{}', "labels.jsonl")[0] == "watch-jsonl"
    assert found(tmp_path, '{"file": "1.jpg", "watch": "yes", "score": 7}', "votes.jsonl")[0] == "votes-jsonl"


@pytest.mark.parametrize("text", ["name,address\nx,y\n", "", "\x00\x01"])
def test_other_tables_are_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(VoteFileError):
        found(tmp_path, text)


def test_the_votes_of_one_person_can_have_watch_labels(tmp_path: Path) -> None:
    path = tmp_path / "Eve.csv"
    path.write_text("file,score,watch\na.jpg,7,yes\nb.jpg,2,\n")
    reader, _ = label_reader(path, TEN)
    votes = [(vote.annotator, vote.photo, vote.score, vote.watch) for vote in reader.read(path, TEN)]  # type: ignore[union-attr]
    assert votes == [("Eve", "a.jpg", 7, "yes"), ("Eve", "b.jpg", 2, "")]
