"""`manage.py score` in its own process: without a database, without torch, killed and resumed."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.inference.tiny_models import tiny_models_place

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(settings: object, tmp_path: Path) -> dict[str, str]:
    """Return the variables of a separate site whose database does not exist."""
    tiny_models_place(tmp_path / "models")
    return {
        **os.environ,
        "IQS_VAR": str(tmp_path / "var"),
        "IQS_MODELS": str(tmp_path / "models"),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }


def photos_make(folder: Path, count: int, side: int) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
    for number in range(count):
        Image.fromarray(np.roll(pixels, number, axis=1)).save(folder / f"{number:03d}.jpg")
    return folder


def test_scoring_needs_neither_a_database_nor_torch(environment: dict[str, str], tmp_path: Path) -> None:
    folder = photos_make(tmp_path / "photos", 6, 64)
    code = (
        "import sys; sys.argv = ['manage.py', 'score', sys.argv[1]]; import manage; manage.main(); "
        "sys.exit(', '.join({'torch', 'torchvision', 'skimage', 'sklearn'} & set(sys.modules)) or 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 7


def test_a_closed_pipe_ends_the_program_without_a_traceback(environment: dict[str, str], tmp_path: Path) -> None:
    folder = photos_make(tmp_path / "photos", 60, 200)
    command = f"{sys.executable} manage.py score {folder} --no-distortions | head -n 3"
    result = subprocess.run(command, shell=True, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert len(result.stdout.splitlines()) == 3
    assert "Traceback" not in result.stderr


def test_a_killed_run_resumes_without_losing_rows(environment: dict[str, str], tmp_path: Path) -> None:
    folder = photos_make(tmp_path / "photos", 60, 500)
    table = tmp_path / "a.csv"
    command = [sys.executable, "manage.py", "score", str(folder), "--csv", str(table)]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        while not table.exists() or table.read_bytes().count(b"\n") < 12:
            assert process.poll() is None
            time.sleep(0.02)  # polls another process
        process.send_signal(signal.SIGKILL)
    complete_rows = table.read_bytes()
    complete_rows = complete_rows[: complete_rows.rindex(b"\n") + 1]
    count = complete_rows.count(b"\n") - 1
    assert count < 60
    table.write_bytes(complete_rows + b"incomplete/row.jpg,0.1")
    result = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert f"Resuming: {count} of 60" in result.stderr
    assert table.read_bytes().startswith(complete_rows)
    with table.open(newline="") as file:
        assert sorted(Path(row["file"]).name for row in csv.DictReader(file)) == sorted(
            path.name for path in folder.iterdir()
        )
