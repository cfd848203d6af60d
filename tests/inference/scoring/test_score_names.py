"""Every name that a file system allows goes through `score`: each kind of table, the sheet, and a second run."""

import csv
import io
import json
import os
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from annotation.exchange.rows import csv_rows
from annotation.files.names import name_path, name_text
from inference.scoring.contact_sheet import sheet_html
from inference.scoring.rows import Rules, ScoreRow, columns
from inference.scoring.tables import CsvTable
from tests.conftest import photo_bytes
from tests.inference.tiny_models import RULES, tiny_models_place

NAMES: list[bytes] = [
    b"line\nbreak.jpg",
    b"carriage\rreturn.jpg",
    b"crlf\r\n.jpg",
    "é_same.jpg".encode(),
    "e\u0301_same.jpg".encode(),
    b"trailing space .jpg ",
    b" leading.jpg",
    b"back\\slash.jpg",
    b"-leading.jpg",
    b"=1+2.jpg",
    b"a;=1+2.jpg",
    b"'=1+2.jpg",
    b"quote\"x'.jpg",
    b"comma,semi;.jpg",
    b"tab\there.jpg",
    b"12:30:05.jpg",
    b"C:",
    b"<b>x<b>&amp;.jpg",
    b"x" * 251 + b".jpg",
    "rtl\u202egpj.jpg".encode(),
    "ls\u2028sep.jpg".encode(),
    "nel\u0085.jpg".encode(),
    b"bell\x07\x1b[2J.jpg",
    b"latin1_\xe9.jpg",
    b"latin1_\xe8.jpg",
    b"latin1_\\xe9.jpg",
    b"surrogate_\xed\xa0\x80.jpg",
    b"noext",
]


@pytest.fixture
def photos(settings: Any, tmp_path: Path) -> Path:
    tiny_models_place(settings.MODELS_ROOT, RULES)
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        (folder / os.fsdecode(name)).write_bytes(photo_bytes(number))
    return folder


@pytest.fixture
def score() -> Callable[..., str]:
    """Return a function that runs the command without distortions and returns its standard error."""

    def run(*arguments: object, **named: Any) -> str:
        errors = io.StringIO()
        call_command("score", *map(str, arguments), "--no-distortions", stderr=errors, **named)
        return errors.getvalue()

    return run


def csv_names(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return [row[0] for row in csv_rows(file)][1:]


def json_names(path: Path) -> list[str]:
    return [json.loads(line)["file"] for line in path.read_bytes().splitlines()]


def parquet_names(path: Path) -> list[str]:
    from arro3.io import read_parquet

    names: list[str] = read_parquet(str(path)).read_all().column("file").to_pylist()
    return names


READERS = {"csv": csv_names, "jsonl": json_names, "parquet": parquet_names}


@pytest.mark.parametrize("kind", READERS)
def test_every_name_has_its_row_and_is_known_in_a_second_run(
    score: Callable[..., str], photos: Path, tmp_path: Path, kind: str
) -> None:
    table = tmp_path / "table"
    score(photos, f"--{kind}", table)
    found = READERS[kind](table)
    assert sorted(os.fsencode(name_path(name).name) for name in found) == sorted(NAMES)
    assert "files in" not in score(photos, f"--{kind}", table)
    (photos / "new.jpg").write_bytes(photo_bytes(99))
    assert f"Resuming: {len(NAMES)} of {len(NAMES) + 1} files" in score(photos, f"--{kind}", table)
    assert len(READERS[kind](table)) == len(NAMES) + 1


def test_the_tables_of_one_run_have_the_same_names(score: Callable[..., str], photos: Path, tmp_path: Path) -> None:
    score(photos, *(f"--{kind}={tmp_path / kind}" for kind in READERS), "--sort=file")
    first, *others = [read(tmp_path / kind) for kind, read in READERS.items()]
    assert others == [first, first]


def test_a_name_that_is_no_utf_8_is_used_to_check_the_model(
    score: Callable[..., str], photos: Path, tmp_path: Path
) -> None:
    for path in photos.iterdir():
        if b"latin1" not in os.fsencode(path):
            path.unlink()
    score(photos, "--jsonl", tmp_path / "a")
    lines = [json.loads(line) for line in (tmp_path / "a").read_text().splitlines()]
    changed = [line | {"watch_probability": 0.99, "watch": True} for line in lines]
    (tmp_path / "a").write_text("".join(json.dumps(line) + "\n" for line in changed))
    (photos / "new.jpg").write_bytes(photo_bytes(99))
    from django.core.management import CommandError

    with pytest.raises(CommandError, match="other heads"):
        score(photos, "--jsonl", tmp_path / "a")


def test_the_sheet_shows_every_photo_and_its_exact_name(
    score: Callable[..., str], photos: Path, tmp_path: Path
) -> None:
    score(photos, "--sheet", tmp_path / "a.html")
    html = (tmp_path / "a.html").read_bytes().decode()
    assert "file not found" not in html
    assert html.count("data:image/webp;base64,") == len(NAMES)  # the best twenty and the others
    titles = {unescape(title) for title in re.findall(r'title="([^"]*)"', html)}
    assert titles == {name_text(photos / os.fsdecode(name)) for name in NAMES}
    assert "\u202e" not in "".join(re.findall(r"<span class=\"file\"[^>]*>([^<]*)<", html))


def test_a_sheet_keeps_a_carriage_return_from_becoming_a_line_end() -> None:
    row = ScoreRow("a\rb", 0.5, True, 5.0, 1.0, (0.1,) * 10, "pending", parts=(0.0,) * len(RULES.synsets))
    html = sheet_html([row.cells(RULES)], RULES)
    assert 'title="a&#13;b"' in html


def test_a_reason_with_bytes_that_are_no_text_is_stored() -> None:
    cells = ScoreRow("a", reason="cannot open b\udcfc").cells(RULES)
    assert cells["reason"] == "cannot open b\\xfc"


@pytest.mark.parametrize("sort", [[], ["--sort=file"]])
def test_a_table_for_excel_is_resumed(score: Callable[..., str], photos: Path, tmp_path: Path, sort: list[str]) -> None:
    table = tmp_path / "a.csv"
    score(photos, "--csv", table, "--excel", *sort)
    assert table.read_bytes().count(b"\xef\xbb\xbf") == 1
    (photos / "new.jpg").write_bytes(photo_bytes(99))
    assert "Resuming" in score(photos, "--csv", table, "--excel", *sort)
    assert table.read_bytes().startswith(b"\xef\xbb\xbffile,")
    assert table.read_bytes().count(b"\xef\xbb\xbf") == 1
    with table.open(newline="", encoding="utf-8-sig") as file:
        assert len(list(csv.reader(file))) == len(NAMES) + 2


def test_a_table_that_is_no_utf_8_is_one_sentence(tmp_path: Path) -> None:
    from inference.scoring.tables import JsonLinesTable, ResumeError

    (tmp_path / "a").write_bytes(b"file\n\xff\xfe\n")
    for table in (CsvTable(tmp_path / "a", columns(Rules(()))), JsonLinesTable(tmp_path / "a", ())):
        with pytest.raises(ResumeError, match="start again with --restart"):
            list(table.read())
