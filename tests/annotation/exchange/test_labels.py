"""Labels from other programs: their encodings, their delimiters, and how they spell the names of photos."""

import unicodedata
from pathlib import Path

import pytest

from annotation.exchange.labels import LabelsError, labels_match, table_read
from annotation.exchange.rows import csv_pieces
from iqs_site.smoke.labels import labels_read

NFC, NFD = "é.jpg", "e\u0301.jpg"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_tables_of_spreadsheets_are_read(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = tmp_path / "labels.csv"
    text = delimiter.join(["note", "file", "watch"]) + "\r\n" + delimiter.join(["x", '"é; ,\t.jpg"', "1"]) + "\r\n"
    mark = "\ufeff" if encoding in {"utf-16-le", "utf-16-be"} else ""
    path.write_bytes((mark + text).encode(encoding))
    assert labels_read(path) == {"é; ,\t.jpg": True}
    table = table_read(path, ["file", "watch"])
    assert table.header == ["note", "file", "watch"]
    assert table.rows == [(2, {"note": "x", "file": "é; ,\t.jpg", "watch": "1"})]


def test_a_wrong_encoding_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes("file,watch\né.jpg,1\n".encode("latin-1"))
    with pytest.raises(LabelsError, match="cannot be read as a CSV file"):
        labels_read(tmp_path / "labels.csv")


@pytest.mark.parametrize(
    ("label", "photo"),
    [
        ("a.jpg", "a.jpg"),
        ("./a.jpg", "a.jpg"),
        ("d\\a.jpg", "d/a.jpg"),
        (".\\d\\a.jpg", "d/a.jpg"),
        ("d//a.jpg", "d/a.jpg"),
        (NFC, NFD),
        (NFD, NFC),
        (f"./d/{NFD}", f"d/{NFC}"),
        ("'=1+1.jpg", "=1+1.jpg"),
        ("a;'=1.jpg", "a;=1.jpg"),
        ("'=1+1.jpg", "'=1+1.jpg"),
        ("back\\slash.jpg", "back\\slash.jpg"),
        ("line\nbreak.jpg", "line\nbreak.jpg"),
        ("latin1_\\xe9.jpg", "latin1_\\xe9.jpg"),
    ],
)
def test_a_label_finds_its_photo(label: str, photo: str) -> None:
    match = labels_match({label: True}, ["other.jpg", photo])
    assert (match.found, match.missing) == ({photo: True}, [])


def test_an_exact_name_comes_first() -> None:
    assert labels_match({NFC: True, NFD: False}, [NFD, NFC]).found == {NFC: True, NFD: False}
    assert labels_match({NFC: True}, [NFD, NFC]).found == {NFC: True}
    assert labels_match({"'=1": True, "=1": False}, ["=1", "'=1"]).found == {"'=1": True, "=1": False}
    assert labels_match({"d\\a": True, "d/a": False}, ["d/a", "d\\a"]).found == {"d\\a": True, "d/a": False}


def test_a_label_that_fits_no_photo_or_several_is_missing() -> None:
    hangul = unicodedata.normalize("NFD", "각é.jpg")
    mixed = unicodedata.normalize("NFD", "각") + "é.jpg"
    match = labels_match({"각é.jpg": True, "b.jpg": False}, [hangul, mixed])
    assert (match.found, match.missing) == ({}, ["각é.jpg", "b.jpg"])


def test_two_different_labels_of_one_photo_are_refused() -> None:
    assert labels_match({"a.jpg": True, "./a.jpg": True}, ["a.jpg"]).found == {"a.jpg": True}
    with pytest.raises(LabelsError, match=r"a\.jpg has two different labels"):
        labels_match({"a.jpg": True, "./a.jpg": False}, ["a.jpg"])


def test_a_file_name_is_enough_where_it_is_asked_for() -> None:
    photos = ["inner/a.jpg", f"inner/{NFD}", "b.jpg"]
    assert labels_match({"a.jpg": True, NFC: False}, photos).found == {}
    match = labels_match({"a.jpg": True, NFC: False}, photos, by_file_name=True)
    assert (match.found, match.missing) == ({"inner/a.jpg": True, f"inner/{NFD}": False}, [])
    both = labels_match({"inner/a.jpg": False, "a.jpg": True}, photos, by_file_name=True)
    assert both.found == {"inner/a.jpg": False}


@pytest.mark.parametrize("mark", [False, True])
def test_a_table_of_the_project_is_a_table_of_labels(tmp_path: Path, mark: bool) -> None:
    names = ["=1.jpg", "'=1.jpg", "a;=1.jpg", "line\nbreak.jpg", NFC, NFD, "-x.jpg"]
    rows = [[name, number % 2 == 0] for number, name in enumerate(names)]
    text = "".join(csv_pieces(["file", "watch"], rows, byte_order_mark=mark))
    (tmp_path / "labels.csv").write_bytes(text.encode())
    match = labels_match(labels_read(tmp_path / "labels.csv"), names)
    assert match.found == dict(rows)
