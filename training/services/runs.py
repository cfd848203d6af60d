"""Life of a training run: asked for, claimed, reporting, ended. The database is the truth.

A run is worked on by whoever holds its current attempt number. Every write names that number, so a
process that was given up for dead and wakes up again changes nothing.
"""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from annotation.models import Campaign, User
from training.learning.config import LearningConfig
from training.models import TrainingRun
from training.selectors.runs import annotations_since, live_run, newest_annotation_id

# A running process writes several times a second; one that is silent for so long is dead.
HEARTBEAT_SECONDS = 60
MAX_ATTEMPTS = 3
State = TrainingRun.State


class RunEndedError(Exception):
    """The run has ended, or another attempt works on it; the reader must stop at once."""


class RunCancelledError(Exception):
    """Somebody asked for the run to be cancelled."""


def run_request(*, campaign: Campaign, trigger: str, by: User | None = None) -> TrainingRun:
    """Return the campaign's live run, made now unless there is one already.

    Button, schedule, count threshold and command line all come through here. The caller announces
    the run to the workers on commit; when that message is lost the sweep finds the run.
    """
    for _ in range(5):
        if (live := live_run(campaign)) is not None:
            return live
        try:
            with transaction.atomic():
                return TrainingRun.objects.create(
                    campaign=campaign,
                    trigger=trigger,
                    requested_by=by,
                    recipe=LearningConfig().as_recipe(),
                    last_annotation_id=newest_annotation_id(campaign),
                )
        except IntegrityError:
            continue  # another request was first, and its run may have ended since
    raise RuntimeError(f"Runs of {campaign} begin and end faster than they can be asked for.")


def run_claim(*, run_id: int) -> int | None:
    """Take a queued run and return the attempt number to work under, or None when it is not queued."""
    now = timezone.now()
    with transaction.atomic():
        claimed = TrainingRun.objects.filter(pk=run_id, state=State.QUEUED).update(
            state=State.RUNNING,
            attempt=F("attempt") + 1,
            heartbeat_at=now,
            started_at=now,
            progress=0.0,
            stage="Starting",
        )
        # The row is locked by the update, so this is the number just given out.
        return TrainingRun.objects.values_list("attempt", flat=True).get(pk=run_id) if claimed else None


def run_write(*, run_id: int, attempt: int, **fields: Any) -> None:
    """Write fields and a heartbeat.

    Raises RunCancelledError when somebody asked for that, and RunEndedError when the attempt is not
    the current one or the run has ended. In both cases nothing was written.
    """
    current = TrainingRun.objects.filter(pk=run_id, attempt=attempt, state=State.RUNNING)
    if current.filter(cancel_requested=False).update(heartbeat_at=timezone.now(), **fields):
        return
    if current.exists():
        raise RunCancelledError(f"Run {run_id} is to be cancelled.")
    raise RunEndedError(f"Attempt {attempt} of run {run_id} is over.")


def run_finish(*, run_id: int, attempt: int, state: str, message: str = "", **fields: Any) -> bool:
    """End the run; return False when the attempt is not the current one any more, so nothing was written."""
    if message or state != State.CANCELLED:  # the message of a cancelled run says who cancelled it
        fields["message"] = message
    return bool(
        TrainingRun.objects.filter(pk=run_id, attempt=attempt, state=State.RUNNING).update(
            state=state, finished_at=timezone.now(), **fields
        )
    )


def run_cancel(*, run: TrainingRun, by: User | None = None) -> None:
    """Cancel a queued run now; ask a running one to stop, which it does within a second or so."""
    message = f"Cancelled by {by}." if by else "Cancelled."
    waiting = TrainingRun.objects.filter(pk=run.pk, state=State.QUEUED)
    if not waiting.update(state=State.CANCELLED, message=message, finished_at=timezone.now()):
        TrainingRun.objects.filter(pk=run.pk, state=State.RUNNING).update(cancel_requested=True, message=message)
    run.refresh_from_db()


def run_give_back(*, run_id: int, attempt: int, reason: str) -> str:
    """Queue a run again whose process died, or end it when it was cancelled or died too often.

    Returns the new state, or '' when the attempt is not the current one any more.
    """
    with transaction.atomic():
        run = TrainingRun.objects.select_for_update().filter(pk=run_id, attempt=attempt, state=State.RUNNING).first()
        if run is None:
            return ""
        if run.cancel_requested:
            run.state = State.CANCELLED
        elif run.attempt >= MAX_ATTEMPTS:
            run.state = State.FAILED
            run.message = f"{reason} It was tried {run.attempt} times; its log lies in {run.folder}."
        else:
            run.state, run.progress = State.QUEUED, 0.0
            run.stage = f"Waiting to start again: {reason}"[:120]
        run.heartbeat_at = None
        run.finished_at = None if run.state == State.QUEUED else timezone.now()
        run.save(update_fields=["state", "message", "progress", "stage", "heartbeat_at", "finished_at"])
        return run.state


def runs_revive() -> int:
    """Give back every run whose process has been silent for too long; return how many there were."""
    silent = timezone.now() - timedelta(seconds=HEARTBEAT_SECONDS)
    dead = TrainingRun.objects.filter(state=State.RUNNING, heartbeat_at__lt=silent).values_list("pk", "attempt")
    reason = f"The training process has not been heard of for {HEARTBEAT_SECONDS} seconds."
    return sum(bool(run_give_back(run_id=pk, attempt=attempt, reason=reason)) for pk, attempt in list(dead))


def runs_request_due() -> list[TrainingRun]:
    """Ask for a run in each active campaign that has `train_after` new answers since its last run."""
    requested = []
    for campaign in Campaign.objects.filter(state=Campaign.State.ACTIVE, train_after__gt=0):
        newest = TrainingRun.objects.filter(campaign=campaign).first()
        if newest is not None and newest.state in TrainingRun.LIVE:
            continue
        if annotations_since(campaign, newest.last_annotation_id if newest else 0) >= campaign.train_after:
            requested.append(run_request(campaign=campaign, trigger=TrainingRun.Trigger.COUNT))
    return requested
