"""Texts and tables are read line by line, whatever is in them."""

import csv
from pathlib import Path

import pytest

from annotation.exchange.reading import VoteFileError, Wrong
from annotation.exchange.tables import LONGEST_LINE, table_rows, text_rows

HEADER = ["file", "score"]


def rows(path: Path) -> list[object]:
    return list(table_rows(path, lambda header: set(HEADER) <= set(header)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_delimiters_and_line_ends_of_spreadsheets(
    path: Path, delimiter: str, encoding: str, end: str
) -> None:
    text = f"file{delimiter}score{end}é.jpg{delimiter}7{end}"
    mark = "\ufeff" if encoding in {"utf-16-le", "utf-16-be"} else ""
    path.write_bytes((mark + text).encode(encoding))
    assert rows(path) == [(1, HEADER), (2, ["é.jpg", "7"])]


def test_the_number_of_a_row_is_that_of_its_first_line_and_blank_lines_count(path: Path) -> None:
    path.write_bytes(b'\nfile,score\n\n"a\nb",1\nc,2')
    assert rows(path) == [(2, HEADER), (4, ["a\nb", "1"]), (6, ["c", "2"])]


def test_a_long_line_is_one_wrong_line_and_the_others_are_read(path: Path) -> None:
    path.write_bytes(b"file,score\n" + b"x" * 10_000_000 + b",7\nb,2\n")
    first, long, last = rows(path)
    assert (first, last) == ((1, HEADER), (3, ["b", "2"]))
    assert long == Wrong(2, "The line has more than 1,000,000 characters.")
    assert list(text_rows(path))[1:] == [long, (3, "b,2")]


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_line_of_the_greatest_length_is_read(path: Path, end: str) -> None:
    line = "x" * (LONGEST_LINE - 1)
    path.write_text(f"{line}\n{line}{end}")
    assert list(text_rows(path)) == [(1, line), (2, line)]


def test_a_missing_quote_is_found_at_its_line_and_reading_goes_on(path: Path) -> None:
    length = csv.field_size_limit()
    path.write_text('file,score\n"a,1\n' + "b,2\n" * (length // 4 + 10))
    found = rows(path)
    wrong = [row for row in found if isinstance(row, Wrong)]
    assert [row.line for row in wrong] == [2]
    assert "Perhaps a quote" in wrong[0].why
    assert found[-1] == (length // 4 + 12, ["b", "2"])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf", "The file is empty."),
        (b"\n\n", "The file is empty."),
        ("file,score\né,1\n".encode("latin-1"), "Line 2 or a later one is not text|The file is not text"),
        (b"\xff\xfef\0i", "is not text"),
        (b"x" * 2_000_000 + b"\nfile,score\n", "first line cannot be read. The line has more than"),
        (b"x" * 200_000 + b"\nfile,score\n", "first line cannot be read. A cell has more than"),
    ],
)
def test_a_file_that_is_no_table_is_one_sentence(path: Path, data: bytes, message: str) -> None:
    path.write_bytes(data)
    with pytest.raises(VoteFileError, match=message) as error:
        rows(path)
    assert str(error.value).endswith(".")


def test_bytes_that_are_no_text_are_found_near_their_line(path: Path) -> None:
    path.write_bytes(b"file,score\n" + b"a.jpg,7\n" * 100_000 + b"\xe9.jpg,7\n" + b"a.jpg,7\n" * 100_000)
    with pytest.raises(VoteFileError, match=r"^Line (\d+) or a later one is not text in UTF-8") as error:
        rows(path)
    assert 98_000 < int(str(error.value).split()[1]) <= 100_002


def test_only_a_file_can_be_read(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        rows(path)
    path.mkdir()
    for read in (rows, lambda folder: list(text_rows(folder))):
        with pytest.raises(IsADirectoryError):
            read(path)


def test_the_delimiter_with_which_the_header_fits_is_chosen(path: Path) -> None:
    path.write_text("a,b,c;file;score\nx,y;1.jpg;7\n")
    assert rows(path) == [(1, ["a,b,c", "file", "score"]), (2, ["x,y", "1.jpg", "7"])]
    path.write_text("a;b;c,d\n")
    assert rows(path) == [(1, ["a", "b", "c,d"])]


def test_a_line_of_spaces_is_blank(path: Path) -> None:
    path.write_text(" \n\n1 2 \n\t\u3000\n", encoding="utf-8")
    assert list(text_rows(path)) == [(3, "1 2 ")]
