"""Where `score` writes: standard output, pipes and devices, and never over them."""

import io
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotation.exchange.rows import csv_rows
from annotation.files.whole_file import whole_file, whole_path
from tests.conftest import photo_bytes
from tests.inference.tiny_models import RULES, tiny_models_place

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def photos(settings: Any, tmp_path: Path) -> Path:
    tiny_models_place(settings.MODELS_ROOT, RULES)
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(5):
        (folder / f"ü{number}.jpg").write_bytes(photo_bytes(number))
    return folder


def score(*arguments: object) -> str:
    errors = io.StringIO()
    call_command("score", *map(str, arguments), "--no-distortions", stderr=errors)
    return errors.getvalue()


def rows(text: str) -> list[list[str]]:
    return list(csv_rows(io.StringIO(text, newline="")))


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1"])
def test_csv_goes_to_standard_output_and_words_to_standard_error(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    told = score(photos, "--csv", name)
    out, _ = capsys.readouterr()
    assert len(rows(out)) == 6
    assert "photos/s" in told
    assert "photos/s" not in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models", "photos"]


@pytest.mark.parametrize("sort", [[], ["--sort=-quality"]])
def test_json_lines_go_to_standard_output(photos: Path, capsys: pytest.CaptureFixture[str], sort: list[str]) -> None:
    score(photos, "--jsonl", "-", *sort)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 5
    means = [line["quality_mean"] for line in lines]
    assert not sort or means == sorted(means, reverse=True)


def test_parquet_goes_to_standard_output(photos: Path, capfdbinary: Any) -> None:
    from arro3.io import read_parquet

    score(photos, "--parquet", "-")
    assert read_parquet(io.BytesIO(capfdbinary.readouterr().out)).read_all().num_rows == 5


def test_a_stream_and_a_file_get_the_same_rows(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score(photos, "--jsonl", tmp_path / "a")
    score(photos, "--jsonl", tmp_path / "a", "--csv", "-", "--sheet", tmp_path / "a.html")
    assert {row[0] for row in rows(capsys.readouterr().out)[1:]} == {
        json.loads(line)["file"] for line in (tmp_path / "a").read_text().splitlines()
    }
    assert (tmp_path / "a.html").read_text().count("<li>") == 5


def test_the_sheet_goes_to_standard_output(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    score(photos, "--sheet", "-")
    assert capsys.readouterr().out.startswith("<!doctype html>")


@pytest.mark.parametrize("twice", [["--csv=-", "--jsonl=-"], ["--csv=/dev/stdout", "--sheet=-"]])
def test_two_tables_in_one_stream_are_refused(photos: Path, twice: list[str]) -> None:
    with pytest.raises(CommandError, match="needs its own file"):
        score(photos, *twice)


@pytest.mark.parametrize("option", ["--csv", "--jsonl", "--parquet", "--sheet"])
@pytest.mark.parametrize("sort", [[], ["--sort=file"]])
def test_a_pipe_gets_the_whole_table(photos: Path, tmp_path: Path, option: str, sort: list[str]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    score(photos, option, pipe, *sort)
    reader.join()
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    (data,) = read
    assert data.startswith({"--csv": b"file,", "--jsonl": b'{"file"', "--parquet": b"PAR1", "--sheet": b"<!do"}[option])
    assert {path.name for path in tmp_path.iterdir()} == {"models", "photos", "pipe"}


def test_a_device_is_not_replaced(photos: Path, tmp_path: Path) -> None:
    before = Path(os.devnull).stat()
    score(photos, "--csv", os.devnull, "--sheet", tmp_path / "a.html", "--sort=file")
    with whole_file(Path(os.devnull)) as file:
        file.write(b"x")
    with whole_path(Path(os.devnull)) as part:
        part.write_bytes(b"x")
    assert Path(os.devnull).stat() == before
    assert stat.S_ISCHR(before.st_mode)


def test_a_link_stays_a_link(photos: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "real.csv")
    score(photos, "--csv", link, "--sort=file")
    assert link.is_symlink()
    assert len(rows((tmp_path / "real.csv").read_text())) == 6


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["--csv - | cat", "--csv /dev/stdout | cat", "--csv >(cat) | cat", ""])
def test_the_program_writes_utf_8_to_a_pipe_in_any_locale(
    photos: Path, tmp_path: Path, settings: Any, shell: str
) -> None:
    environment = {
        **os.environ,
        "IQS_VAR": str(tmp_path / "var"),
        "IQS_MODELS": str(settings.MODELS_ROOT),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "PYTHONIOENCODING": "ascii",
    }
    command = f"{sys.executable} manage.py score {photos} --no-distortions {shell}"
    ended = subprocess.run(["bash", "-c", command], env=environment, cwd=ROOT, capture_output=True, check=False)
    assert len(rows(ended.stdout.decode())) == 6, ended.stderr
    assert b"photos/s" in ended.stderr
