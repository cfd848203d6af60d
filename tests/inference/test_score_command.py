"""`manage.py score`: files in, a table out, whatever the files are, and whatever happens in between."""

import csv
import io
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from inference.management.commands import score as score_command
from inference.scoring import int8
from inference.scoring.rows import Rules
from inference.scoring.tables import JsonLinesTable
from tests.annotation.bad_files import BAD, encoded, png_header, scene, write_bad
from tests.conftest import photo_bytes
from tests.inference.tiny_models import RULES, SYNSETS, tiny_models_place

HEADER = (
    "file,watch_probability,watch,quality_mean,quality_std,q1,q2,q3,q4,q5,q6,q7,q8,q9,q10,quality_class,"
    "blur,noise,exposure,compression,distortion_quality,reason"
)
Run = Callable[..., str]


@pytest.fixture(autouse=True)
def _models(settings: Any) -> None:
    tiny_models_place(settings.MODELS_ROOT, RULES, Rules(SYNSETS, bins=5), Rules(SYNSETS, lowest=0, bins=2))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    for brightness in (40, 90, 140, 190, 240):
        noise = np.random.default_rng(brightness).integers(-15, 15, (48, 64, 3))
        picture = Image.fromarray((brightness + noise).clip(0, 255).astype(np.uint8))
        picture.save(folder / ("deep" if brightness == 240 else "") / f"{brightness}.png")
    return folder


@pytest.fixture
def score(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command and returns what it said on standard error."""

    def run(*arguments: object) -> str:
        errors = io.StringIO()
        call_command("score", *[str(argument) for argument in arguments], stderr=errors)
        return errors.getvalue()

    return run


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_columns_are_those_that_are_promised(score: Run, photos: Path, tmp_path: Path) -> None:
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


def test_all_kinds_of_table_hold_the_same_rows(score: Run, photos: Path, tmp_path: Path) -> None:
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
def test_tables_are_sorted_and_files_without_numbers_come_last(
    score: Run, photos: Path, tmp_path: Path, key: str, expected: list[int]
) -> None:
    (photos / "100.png").write_bytes(b"no photo")
    score(photos, "--csv", tmp_path / "a.csv", f"--sort={key}", "--no-distortions")
    names = [int(Path(row["file"]).stem) for row in rows_of(tmp_path / "a.csv")]
    if key == "file":
        assert names == [100, *expected]
    else:
        assert names == [*expected, 100]


def test_a_sort_key_with_a_minus_may_stand_by_itself(photos: Path, tmp_path: Path) -> None:
    command = score_command.Command(stderr=io.StringIO())
    path = tmp_path / "a.csv"
    command.run_from_argv(["manage.py", "score", str(photos), "--csv", str(path), "--sort", "-watch"])
    probabilities = [float(row["watch_probability"]) for row in rows_of(path)]
    assert probabilities == sorted(probabilities, reverse=True)


# --- going on -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_second_run_does_only_what_is_new(score: Run, photos: Path, tmp_path: Path, kind: str) -> None:
    output = [f"--{kind}", tmp_path / "table"]
    assert "5 files in" in score(photos, *output)
    before = (tmp_path / "table").read_bytes()
    assert "files in" not in score(photos, *output)
    assert (tmp_path / "table").read_bytes() == before
    (photos / "new.jpg").write_bytes(photo_bytes(1))
    told = score(photos, *output)
    assert "Resuming: 5 of 6 files" in told
    assert "1 files in" in told
    assert "6 files in" in score(photos, *output, "--restart")


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize("torn", [1, 30, 200])
def test_a_row_that_was_half_written_is_written_again(
    score: Run, photos: Path, tmp_path: Path, kind: str, torn: int
) -> None:
    (photos / 'quote" and\nnewline.png').write_bytes(encoded(scene(1), "PNG"))
    path = tmp_path / "table"
    score(photos, f"--{kind}", path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-torn])
    assert "1 files in" in score(photos, f"--{kind}", path) or torn == 200
    assert sorted(path.read_bytes()) == sorted(whole)


@pytest.mark.parametrize("name", ["=1+1.png", "-1+1.png", "@SUM(A1).png", "'=1.png", "a\rb.png"])
def test_no_name_is_a_formula_and_each_is_known_again(
    score: Run, photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(photos)
    Path("40.png").rename(name)
    score(".", "--csv", "../a.csv", "--jsonl", "../a.jsonl")
    names = [row["file"] for row in rows_of(Path("../a.csv"))]
    assert [shown for shown in names if shown.endswith(name)] == [name if name.startswith("a") else f"'{name}"]
    assert "files in" not in score(".", "--csv", "../a.csv", "--jsonl", "../a.jsonl", "--sheet", "../a.html")
    assert "cannot be read any more" not in Path("../a.html").read_text()
    known = {json.loads(line)["file"] for line in Path("../a.jsonl").read_text().splitlines()}
    assert name in known
    capsys.readouterr()
    score(f"./{name}")  # without a folder, the minus would begin an option
    assert ("'" + name in capsys.readouterr().out) is not name.startswith("a")


def test_a_table_from_before_names_were_guarded_is_resumed(
    score: Run, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos)
    Path("40.png").rename("=1+1.png")
    score(".", "--csv", "../a.csv")
    table = Path("../a.csv")
    table.write_bytes(table.read_bytes().replace(b"'=1+1.png", b"=1+1.png"))
    assert "files in" not in score(".", "--csv", "../a.csv")
    Path("new.jpg").write_bytes(photo_bytes(1))
    assert "Resuming: 5 of 6 files" in score(".", "--csv", "../a.csv")


def test_parquet_rows_wait_beside_it_until_the_run_is_over(score: Run, photos: Path, tmp_path: Path) -> None:
    score(photos, "--jsonl", tmp_path / "rows")
    lines = (tmp_path / "rows").read_text().splitlines(keepends=True)
    (tmp_path / "a.parquet.rows").write_text("".join(lines[:3]) + lines[3][:50])  # as a killed run leaves them
    assert "Resuming: 3 of 5" in score(photos, "--parquet", tmp_path / "a.parquet")
    assert not (tmp_path / "a.parquet.rows").exists()


def test_a_table_that_lacks_rows_gets_them_from_the_other(score: Run, photos: Path, tmp_path: Path) -> None:
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
def test_a_table_of_other_options_is_not_resumed(
    score: Run, photos: Path, tmp_path: Path, options: list[str], sentence: str
) -> None:
    score(photos, "--csv", tmp_path / "a.csv")
    before = (tmp_path / "a.csv").read_bytes()
    with pytest.raises(CommandError, match=sentence):
        score(photos, "--csv", tmp_path / "a.csv", *options)
    assert (tmp_path / "a.csv").read_bytes() == before


def test_a_table_of_another_model_is_not_resumed(score: Run, photos: Path, tmp_path: Path) -> None:
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
        raise KeyboardInterrupt  # what Ctrl-C raises, at a known place

    with monkeypatch.context() as patched:
        patched.setattr(score_command.ProgressBar, "show", interrupt)
        with pytest.raises(CommandError, match="run the same command again to resume") as caught:
            score(photos, "--csv", tmp_path / "a.csv")
    assert caught.value.returncode == 130
    assert len(rows_of(tmp_path / "a.csv")) == 4
    assert "Resuming: 4 of 5" in score(photos, "--csv", tmp_path / "a.csv")


# --- bad input ----------------------------------------------------------------------------------------


def test_every_file_of_a_bad_folder_gets_its_row(score: Run, photos: Path, tmp_path: Path) -> None:
    bad = photos / "bad"
    write_bad(bad)
    (bad / "huge.png").write_bytes(png_header(20_000, 20_000))
    (bad / "nowhere.jpg").symlink_to(bad / "missing")
    os.mkfifo(bad / "pipe.jpg")
    good = {
        "cmyk.jpg": encoded(scene(1).convert("CMYK")),
        "deep.png": encoded(Image.fromarray((np.arange(64 * 64).reshape(64, 64) * 16).astype(np.uint16)), "PNG"),
        "grey.png": encoded(scene(2).convert("L"), "PNG"),
        "palette.png": encoded(scene(3).convert("P"), "PNG", transparency=0),
        "two words ü\n\u2603.jpg": encoded(scene(4)),
        "photo.txt": encoded(scene(5)),
        "flat.png": encoded(Image.new("RGB", (64, 64), "white"), "PNG"),
    }
    (bad / "folder.jpg").mkdir()
    for name, data in good.items():
        (bad / name).write_bytes(data)
    (bad / "folder.jpg" / "inside.jpg").write_bytes(encoded(scene(6)))
    told = score(photos, "--csv", tmp_path / "a.csv", "--jsonl", tmp_path / "a.jsonl")
    rows = {Path(row["file"]).name: row for row in rows_of(tmp_path / "a.csv")}
    assert len(rows) == 5 + len(BAD) + 3 + len(good) + 1
    for name, (_, reason) in BAD.items():
        assert reason in rows[name]["reason"], name
        assert f"{name}: {rows[name]['reason']}" in told
    assert "20000 × 20000 pixels are more" in rows["huge.png"]["reason"]
    assert rows["nowhere.jpg"]["reason"] == "It cannot be read: No such file or directory."
    assert "a pipe" in rows["pipe.jpg"]["reason"]
    for name in (*good, "inside.jpg"):
        assert rows[name]["reason"] == "", name
        assert rows[name]["quality_mean"], name
        assert rows[name]["distortion_quality"], name
    assert f"{len(BAD) + 3} of {len(rows)} files could not be scored" in told
    assert "20 of" not in told


def test_names_that_are_no_utf_8_are_told_apart(score: Run, photos: Path, tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(photos) + b"/b\xfc.png"))).write_bytes(encoded(scene(1), "PNG"))
    for kind in ("csv", "jsonl", "parquet"):
        score(photos, f"--{kind}", tmp_path / kind)
    assert str(photos / "b\\xfc.png") in (row["file"] for row in rows_of(tmp_path / "csv"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_told(score: Run, photos: Path, tmp_path: Path) -> None:
    (photos / "40.png").chmod(0)
    (photos / "deep").chmod(0)
    try:
        score(photos, "--csv", tmp_path / "a.csv")
    finally:
        (photos / "deep").chmod(0o755)
    reasons = {Path(row["file"]).name: row["reason"] for row in rows_of(tmp_path / "a.csv")}
    assert reasons["40.png"] == "The file cannot be read: Permission denied."
    assert reasons["deep"] == "It cannot be read: Permission denied."


def test_a_file_that_vanishes_in_between_is_told(
    score: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = score_command.files_find

    def find_and_lose(*arguments: Any, **named: Any) -> Any:
        result = found(*arguments, **named)
        (photos / "40.png").unlink()
        return result

    monkeypatch.setattr(score_command, "files_find", find_and_lose)
    score(photos, "--csv", tmp_path / "a.csv")
    reasons = {Path(row["file"]).name: row["reason"] for row in rows_of(tmp_path / "a.csv")}
    assert reasons["40.png"] == "The file cannot be read: No such file or directory."


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["{photos}", "{photos}/nowhere"], 2, "nowhere does not exist"),
        (["{photos}/empty"], 1, "There are no files in"),
        (["{photos}/text.jpg"], 1, "None of the files could be scored"),
        (["{photos}", "--csv", "{photos}/nowhere/a.csv"], 1, "cannot be written"),
        (["{photos}", "--csv", "{photos}/a", "--jsonl", "{photos}/a"], 1, "needs its own file"),
        (["{photos}", "--reject-at", "7", "--pending-at", "6"], 1, "must not be above"),
        (["{photos}", "--heads", "{photos}"], 1, "cannot be read"),
        (["{photos}", "--backbone", "resnet50"], 1, "need features of efficientnet_lite0, not of resnet50"),
        (["{photos}", "--scale", "1-1"], 1, "is not a scale"),
        (["{photos}", "--synsets", "409,watch"], 1, "ImageNet classes from 0 to 999"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    score: Run, photos: Path, arguments: list[str], status: int, sentence: str
) -> None:
    (photos / "empty").mkdir()
    (photos / "text.jpg").write_text("text")
    with pytest.raises(CommandError, match=sentence) as caught:
        score(*[argument.format(photos=photos) for argument in arguments])
    assert caught.value.returncode == status


def test_heads_that_are_not_those_of_their_card_are_refused(score: Run, photos: Path, tmp_path: Path) -> None:
    from inference.networks.config import PRIOR_FOLDER

    folder = tmp_path / "heads"
    folder.mkdir()
    (folder / "heads.safetensors").write_bytes((PRIOR_FOLDER / "heads.safetensors").read_bytes())
    card = json.loads((PRIOR_FOLDER / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "weights_sha256": "0" * 64}))
    with pytest.raises(CommandError, match="does not match its card"):
        score(photos, "--heads", folder)


# --- scales, outputs among the photos, the page -------------------------------------------------------


def test_other_scales_name_their_scores_and_move_the_classes(score: Run, photos: Path, tmp_path: Path) -> None:
    score(photos, "--csv", tmp_path / "five.csv", "--scale", "1-5")
    score(photos, "--csv", tmp_path / "two.csv", "--scale", "0-1", "--no-distortions")
    five, two = rows_of(tmp_path / "five.csv"), rows_of(tmp_path / "two.csv")
    assert [name for name in five[0] if name.startswith("q")][2:-1] == ["q1", "q2", "q3", "q4", "q5"]
    for row in five:
        mean = float(row["quality_mean"])
        assert row["quality_class"] == ("rejected" if mean <= 2.75 else "pending" if mean <= 3.25 else "accepted")
    assert all(float(row["quality_mean"]) == pytest.approx(float(row["q1"]), abs=1e-5) for row in two)


def test_tables_among_the_photos_are_not_photos(
    score: Run, photos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(photos)
    for _ in range(2):
        score(".", "--csv", "a.csv", "--parquet", "a.parquet", "--sheet", "a.html")
    assert len(rows_of(photos / "a.csv")) == 5
    (photos / ".hidden.jpg").write_bytes(b"")
    score(".", "deep/240.png", "--csv", "a.csv", "--parquet", "a.parquet", "--sheet", "a.html")
    assert len(rows_of(photos / "a.csv")) == 5


def test_the_sheet_shows_best_and_worst_and_needs_nothing_else(score: Run, photos: Path, tmp_path: Path) -> None:
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


def test_a_sheet_of_few_photos_shows_none_twice(score: Run, photos: Path, tmp_path: Path) -> None:
    score(photos, "--sheet", tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text().count("<li>") == 5


def test_progress_shows_rate_and_time_left_on_a_terminal(
    score: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    told = score(photos, "--csv", tmp_path / "a.csv")
    assert re.search(r"\r\x1b\[K\[█+\] 5/5  [\d.]+ photos/s  0 s left", told)


def test_a_line_that_is_no_row_is_refused(tmp_path: Path) -> None:
    from inference.scoring.tables import ResumeError

    (tmp_path / "a").write_text('{"file": "a"}\n[1]\n')
    with pytest.raises(ResumeError, match="other columns"):
        list(JsonLinesTable(tmp_path / "a", ()).read())


def test_int8_without_its_file_is_one_sentence(
    score: Run, photos: Path, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IQS_PRECISION = "int8"
    monkeypatch.setattr(int8, "_SHIPPED", tmp_path)  # the backbone of the heads has a shipped file
    for path in (settings.MODELS_ROOT / "backbones").glob("*.int8.*"):
        path.unlink()
    with pytest.raises(CommandError, match=r"make it with `manage\.py quantise_backbone"):
        score(photos)
