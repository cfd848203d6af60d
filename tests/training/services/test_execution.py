"""Training runs, in this process and in real training processes that learn, evaluate and promote."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.db import connections

from annotation.models import Annotation, Campaign
from inference.models import ModelVersion, Prediction
from inference.networks.checkpoint import heads_load, heads_save
from inference.selectors import backbone_key
from tests.waiting import wait_for
from training.learning.registry import EXPOSED_ANSWERS_LABEL, LearningPlan
from training.models import Evaluation, Promotion, TrainingRun
from training.selectors.snapshots import training_snapshot
from training.services import execution, training_process
from training.services.execution import run_perform
from training.services.runs import RunEndedError, run_cancel, run_claim, run_request, runs_requeue_stale

State = TrainingRun.State
PLAN = LearningPlan.of()


def request_and_claim(campaign: Campaign, **fields: Any) -> tuple[TrainingRun, int]:
    run = run_request(campaign=campaign, trigger=TrainingRun.Trigger.BUTTON)
    if fields:
        TrainingRun.objects.filter(pk=run.pk).update(**fields)
    attempt = run_claim(run_id=run.pk)
    assert attempt is not None
    run.refresh_from_db()
    return run, attempt


def perform_and_reload(run: TrainingRun, attempt: int) -> tuple[str, str]:
    run_perform(run_id=run.pk, attempt=attempt)
    run.refresh_from_db()
    return run.state, run.message


def test_without_answers_the_run_fails_with_a_message(campaign: Campaign) -> None:
    state, message = perform_and_reload(*request_and_claim(campaign))
    assert state == State.FAILED
    assert message.startswith("There is nothing to learn from yet")


def test_answers_to_photos_without_features_are_not_used(
    campaign: Campaign, make_rated_images: Callable[..., Any]
) -> None:
    make_rated_images(train=5, holdout=2)
    assert perform_and_reload(*request_and_claim(campaign))[1].startswith("There is nothing to learn from yet")


def test_the_message_names_the_setting_when_all_answers_are_exposed(
    campaign: Campaign, make_rated_images: Callable[..., Any]
) -> None:
    make_rated_images(train=5, features=8)
    Annotation.objects.update(saw_prediction=True, is_blind=False)  # as in a prelabel campaign
    state, message = perform_and_reload(*request_and_claim(campaign))
    assert state == State.FAILED
    assert "all 10 answers to train photos were given after seeing a prediction" in message
    assert EXPOSED_ANSWERS_LABEL in message
    assert "manage.py train watches --exposed-answers" in message
    # With the setting on, these answers are used. The run fails later, because the features are too short.
    run = run_request(campaign=campaign, trigger=TrainingRun.Trigger.BUTTON, exposed_answers=True)
    attempt = run_claim(run_id=run.pk) or 0
    assert perform_and_reload(run, attempt)[1].startswith("The stored features have 8 numbers")
    assert run.annotation_count == 10


def test_a_recipe_of_another_version_is_refused(campaign: Campaign, make_rated_images: Callable[..., Any]) -> None:
    make_rated_images(train=5, features=8)
    state, message = perform_and_reload(*request_and_claim(campaign, recipe={"recipe": "auto", "recipe_version": 99}))
    assert (state, message) == (
        State.FAILED,
        "The run was made for version 99 of the recipe; this program has version 1. Start a new run.",
    )


def test_scores_outside_a_reduced_scale_fail_the_run(
    campaign: Campaign, make_rated_images: Callable[..., Any], make_version: Callable[..., Any]
) -> None:
    make_version(1, champion=True)
    make_rated_images(train=9, features=8)
    Campaign.objects.update(scale_max=2, reject_at=1, pending_at=1)
    assert "outside the scale 1 … 2" in perform_and_reload(*request_and_claim(campaign))[1]


def test_features_of_another_length_are_refused(
    campaign: Campaign, make_rated_images: Callable[..., Any], make_version: Callable[..., Any]
) -> None:
    make_version(1, champion=True)
    make_rated_images(train=5, features=8)
    assert "The stored features have 8 numbers" in perform_and_reload(*request_and_claim(campaign))[1]


def test_the_same_data_and_recipe_are_not_learned_twice(
    campaign: Campaign, make_rated_images: Callable[..., Any], make_version: Callable[..., Any]
) -> None:
    make_rated_images(train=5, features=8)
    last, attempt = request_and_claim(campaign)
    version = make_version(2, champion=True)
    ModelVersion.objects.update(backbone=backbone_key(""))
    votes = training_snapshot(campaign, exposed_answers=False)
    TrainingRun.objects.update(state=State.DONE, challenger=version, fingerprint=votes.fingerprint)
    run, attempt = request_and_claim(campaign)
    state, message = perform_and_reload(run, attempt)
    assert state == State.SKIPPED
    assert message.startswith(f"Nothing has changed since run {last.number} made version 2")
    assert run.annotation_count == 10
    # A run with another seed is not skipped. It fails here, because the features are too short.
    assert perform_and_reload(*request_and_claim(campaign, seed=2))[0] == State.FAILED


def test_a_later_attempt_uses_the_snapshot_of_the_first_one(
    campaign: Campaign, make_rated_images: Callable[..., Any]
) -> None:
    make_rated_images(train=5, features=8)
    run, attempt = request_and_claim(campaign)
    votes, features = execution._freeze(run, PLAN, backbone_key(""), execution.Reporter(run.pk, attempt))
    frozen = TrainingRun.objects.get(pk=run.pk)
    assert (frozen.fingerprint, frozen.annotation_count) == (votes.fingerprint, 10)
    make_rated_images(train=3, features=8, seed=1)
    second_votes, second_features = execution._freeze(
        frozen, PLAN, backbone_key(""), execution.Reporter(run.pk, attempt)
    )
    assert (second_votes.fingerprint, len(second_votes)) == (votes.fingerprint, 10)
    assert np.array_equal(features, second_features)


def test_a_process_that_lost_its_run_stops_without_writing(
    campaign: Campaign, make_rated_images: Callable[..., Any]
) -> None:
    make_rated_images(train=5, features=8)
    run, old = request_and_claim(campaign)
    TrainingRun.objects.filter(pk=run.pk).update(attempt=old + 1)
    with pytest.raises(RunEndedError):
        run_perform(run_id=run.pk, attempt=old)
    run.refresh_from_db()
    assert (run.state, run.fingerprint, run.stage) == (State.RUNNING, "", "Starting")


def test_a_cancelled_run_stops_at_its_next_report(campaign: Campaign, make_rated_images: Callable[..., Any]) -> None:
    make_rated_images(train=5, features=8)
    run, attempt = request_and_claim(campaign)
    run_cancel(run=run)
    assert perform_and_reload(run, attempt) == (State.CANCELLED, "Cancelled.")


def test_progress_is_written_a_few_times_per_second_and_a_new_stage_at_once(campaign: Campaign) -> None:
    run, attempt = request_and_claim(campaign)
    report = execution.Reporter(run.pk, attempt)
    report(0.1, "Learning")
    for share in range(100):
        report(0.1 + share / 1000, "Learning", history=[])
    run.refresh_from_db()
    assert run.progress < 0.19  # the last reports came too soon to be written
    report(0.2, "Exporting")
    run.refresh_from_db()
    assert (run.progress, run.stage) == (0.2, "Exporting")


# --- Real processes -----------------------------------------------------------------------------------------


def process_ids_of(run: TrainingRun) -> list[int]:
    """Return the ids of a run's training processes."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"train" in words and b"--run" in words and str(run.pk).encode() in words:
            found.append(int(entry.name))
    return found


def supervise_in_thread(run: TrainingRun, attempt: int) -> threading.Thread:
    """Supervise the run in a thread, as a worker does, and return the thread."""

    def work() -> None:
        try:
            training_process.run_supervise(run_id=run.pk, attempt=attempt)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.slow
def test_a_process_learns_evaluates_and_promotes(
    shared_database: None, campaign: Campaign, make_rated_images: Callable[..., Any]
) -> None:
    from inference.networks.config import EFFICIENTNET_LITE0

    Campaign.objects.update(promote_automatically=True)
    images = make_rated_images(train=90, holdout=30, votes=3, features=EFFICIENTNET_LITE0.feature_size)
    holdout = [image for image in images if image.split == "holdout"]
    run, attempt = request_and_claim(campaign)
    training_process.run_supervise(run_id=run.pk, attempt=attempt)
    run.refresh_from_db()
    assert (run.state, run.progress) == (State.DONE, 1.0), run.message
    assert run.message.startswith("Promoted: Quality RPS −")
    assert run.annotation_count == 270
    challenger = run.challenger
    assert challenger is not None
    assert (challenger.number, challenger.is_champion) == (2, True)
    assert challenger.data_fingerprint == run.fingerprint
    assert challenger.figures["comparison"]["chosen"] == "ridge"
    assert Prediction.objects.filter(model_version=challenger, image__in=holdout).count() == 30
    promotion = Promotion.objects.get()
    assert (promotion.kind, promotion.version, promotion.replaced.number) == ("automatic", challenger, 1)  # type: ignore[union-attr]
    evaluation = Evaluation.objects.get(model_version=challenger)
    assert (evaluation.run, evaluation.against, evaluation.image_count) == (run, promotion.replaced, 30)
    assert evaluation.differences["quality_srcc"]["low"] > 0
    assert Evaluation.objects.filter(model_version=promotion.replaced).count() == 1

    # The parity check before storing a version finds a difference.
    folder = run.folder / "attempt-1"
    tensors = dict(np.load(run.folder / "snapshot.npz"))
    assert len(tensors["scores"]) == 270
    heads, card = heads_load(folder)
    heads.watch_shift.data -= 1000.0  # no watch for certain
    heads_save(folder, heads, card)
    with pytest.raises(execution.LearningError, match="exported heads differ"):
        execution._parity_check(folder, np.zeros((4, EFFICIENTNET_LITE0.feature_size), dtype=np.float32))

    # There are no new answers, so the next run ends without a version.
    assert perform_and_reload(*request_and_claim(campaign))[0] == State.SKIPPED


@pytest.mark.slow
def test_training_continues_without_its_worker_and_a_hanging_process_is_replaced(
    shared_database: None, campaign: Campaign, make_rated_images: Callable[..., Any]
) -> None:
    run, attempt = request_and_claim(campaign)
    module = "training.services.training_process"
    call = f"from {module} import run_supervise; run_supervise(run_id={run.pk}, attempt={attempt})"
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v0", "-c", call],
        cwd=django_settings.BASE_DIR,
        env=training_process.process_environment(),
        start_new_session=True,
    )
    (child,) = wait_for(lambda: process_ids_of(run), "The training process does not start.")
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    assert process_ids_of(run) == [child]
    os.kill(child, signal.SIGSTOP)  # simulates a process that hangs
    TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at="2026-01-01T00:00Z")
    assert runs_requeue_stale() == 1
    second = run_claim(run_id=run.pk)
    assert second == 2
    os.kill(child, signal.SIGCONT)  # the process continues and stops at its next write
    wait_for(lambda: not process_ids_of(run), "The training process does not end.")
    run.refresh_from_db()
    assert (run.state, run.attempt, run.message) == (State.RUNNING, 2, "")
    training_process.run_supervise(run_id=run.pk, attempt=2)
    run.refresh_from_db()
    assert (run.state, run.message[:25]) == (State.FAILED, "There is nothing to learn")


@pytest.mark.slow
def test_the_run_of_a_killed_process_is_queued_again(shared_database: None, campaign: Campaign) -> None:
    run, attempt = request_and_claim(campaign)
    thread = supervise_in_thread(run, attempt)
    (child,) = wait_for(lambda: process_ids_of(run), "The training process does not start.")
    os.kill(child, signal.SIGKILL)
    thread.join()
    run.refresh_from_db()
    assert (run.state, run.attempt) == (State.QUEUED, 1)
    assert "killed by signal 9" in run.stage


@pytest.mark.slow
def test_a_process_that_takes_too_long_is_stopped(shared_database: None, campaign: Campaign, settings: Any) -> None:
    settings.IQS_TRAINING_SECONDS = 1
    run, attempt = request_and_claim(campaign)
    training_process.run_supervise(run_id=run.pk, attempt=attempt)
    run.refresh_from_db()
    assert (run.state, run.message) == (State.FAILED, "Stopped after 1 seconds, the limit of IQS_TRAINING_SECONDS.")
    assert not process_ids_of(run)


@pytest.mark.slow
def test_the_last_output_of_a_failing_process_is_stored(
    shared_database: None, campaign: Campaign, settings: Any
) -> None:
    settings.DATABASE_URL = "mysql://nowhere/nothing"
    run, attempt = request_and_claim(campaign)
    training_process.run_supervise(run_id=run.pk, attempt=attempt)
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert run.message.startswith("The training process ended with status 1:")
    assert "DATABASE_URL must name a PostgreSQL database" in run.message
