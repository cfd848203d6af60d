"""A small smoke run with real servers, real workers and real kills."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from iqs_site.instance import embedded

ROOT = Path(__file__).resolve().parents[2]
STEPS = ["photos", "start", "import", "predict", "annotate", "retrain", "evaluate", "promote", "rollback", "check"]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Yield a temporary folder with a short path, because the paths of sockets must be short."""
    with tempfile.TemporaryDirectory(prefix="iqs-t-") as folder:
        yield Path(folder)


def _smoke(*arguments: str, temporary: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    inherited = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL", "IQS_VAR")}
    return subprocess.run(
        [sys.executable, "manage.py", "smoke", *arguments],
        cwd=ROOT,
        env=inherited | {"TMPDIR": str(temporary)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _check_success(done: "subprocess.CompletedProcess[str]") -> Mapping[str, object]:
    """Check the output of a successful run and return its last line."""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines, done.stderr
    last = lines[-1]
    assert done.returncode == 0, (last, done.stderr[-2000:])
    assert [line["step"] for line in lines[:-1]] == STEPS
    assert last["ok"] is True
    assert last["annotations_sent"] == last["annotations_stored"] > 0
    assert last["duplicates"] == last["over_collected"] == 0
    assert last["killed_workers"] == ["worker-inference", "worker-training"]
    assert set(last["seconds_per_step"]) == set(STEPS)
    for name in ("before", "after", "difference"):
        assert set(last[f"quality_srcc_{name}"]) == {"value", "low", "high", "n"}
    return dict(last)


@pytest.mark.slow
@pytest.mark.services
def test_the_whole_cycle_runs_and_leaves_the_given_servers_unchanged(temporary: Path):
    given = embedded.postgres_attach(temporary / "given")
    with embedded.valkey_running(temporary / "given") as broker:
        last = _check_success(_smoke("--count", "120", temporary=temporary, DATABASE_URL=given, REDIS_URL=broker))
    assert last["images"] == last["predicted"] == 120
    assert isinstance(last["watch_roc_auc"], float)
    assert last["watch_roc_auc"] >= 0.9
    assert not any(entry.name.startswith("iqs-smoke-") for entry in temporary.iterdir())
    with psycopg.connect(given) as connection:
        names = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        tables = connection.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")
        assert tables.fetchone() == (0,)
    assert not any(name.startswith("iqs_smoke_") for name in names)
    embedded.postgres_detach(temporary / "given")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--photos", "nowhere"], "nowhere is neither a folder nor a .zip file"),
        (["--photos", "static", "--labels", "Makefile"], "Makefile needs the columns 'file' and 'watch'"),
        (["--labels", "Makefile"], "--labels needs --photos"),
    ],
)
@pytest.mark.slow
def test_the_error_for_wrong_input_is_one_sentence(arguments: list[str], sentence: str, temporary: Path):
    done = _smoke(*arguments, temporary=temporary)

    assert done.returncode == 1
    assert done.stdout == ""
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
