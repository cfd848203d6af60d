"""`manage.py score` writes tables and a sheet, and resumes an interrupted run."""

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from inference.management.commands import score as score_command
from tests.annotation.bad_files import encoded, scene, write_bad
from tests.conftest import photo_bytes
from tests.inference.score_command.conftest import Run, rows_of
from tests.inference.tiny_models import SYNSETS

HEADER = (
    "file,watch_probability,watch,quality_mean,quality_std,q1,q2,q3,q4,q5,q6,q7,q8,q9,q10,quality_class,"
    "blur,noise,exposure,compression,distortion_quality,reason"
)


def test_a_table_has_the_documented_columns(score: Run, photos: Path, tmp_path: Path) -> None:
    score(photos, "--csv", tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == HEADER
    row = rows_of(tmp_path / "a.csv")[0]
    assert row["file"] == str(photos / "140.png")
    assert sum(float(row[f"q{score}"]) for score in range(1, 11)) == pytest.approx(1, abs=1e-4)
    assert 0 <= float(row["blur"]) <= 1
    assert row["reason"] == ""


def test_without_an_output_the_table_goes_to_standard_output(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("score", str(photos), "--no-distortions", "--parts")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == HEADER + "".join(f",synset_{synset}" for synset in SYNSETS)
    assert len(lines) == 6


def test_all_table_formats_have_the_same_rows(score: Run, photos: Path, tmp_path: Path) -> None:
    from arro3.io import read_parquet

    write_bad(photos / "bad")
    outputs = [f"--{kind}={tmp_path / kind}" for kind in ("csv", "jsonl", "parquet")]
    score(photos, *outputs, "--sort=-quality")
    lines = [json.loads(line) for line in (tmp_path / "jsonl").read_text().splitlines()]
    table = read_parquet(str(tmp_path / "parquet")).read_all()
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    parquet = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    assert parquet == lines
    assert list(columns) == HEADER.split(",")
    for row, line in zip(rows_of(tmp_path / "csv"), lines, strict=True):
        assert row["file"] == line["file"]
        assert row["watch"] == ("" if line["watch"] is None else str(int(line["watch"])))
        assert (float(row["q3"]) if row["q3"] else None) == line["q3"]
    assert not list(tmp_path.glob("*.rows"))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("quality", [40, 90, 140, 190, 240]),
        ("-quality", [240, 190, 140, 90, 40]),
        ("file", [140, 190, 40, 90, 240]),
    ],
)
def test_tables_are_sorted_by_each_key(score: Run, photos: Path, tmp_path: Path, key: str, expected: list[int]) -> None:
    (photos / "100.png").write_bytes(b"not a photo")
    score(photos, "--csv", tmp_path / "a.csv", f"--sort={key}", "--no-distortions")
    names = [int(Path(row["file"]).stem) for row in rows_of(tmp_path / "a.csv")]
    if key == "file":
        assert names == [100, *expected]
    else:
        assert names == [*expected, 100]


def test_a_sort_key_with_a_minus_can_be_a_separate_argument(photos: Path, tmp_path: Path) -> None:
    command = score_command.Command(stderr=io.StringIO())
    path = tmp_path / "a.csv"
    command.run_from_argv(["manage.py", "score", str(photos), "--csv", str(path), "--sort", "-watch"])
    probabilities = [float(row["watch_probability"]) for row in rows_of(path)]
    assert probabilities == sorted(probabilities, reverse=True)


# --- resuming -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_second_run_scores_only_new_files(score: Run, photos: Path, tmp_path: Path, kind: str) -> None:
    output = [f"--{kind}", tmp_path / "table"]
    assert "5 files in" in score(photos, *output)
    before = (tmp_path / "table").read_bytes()
    assert "files in" not in score(photos, *output)
    assert (tmp_path / "table").read_bytes() == before
    (photos / "new.jpg").write_bytes(photo_bytes(1))
    messages = score(photos, *output)
    assert "Resuming: 5 of 6 files" in messages
    assert "1 files in" in messages
    assert "6 files in" in score(photos, *output, "--restart")


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize("missing_bytes", [1, 30, 200])
def test_an_incomplete_row_is_written_again(
    score: Run, photos: Path, tmp_path: Path, kind: str, missing_bytes: int
) -> None:
    (photos / 'quote" and\nnewline.png').write_bytes(encoded(scene(1), "PNG"))
    path = tmp_path / "table"
    score(photos, f"--{kind}", path)
    complete = path.read_bytes()
    path.write_bytes(complete[:-missing_bytes])
    assert "1 files in" in score(photos, f"--{kind}", path) or missing_bytes == 200
    assert sorted(path.read_bytes()) == sorted(complete)


@pytest.mark.parametrize("name", ["=1+1.png", "-1+1.png", "@SUM(A1).png", "'=1.png", "a\rb.png"])
def test_names_are_never_formulas_and_are_recognised_on_resume(
    score: Run, photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(photos)
    Path("40.png").rename(name)
    score(".", "--csv", "../a.csv", "--jsonl", "../a.jsonl")
    names = [row["file"] for row in rows_of(Path("../a.csv"))]
    assert [listed for listed in names if listed.endswith(name)] == [name if name.startswith("a") else f"'{name}"]
    assert "files in" not in score(".", "--csv", "../a.csv", "--jsonl", "../a.jsonl", "--sheet", "../a.html")
    assert "file not found or unreadable" not in Path("../a.html").read_text()
    jsonl_names = {json.loads(line)["file"] for line in Path("../a.jsonl").read_text().splitlines()}
    assert name in jsonl_names
    capsys.readouterr()
    score(f"./{name}")  # without ./, a leading minus would start an option
    assert ("'" + name in capsys.readouterr().out) is not name.startswith("a")


def test_a_table_with_unescaped_names_is_resumed(score: Run, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photos)
    Path("40.png").rename("=1+1.png")
    score(".", "--csv", "../a.csv")
    table = Path("../a.csv")
    table.write_bytes(table.read_bytes().replace(b"'=1+1.png", b"=1+1.png"))
    assert "files in" not in score(".", "--csv", "../a.csv")
    Path("new.jpg").write_bytes(photo_bytes(1))
    assert "Resuming: 5 of 6 files" in score(".", "--csv", "../a.csv")


def test_parquet_rows_stay_in_a_second_file_until_the_run_ends(score: Run, photos: Path, tmp_path: Path) -> None:
    score(photos, "--jsonl", tmp_path / "rows")
    lines = (tmp_path / "rows").read_text().splitlines(keepends=True)
    (tmp_path / "a.parquet.rows").write_text("".join(lines[:3]) + lines[3][:50])  # as a killed run leaves them
    assert "Resuming: 3 of 5" in score(photos, "--parquet", tmp_path / "a.parquet")
    assert not (tmp_path / "a.parquet.rows").exists()


def test_a_new_table_gets_the_rows_of_an_existing_one(score: Run, photos: Path, tmp_path: Path) -> None:
    score(photos, "--jsonl", tmp_path / "a.jsonl")
    assert "files in" not in score(photos, "--jsonl", tmp_path / "a.jsonl", "--csv", tmp_path / "a.csv")
    assert len(rows_of(tmp_path / "a.csv")) == 5


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--scale", "1-5"], "has other columns than this run"),
        (["--parts"], "has other columns than this run"),
        (["--threshold", "0.9"], "made with other options"),
        (["--reject-at", "1", "--pending-at", "1"], "made with other options"),
        (["--no-distortions"], "made with other options"),
    ],
)
def test_a_table_made_with_other_options_is_not_resumed(
    score: Run, photos: Path, tmp_path: Path, options: list[str], sentence: str
) -> None:
    score(photos, "--csv", tmp_path / "a.csv")
    before = (tmp_path / "a.csv").read_bytes()
    with pytest.raises(CommandError, match=sentence):
        score(photos, "--csv", tmp_path / "a.csv", *options)
    assert (tmp_path / "a.csv").read_bytes() == before


def test_a_table_made_with_another_model_is_not_resumed(score: Run, photos: Path, tmp_path: Path) -> None:
    score(photos, "--jsonl", tmp_path / "a.jsonl")
    text = (tmp_path / "a.jsonl").read_text()
    (tmp_path / "a.jsonl").write_text(re.sub(r'"watch_probability": [\d.]+', '"watch_probability": 0.99', text))
    (photos / "new.jpg").write_bytes(photo_bytes(1))
    with pytest.raises(CommandError, match=r"other (heads|options)"):
        score(photos, "--jsonl", tmp_path / "a.jsonl")


def test_an_interrupted_run_keeps_its_rows(
    score: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: Any, done: int, total: int) -> None:
        raise KeyboardInterrupt  # as Ctrl-C does, but at a known time

    with monkeypatch.context() as patched:
        patched.setattr(score_command.ProgressBar, "show", interrupt)
        with pytest.raises(CommandError, match="run the same command again to resume") as caught:
            score(photos, "--csv", tmp_path / "a.csv")
    assert caught.value.returncode == 130
    assert len(rows_of(tmp_path / "a.csv")) == 4
    assert "Resuming: 4 of 5" in score(photos, "--csv", tmp_path / "a.csv")


# --- scales, output files, the sheet ------------------------------------------------------------------


def test_other_scales_change_columns_and_class_thresholds(score: Run, photos: Path, tmp_path: Path) -> None:
    score(photos, "--csv", tmp_path / "five.csv", "--scale", "1-5")
    score(photos, "--csv", tmp_path / "two.csv", "--scale", "0-1", "--no-distortions")
    five, two = rows_of(tmp_path / "five.csv"), rows_of(tmp_path / "two.csv")
    assert [name for name in five[0] if name.startswith("q")][2:-1] == ["q1", "q2", "q3", "q4", "q5"]
    for row in five:
        mean = float(row["quality_mean"])
        assert row["quality_class"] == ("rejected" if mean <= 2.75 else "pending" if mean <= 3.25 else "accepted")
    assert all(float(row["quality_mean"]) == pytest.approx(float(row["q1"]), abs=1e-5) for row in two)


def test_tables_in_the_photo_folder_are_not_scored(
    score: Run, photos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(photos)
    for _ in range(2):
        score(".", "--csv", "a.csv", "--parquet", "a.parquet", "--sheet", "a.html")
    assert len(rows_of(photos / "a.csv")) == 5
    (photos / ".hidden.jpg").write_bytes(b"")
    score(".", "inner/240.png", "--csv", "a.csv", "--parquet", "a.parquet", "--sheet", "a.html")
    assert len(rows_of(photos / "a.csv")) == 5


def test_the_sheet_shows_best_and_worst_photos_in_one_file(score: Run, photos: Path, tmp_path: Path) -> None:
    for seed in range(18):
        (photos / f"<b>{seed}.jpg").write_bytes(photo_bytes(seed))
    score(photos, "--sheet", tmp_path / "a.html", "--csv", tmp_path / "a.csv", "--no-distortions")
    html = (tmp_path / "a.html").read_text()
    rows = sorted(rows_of(tmp_path / "a.csv"), key=lambda row: float(row["quality_mean"]))
    assert "Top 20" in html
    assert "Bottom 3" in html
    assert html.count("data:image/webp;base64,") == 23
    assert "<b>1" not in html
    assert "<script" not in html
    assert "http" not in html.replace("http-equiv", "")
    best, worst = rows[-1], rows[0]
    assert html.index(f"<strong>{float(best['quality_mean']):.2f}") < html.index("Bottom 3")
    assert html.index("Bottom 3") < html.rindex(f"<strong>{float(worst['quality_mean']):.2f}")
    assert f"{'watch' if best['watch'] == '1' else 'no watch'} {float(best['watch_probability']):.3f}" in html


def test_a_sheet_of_few_photos_shows_each_photo_once(score: Run, photos: Path, tmp_path: Path) -> None:
    score(photos, "--sheet", tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text().count("<li>") == 5


def test_progress_shows_rate_and_time_left_on_a_terminal(
    score: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    messages = score(photos, "--csv", tmp_path / "a.csv")
    assert re.search(r"\r\x1b\[K\[█+\] 5/5  [\d.]+ photos/s  0 s left", messages)
