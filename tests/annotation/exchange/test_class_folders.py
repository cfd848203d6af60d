"""Photos in folders named after their class are read as means in the middle of the class."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.exchange.class_folders import ClassFolders, class_means
from annotation.exchange.reading import MeanScore, VoteFileError, WatchLabel, Wrong
from annotation.measures.class_limits import class_limits
from tests.annotation.exchange.vote_files import read_bytes


def zipped(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    return data.getvalue()


def found_in(*names: str) -> list[Any]:
    return read_bytes("class-folders", zipped(*names), file_name="classes.zip")


def test_a_photo_gets_the_middle_of_its_class() -> None:
    assert found_in("accepted/1.jpg", "data/Train/Rejected/é.jpg", "train/pending/new/3.jpg", "pending/") == [
        MeanScore(1, "1.jpg", 8.0),
        MeanScore(2, "é.jpg", 3.0),
        MeanScore(3, "3.jpg", 5.5),
    ]


def test_the_limits_of_the_campaign_decide(tmp_path: Path) -> None:
    for name in ("rejected", "pending", "accepted"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.jpg").touch()
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "accepted" / "labels.csv").touch()
    rows = list(ClassFolders().for_limits((3.0, 8.0)).read(tmp_path, (0, 10)))
    assert [(row.photo, row.mos) for row in rows if isinstance(row, MeanScore)] == [
        ("accepted.jpg", 9.0),
        ("pending.jpg", 5.5),
        ("rejected.jpg", 1.5),
    ]
    assert len(rows) == 3


@given(st.integers(0, 5), st.integers(1, 100), st.floats(0, 1), st.floats(0, 1))
def test_the_mean_is_in_its_class(lowest: int, length: int, first: float, second: float) -> None:
    highest = lowest + length
    reject_at, pending_at = sorted(lowest + part * length for part in (first, second))
    means = class_means((lowest, highest), (reject_at, pending_at))
    if "rejected" in means:
        assert lowest <= means["rejected"] <= reject_at
    if "pending" in means and reject_at + 1e-6 < pending_at:
        assert reject_at < means["pending"] <= pending_at
    if "accepted" in means and pending_at + 1e-6 < highest:
        assert pending_at < means["accepted"] <= highest


def test_the_default_limits_leave_room_for_each_class() -> None:
    assert set(class_means((1, 10), class_limits(1, 10))) == {"rejected", "pending", "accepted"}


WANTED = "A photo must be in a folder rejected, pending or accepted, or watch or no-watch."


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("good/1.jpg", f'"1.jpg" is in "good". {WANTED}'),
        ("1.jpg", f'"1.jpg" is in no folder. {WANTED}'),
        ("watches/1.jpg", f'"1.jpg" is in "watches". {WANTED}'),
    ],
)
def test_a_wrong_folder_is_named(name: str, why: str) -> None:
    rows = found_in("accepted/0.jpg", name)
    assert [row for row in rows if isinstance(row, Wrong)] == [Wrong(1 if name == "1.jpg" else 2, why)]


def test_watch_folders_say_only_whether_there_is_a_watch() -> None:
    assert found_in("train/watch/1.jpg", "train/No-Watch/2.jpg", "no_watch/3.jpg", "no watch/new/4.jpg") == [
        WatchLabel(1, "4.jpg", "no"),
        WatchLabel(2, "3.jpg", "no"),
        WatchLabel(3, "2.jpg", "no"),
        WatchLabel(4, "1.jpg", "yes"),
    ]


def test_folders_inside_each_other_say_both() -> None:
    assert found_in("accepted/watch/1.jpg", "no-watch/Rejected/2.jpg", "pending/3.jpg", "watch/4.jpg") == [
        MeanScore(1, "1.jpg", 8.0, watch="yes"),
        MeanScore(2, "2.jpg", 3.0, watch="no"),
        MeanScore(3, "3.jpg", 5.5),
        WatchLabel(4, "4.jpg", "yes"),
    ]


def test_a_photo_in_a_folder_of_each_kind_has_one_row() -> None:
    assert found_in("classes/accepted/1.jpg", "labels/watch/1.jpg", "labels/watch/2.jpg") == [
        MeanScore(1, "1.jpg", 8.0, watch="yes"),
        WatchLabel(3, "2.jpg", "yes"),
    ]


def test_two_folders_of_one_kind_give_two_rows_which_an_import_refuses() -> None:
    assert found_in("no-watch/1.jpg", "watch/1.jpg") == [WatchLabel(1, "1.jpg", "no"), WatchLabel(2, "1.jpg", "yes")]
    assert [row.line for row in found_in("accepted/watch/1.jpg", "no-watch/1.jpg")] == [1, 2]


def test_a_watch_folder_does_not_hide_a_class_without_room(tmp_path: Path) -> None:
    (tmp_path / "pending" / "watch").mkdir(parents=True)
    (tmp_path / "pending" / "watch" / "1.jpg").touch()
    why = '"1.jpg" is in "pending", a class that the limits of the campaign leave no room for.'
    assert list(ClassFolders((5.0, 5.0)).read(tmp_path, (1, 10))) == [Wrong(1, why)]


def test_empty_folders_have_no_rows() -> None:
    assert found_in("accepted/", "rejected/", "__MACOSX/accepted/._1.jpg") == []


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"", "^The file is empty"), (b"no zip", "is not a zip"), (zipped("accepted/1.jpg")[:-30], "is not a zip")],
    ids=["empty", "text", "cut off"],
)
def test_a_file_that_is_no_zip_is_one_sentence(data: bytes, why: str) -> None:
    with pytest.raises(VoteFileError, match=why):
        read_bytes("class-folders", data, file_name="classes.zip")


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        list(ClassFolders().read(tmp_path / "missing.zip", (1, 10)))
