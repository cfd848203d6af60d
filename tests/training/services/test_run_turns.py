"""One user's training runs do not keep the others waiting, or the worker's other tasks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Campaign
from training import tasks
from training.models import TrainingRun
from training.services.run_turns import run_claim_next
from training.services.runs import run_finish, run_request
from training.tasks import run_execute

pytestmark = pytest.mark.django_db
State = TrainingRun.State
Request = Callable[[str], TrainingRun]


@pytest.fixture
def requested(people: dict[str, Any]) -> Request:
    """Return a function that requests a run of a user in a new campaign: a campaign has one live run."""

    def make(name: str) -> TrainingRun:
        campaign = Campaign.objects.create(slug=f"c{Campaign.objects.count()}", name="One more")
        return run_request(campaign=campaign, trigger=TrainingRun.Trigger.BUTTON, by=people.get(name))

    return make


def test_a_user_with_many_campaigns_takes_turns_with_the_others(requested: Request) -> None:
    of_ada = [requested("ada") for _ in range(3)]
    of_rita = requested("rita")
    served = []
    while (claimed := run_claim_next()) is not None:
        served.append(claimed[0])
        run_finish(run_id=claimed[0], attempt=claimed[1], state=State.DONE)
    assert served == [of_ada[0].pk, of_rita.pk, of_ada[1].pk, of_ada[2].pk]


def test_a_user_has_one_running_run_at_a_time(requested: Request) -> None:
    first, _second = requested("ada"), requested("ada")
    assert run_claim_next() == (first.pk, 1)
    assert run_claim_next() is None
    of_nobody = [requested("nobody"), requested("nobody")]
    assert [run_claim_next(), run_claim_next()] == [(run.pk, 1) for run in of_nobody]


def test_a_worker_trains_few_runs_at_a_time(requested: Request, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.IQS_TRAINING_RUNS_AT_ONCE = 2
    for name in ("ada", "rita", "bob"):
        requested(name)
    running, at_once = 0, []

    def supervise(*, run_id: int, attempt: int) -> None:
        """Train while two more messages arrive."""
        nonlocal running
        running += 1
        at_once.append(running)
        if len(at_once) < 3:
            run_execute(0)
            run_execute(0)
        running -= 1

    monkeypatch.setattr(tasks, "run_supervise", supervise)
    run_execute(0)
    assert at_once == [1, 2, 2]


def test_the_next_run_is_announced_at_the_end(requested: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(tasks, "announce", lambda task, pk, expires: sent.append(pk))
    monkeypatch.setattr(
        tasks, "run_supervise", lambda run_id, attempt: run_finish(run_id=run_id, attempt=attempt, state=State.DONE)
    )
    requested("ada")
    second = requested("ada")
    run_execute(0)
    assert sent == [second.pk]


def test_a_user_starts_so_many_runs_an_hour(
    people: dict[str, Any], campaign: Campaign, client_of: Callable[[str], Any], settings: Any
) -> None:
    settings.IQS_TRAINING_RUNS_PER_HOUR = 1
    client, address = client_of("ada"), f"/campaigns/{campaign.slug}/runs/start"
    assert "/runs/" in client.post(address).url
    assert "/runs/" in client.post(address).url  # the same run: it costs nothing
    TrainingRun.objects.update(state=State.DONE, finished_at=timezone.now())
    answer = client.post(address, follow=True)
    assert answer.redirect_chain[0][0].endswith("/models/")
    assert "You have started 1 training runs in this hour, as many as are allowed." in answer.content.decode()
    assert TrainingRun.objects.count() == 1
