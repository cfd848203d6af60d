"""`manage.py score` as a program of its own: without a database, without torch, killed and started again."""

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
    """A site of its own whose database does not exist."""
    tiny_models_place(tmp_path / "models")
    return {
        **os.environ,
        "IQS_VAR": str(tmp_path / "var"),
        "IQS_MODELS": str(tmp_path / "models"),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }


def photos(folder: Path, count: int, side: int) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
    for number in range(count):
        Image.fromarray(np.roll(pixels, number, axis=1)).save(folder / f"{number:03d}.jpg")
    return folder


def test_it_needs_neither_a_database_nor_torch(environment: dict[str, str], tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 6, 64)
    code = (
        "import sys; sys.argv = ['manage.py', 'score', sys.argv[1]]; import manage; manage.main(); "
        "sys.exit(', '.join({'torch', 'torchvision', 'skimage', 'sklearn'} & set(sys.modules)) or 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.splitlines()) == 7


def test_a_reader_that_has_seen_enough_ends_it_quietly(environment: dict[str, str], tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 60, 200)
    command = f"{sys.executable} manage.py score {folder} --no-distortions | head -n 3"
    ended = subprocess.run(command, shell=True, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert len(ended.stdout.splitlines()) == 3
    assert "Traceback" not in ended.stderr


def test_a_killed_run_is_gone_on_with_and_loses_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 60, 500)
    table = tmp_path / "a.csv"
    command = [sys.executable, "manage.py", "score", str(folder), "--csv", str(table)]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        while not table.exists() or table.read_bytes().count(b"\n") < 12:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    kept = table.read_bytes()
    kept = kept[: kept.rindex(b"\n") + 1]
    rows = kept.count(b"\n") - 1
    assert rows < 60
    table.write_bytes(kept + b"half/a/row.jpg,0.1")
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert f"Resuming: {rows} of 60" in ended.stderr
    assert table.read_bytes().startswith(kept)
    with table.open(newline="") as file:
        assert sorted(Path(row["file"]).name for row in csv.DictReader(file)) == sorted(
            path.name for path in folder.iterdir()
        )
