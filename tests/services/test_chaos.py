"""A short chaos test with few annotators and few kills, but with real servers. `make chaos` is the long one."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.chaos import LONG, SHORT, progress_bar
from tests.services.kill_targets import KillTarget

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.services
def test_no_answer_is_lost_or_duplicated_while_servers_are_killed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.services.chaos", "--short", "--seed", "1"],
        cwd=ROOT,
        env=os.environ | {"IQS_VAR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout, done.stderr
    last = json.loads(done.stdout)
    assert last["wrong"] == []
    assert done.returncode == 0
    assert set(last["killed"]) == set(KillTarget)
    assert last["receipts"] == 3 * (SHORT.calm_images + SHORT.rounds * SHORT.images)
    assert last["sent_again"] > 0, "the kills had no effect"


def test_the_long_plan_has_the_documented_size() -> None:
    assert (LONG.rounds, LONG.calm_annotators, LONG.calm_images) == (50, 50, 200)
    assert LONG.rounds % len(KillTarget) == SHORT.rounds % len(KillTarget) == 0  # every target equally often


def test_without_a_terminal_progress_is_printed_line_by_line() -> None:
    out = io.StringIO()
    show = progress_bar(out)
    show(0.5, "round 25 of 50: broker")
    show(1, "done")
    half, whole = out.getvalue().splitlines()
    assert half.count("█") == 15
    assert "50%  round 25 of 50: broker" in half
    assert "100%  done" in whole
