"""State changes of runs: one live run per campaign, one process per run, and recovery after crashes."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from redis.connection import UnixDomainSocketConnection

from annotation.models import Annotation, Campaign
from iqs_site.broker_gate import gate
from training.models import TrainingRun
from training.services import runs
from training.services.runs import (
    RunCancelledError,
    RunEndedError,
    run_cancel,
    run_claim,
    run_finish,
    run_request,
    run_requeue,
    run_write,
    runs_request_due,
    runs_requeue_stale,
)
from training.tasks import announce, retrain_scheduled, run_execute, sweep

State = TrainingRun.State
Trigger = TrainingRun.Trigger


def request_by_button(campaign: Campaign) -> TrainingRun:
    return run_request(campaign=campaign, trigger=Trigger.BUTTON)


def request_and_claim(campaign: Campaign) -> tuple[TrainingRun, int]:
    run = request_by_button(campaign)
    attempt = run_claim(run_id=run.pk)
    assert attempt is not None
    run.refresh_from_db()
    return run, attempt


def test_a_second_request_gets_the_live_run(campaign: Campaign, people: dict[str, Any]) -> None:
    first = run_request(campaign=campaign, trigger=Trigger.BUTTON, by=people["ada"])
    assert run_request(campaign=campaign, trigger=Trigger.SCHEDULE) == first
    assert (first.state, first.requested_by, first.recipe["folds"]) == (State.QUEUED, people["ada"], 5)


def test_a_new_run_can_be_requested_after_the_last_one_ended(campaign: Campaign) -> None:
    run, attempt = request_and_claim(campaign)
    run_finish(run_id=run.pk, attempt=attempt, state=State.DONE)
    assert request_by_button(campaign) != run


@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_time_get_one_run(campaign: Campaign) -> None:
    barrier, run_ids = threading.Barrier(4), []

    def request_at_once() -> None:
        barrier.wait()
        run_ids.append(request_by_button(campaign).pk)
        connection.close()

    threads = [threading.Thread(target=request_at_once) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(run_ids)) == 1
    assert len(run_ids) == 4
    assert TrainingRun.objects.count() == 1


def test_a_run_can_be_claimed_only_once(campaign: Campaign) -> None:
    run, attempt = request_and_claim(campaign)
    assert attempt == 1
    assert run.heartbeat_at is not None
    assert run_claim(run_id=run.pk) is None


def test_a_second_message_for_a_run_does_nothing(campaign: Campaign) -> None:
    run, _ = request_and_claim(campaign)
    run_execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempt) == (State.RUNNING, 1)


def test_an_old_attempt_cannot_write(campaign: Campaign) -> None:
    run, old = request_and_claim(campaign)
    assert run_requeue(run_id=run.pk, attempt=old, reason="It was killed.") == State.QUEUED
    new = run_claim(run_id=run.pk)
    assert new == old + 1
    with pytest.raises(RunEndedError):
        run_write(run_id=run.pk, attempt=old, progress=0.9)
    assert not run_finish(run_id=run.pk, attempt=old, state=State.FAILED, message="late")
    assert run_requeue(run_id=run.pk, attempt=old, reason="late") == ""
    run_write(run_id=run.pk, attempt=new, progress=0.2)
    run.refresh_from_db()
    assert (run.state, run.progress, run.message) == (State.RUNNING, 0.2, "")


def test_nothing_is_written_to_a_run_that_has_ended(campaign: Campaign) -> None:
    run, attempt = request_and_claim(campaign)
    assert run_finish(run_id=run.pk, attempt=attempt, state=State.FAILED, message="no disk")
    with pytest.raises(RunEndedError):
        run_write(run_id=run.pk, attempt=attempt, progress=0.5)


def test_a_queued_run_is_cancelled_at_once(campaign: Campaign, people: dict[str, Any]) -> None:
    run = request_by_button(campaign)
    run_cancel(run=run, by=people["ada"])
    assert (run.state, run.message) == (State.CANCELLED, "Cancelled by ada.")
    assert run.finished_at is not None
    assert run_claim(run_id=run.pk) is None


def test_a_running_run_is_cancelled_at_its_next_write(campaign: Campaign, people: dict[str, Any]) -> None:
    run, attempt = request_and_claim(campaign)
    run_cancel(run=run, by=people["ada"])
    assert run.state == State.RUNNING
    with pytest.raises(RunCancelledError):
        run_write(run_id=run.pk, attempt=attempt, progress=0.5)
    assert run_finish(run_id=run.pk, attempt=attempt, state=State.CANCELLED)
    run.refresh_from_db()
    assert (run.state, run.progress, run.message) == (State.CANCELLED, 0.0, "Cancelled by ada.")


def test_cancelling_a_run_that_has_ended_changes_nothing(campaign: Campaign) -> None:
    run, attempt = request_and_claim(campaign)
    run_finish(run_id=run.pk, attempt=attempt, state=State.DONE, message="good")
    run_cancel(run=run)
    assert (run.state, run.message, run.cancel_requested) == (State.DONE, "good", False)


def make_stale(run: TrainingRun) -> None:
    past = timezone.now() - timedelta(seconds=runs.STALE_SECONDS + 1)
    TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=past)


def test_a_stale_run_is_requeued_and_an_active_one_is_not(campaign: Campaign) -> None:
    run, _ = request_and_claim(campaign)
    assert runs_requeue_stale() == 0
    make_stale(run)
    assert runs_requeue_stale() == 1
    run.refresh_from_db()
    assert (run.state, run.attempt, run.progress) == (State.QUEUED, 1, 0.0)
    assert "no heartbeat for 60 seconds" in run.stage


def test_a_run_without_a_heartbeat_in_three_attempts_fails_with_a_message(campaign: Campaign) -> None:
    run = request_by_button(campaign)
    for _ in range(runs.MAX_ATTEMPTS):
        run_claim(run_id=run.pk)
        make_stale(run)
        runs_requeue_stale()
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert "tried 3 times" in run.message
    assert run.finished_at is not None


def test_a_stale_run_with_a_cancel_request_is_cancelled(campaign: Campaign) -> None:
    run, _ = request_and_claim(campaign)
    run_cancel(run=run)
    make_stale(run)
    runs_requeue_stale()
    run.refresh_from_db()
    assert run.state == State.CANCELLED


def test_enough_new_answers_request_a_run(campaign: Campaign, make_rated_images: Callable[..., Any]) -> None:
    campaign.train_after = 7
    campaign.save()
    make_rated_images(train=3, holdout=20, features=8)  # two answers each
    make_rated_images(train=20, seed=3)  # photos without features are not used
    assert runs_request_due() == []
    make_rated_images(train=1, features=8, seed=1)
    (run,) = runs_request_due()
    assert run.trigger == Trigger.COUNT
    assert runs_request_due() == []  # the first run is still live
    attempt = run_claim(run_id=run.pk)
    run_finish(run_id=run.pk, attempt=attempt or 0, state=State.FAILED, message="no disk")
    assert runs_request_due() == []  # the same answers are not tried again
    make_rated_images(train=4, features=8, seed=2)
    assert len(runs_request_due()) == 1


def test_answers_that_training_leaves_out_start_no_run(
    campaign: Campaign, make_rated_images: Callable[..., Any]
) -> None:
    Campaign.objects.update(train_after=2)
    make_rated_images(train=5, features=8)
    Annotation.objects.update(saw_prediction=True, is_blind=False)
    assert runs_request_due() == []
    TrainingRun.objects.create(
        campaign=campaign, trigger=Trigger.BUTTON, state=State.FAILED, recipe={"exposed_answers": True}
    )
    (run,) = runs_request_due()
    assert run.recipe["exposed_answers"]


@pytest.mark.parametrize("change", [{"train_after": 0}, {"state": "paused"}, {"state": "closed"}])
def test_campaigns_that_are_off_paused_or_closed_get_no_automatic_runs(
    campaign: Campaign, make_rated_images: Callable[..., Any], change: dict[str, Any]
) -> None:
    Campaign.objects.update(**{"train_after": 1, **change})
    make_rated_images(train=3, features=8)
    assert runs_request_due() == []


def test_the_schedule_requests_a_run(campaign: Campaign) -> None:
    retrain_scheduled(campaign=campaign.slug)
    run = TrainingRun.objects.get()
    assert (run.trigger, run.state) == (Trigger.SCHEDULE, State.QUEUED)
    retrain_scheduled(campaign=campaign.slug)
    assert TrainingRun.objects.count() == 1


def test_without_a_broker_a_request_does_not_try_for_long_and_the_run_waits(
    campaign: Campaign, django_capture_on_commit_callbacks: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []
    connect = UnixDomainSocketConnection._connect
    counted = lambda connection: (attempts.append(1), connect(connection))[1]  # noqa: E731
    monkeypatch.setattr(UnixDomainSocketConnection, "_connect", counted)
    # Other tests leave their mark: after a silent broker nobody tries for five seconds, and a request that was never
    # closed may have used up its time.
    monkeypatch.setattr(gate, "_is_silent", False)
    gate.request_end()
    run = request_by_button(campaign)
    with django_capture_on_commit_callbacks(execute=True):
        announce(run_execute, run.pk)  # tests have no broker
    assert 1 <= len(attempts) <= 3
    run.refresh_from_db()
    assert run.state == State.QUEUED


def test_the_sweep_announces_queued_runs_again(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    sent: list[Any] = []
    # There is no broker in tests, so the messages are collected here.
    monkeypatch.setattr(run_execute, "apply_async", lambda args, **options: sent.append((args, options)))
    run, _ = request_and_claim(campaign)
    make_stale(run)
    with django_capture_on_commit_callbacks(execute=True):
        sweep()
    assert sent == [((run.pk,), {"expires": 60})]
