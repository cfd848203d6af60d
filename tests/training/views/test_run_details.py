"""What the page of a run says besides its progress: number, steps with times, memory and log."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from annotation.models import Campaign
from training.models import TrainingRun
from training.services.reporting import Reporter, step_name
from training.services.runs import run_claim, run_finish, run_request
from training.templatetags.durations import duration


@pytest.fixture
def run(campaign: Campaign) -> TrainingRun:
    return run_request(campaign=campaign, trigger=TrainingRun.Trigger.BUTTON)


def page_of(client: Any, run: TrainingRun) -> str:
    return " ".join(client.get(f"/campaigns/watches/runs/{run.pk}/").content.decode().split())


def test_runs_are_numbered_within_their_campaign(campaign: Campaign) -> None:
    other = Campaign.objects.create(slug="clocks", name="Clocks")
    numbers = []
    for one in (campaign, other, campaign, campaign, other):
        run = run_request(campaign=one, trigger="button")
        run_finish(run_id=run.pk, attempt=run_claim(run_id=run.pk) or 0, state="failed")
        numbers.append((one.slug, run.number))
    assert numbers == [("watches", 1), ("clocks", 1), ("watches", 2), ("watches", 3), ("clocks", 2)]


def test_a_run_keeps_when_its_steps_began(run: TrainingRun, client_of: Callable[[str], Any]) -> None:
    report = Reporter(run.pk, run_claim(run_id=run.pk) or 0)
    report(0.01, "Freezing the data")
    report(0.03, "Reading photos, 12 of 300")
    report(0.04, "Reading photos, 13 of 300")
    report(0.1, "Learning quality")
    report.write(stage="Storing the version")
    run.refresh_from_db()
    names = [step["name"] for step in run.steps]
    assert names == ["Freezing the data", "Reading photos", "Learning quality", "Storing the version"]
    assert [step["at"] for step in run.steps] == sorted(step["at"] for step in run.steps)
    page = page_of(client_of("rita"), run)
    assert '<tr aria-current="step"><th scope="row">Storing the version</th>' in page
    assert run_claim(run_id=run.pk) is None
    TrainingRun.objects.update(state="queued")
    run_claim(run_id=run.pk)
    run.refresh_from_db()
    assert run.steps == []  # of the newest attempt


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("Learning quality", "Learning quality"),
        ("Processing holdout photos, 1,200 of 3,000", "Processing holdout photos"),
        ("Comparing recipes: ridge regression", "Comparing recipes: ridge regression"),
        ("Learning, epoch 3 of 10", "Learning, epoch"),
    ],
)
def test_a_number_at_the_end_counts_within_a_step(stage: str, expected: str) -> None:
    assert step_name(stage) == expected


def test_the_log_is_for_admins(run: TrainingRun, client_of: Callable[[str], Any]) -> None:
    run_claim(run_id=run.pk)
    run.refresh_from_db()
    run.folder.mkdir(parents=True)
    run.log.write_text("\n".join(f"line {number}" for number in range(100)) + "\n<end>\n")
    admin, reviewer = page_of(client_of("ada"), run), page_of(client_of("rita"), run)
    assert "&lt;end&gt;" in admin
    assert "line 99" in admin
    assert "line 9 " not in admin
    assert "line 99" not in reviewer
    response = client_of("ada").get(f"/campaigns/watches/runs/{run.pk}/log")
    assert b"".join(response.streaming_content).startswith(b"line 0\n")
    assert response["Content-Disposition"] == f'attachment; filename="watches-run-{run.number}.log"'
    run.log.unlink()
    assert client_of("ada").get(f"/campaigns/watches/runs/{run.pk}/log").status_code == 404


def test_duration_and_memory_are_shown(run: TrainingRun, client_of: Callable[[str], Any]) -> None:
    attempt = run_claim(run_id=run.pk) or 0
    run_finish(run_id=run.pk, attempt=attempt, state="done")
    run.refresh_from_db()
    assert run.finished_at is not None
    TrainingRun.objects.update(started_at=run.finished_at - timedelta(seconds=200), peak_memory=512 * 1024**2)
    page = page_of(client_of("rita"), run)
    assert "3 min 20 s" in page
    assert "512.0" in page


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.04, "0.0 s"), (9.44, "9.4 s"), (59.6, "1 min 0 s"), (61, "1 min 1 s"), (3900, "1 h 5 min")],
)
def test_durations_read_well(seconds: float, expected: str) -> None:
    assert duration(timedelta(seconds=seconds)) == expected


def test_an_unknown_duration_is_a_dash() -> None:
    assert duration(None) == "–"
