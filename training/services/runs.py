"""State changes of a training run: request, claim, progress, end. Its state is stored in the database only.

A claim returns an attempt number, and every write checks it. After a run is requeued, the process with the old
number can no longer change it.
"""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext

from annotation.models import Campaign, User
from inference.models import ModelVersion
from training.evaluation import stored_words
from training.learning.registry import DEFAULT_RECIPE, LearningPlan
from training.models import TrainingRun
from training.selectors.runs import exposed_answers_on, live_run, new_answers, newest_annotation_id, newest_run

# A running process writes several times a second. After this time without a heartbeat, its run is stale.
STALE_SECONDS = 60
MAX_ATTEMPTS = 3
State = TrainingRun.State


class RunEndedError(Exception):
    """The run has ended or another attempt works on it. The process must stop."""


class RunCancelledError(Exception):
    """A user has cancelled the run."""


def run_request(
    *,
    campaign: Campaign,
    trigger: str,
    by: User | None = None,
    exposed_answers: bool | None = None,
    recipe: str = DEFAULT_RECIPE,
    reason: str = "",
    challenger: ModelVersion | None = None,
) -> TrainingRun:
    """Return the campaign's queued or running run; create one if there is none.

    All triggers use this function: button, schedule, number of new answers, drift and command line. `reason`: why, if
    the trigger does not say it.
    `exposed_answers` is the field of `LearningPlan`; None takes it from the campaign's newest run. `recipe`: a name in
    `RECIPES`. `challenger`: a version that the run only compares with the champion. The caller announces the run to the
    workers on commit. If that message is lost, the sweep finds the run.
    """
    if exposed_answers is None:
        exposed_answers = exposed_answers_on(newest_run(campaign))
    for _ in range(5):
        if (live := live_run(campaign)) is not None:
            return live
        try:
            with transaction.atomic():
                return TrainingRun.objects.create(
                    campaign=campaign,
                    trigger=trigger,
                    requested_by=by,
                    reason=reason,
                    recipe=LearningPlan.of(recipe, exposed_answers=exposed_answers).as_json(),
                    last_annotation_id=newest_annotation_id(campaign),
                    challenger=challenger,
                )
        except IntegrityError:
            continue  # another request was first, and its run may have ended since
    raise RuntimeError(gettext("Runs of %(campaign)s start and end too fast to request one.") % {"campaign": campaign})


def run_claim(*, run_id: int) -> int | None:
    """Claim a queued run and return the attempt number, or None if it is not queued."""
    now = timezone.now()
    with transaction.atomic():
        claimed = TrainingRun.objects.filter(pk=run_id, state=State.QUEUED).update(
            state=State.RUNNING,
            attempt=F("attempt") + 1,
            heartbeat_at=now,
            started_at=now,
            progress=0.0,
            stage="Starting",
            steps=[],
        )
        # The update has locked the row, so this is the new number.
        return TrainingRun.objects.values_list("attempt", flat=True).get(pk=run_id) if claimed else None


def run_write(*, run_id: int, attempt: int, **fields: Any) -> None:
    """Write fields and a heartbeat.

    Raises RunCancelledError if a user has cancelled the run, and RunEndedError if the attempt is not the
    current one or the run has ended. In both cases nothing was written.
    """
    current = TrainingRun.objects.filter(pk=run_id, attempt=attempt, state=State.RUNNING)
    if current.filter(cancel_requested=False).update(heartbeat_at=timezone.now(), **fields):
        return
    if current.exists():
        raise RunCancelledError(gettext("Run %(run_id)s was cancelled.") % {"run_id": run_id})
    raise RunEndedError(
        gettext("Attempt %(attempt)s of run %(run_id)s is over.") % {"attempt": attempt, "run_id": run_id}
    )


def run_finish(*, run_id: int, attempt: int, state: str, message: str = "", **fields: Any) -> bool:
    """End the run. Return False, without a write, if the attempt is not the current one."""
    if message or state != State.CANCELLED:  # a cancelled run keeps the message that says who cancelled it
        fields["message"] = message
    return bool(
        TrainingRun.objects.filter(pk=run_id, attempt=attempt, state=State.RUNNING).update(
            state=state, finished_at=timezone.now(), **fields
        )
    )


def run_cancel(*, run: TrainingRun, by: User | None = None) -> None:
    """Cancel a queued run at once. Ask a running one to stop, which takes about a second."""
    message = stored_words.CANCELLED_BY % {"name": by} if by else stored_words.CANCELLED
    waiting = TrainingRun.objects.filter(pk=run.pk, state=State.QUEUED)
    if not waiting.update(state=State.CANCELLED, message=message, finished_at=timezone.now()):
        TrainingRun.objects.filter(pk=run.pk, state=State.RUNNING).update(cancel_requested=True, message=message)
    run.refresh_from_db()


def run_requeue(*, run_id: int, attempt: int, reason: str) -> str:
    """Requeue a run whose process died, or end it if it was cancelled or has reached MAX_ATTEMPTS.

    Returns the new state, or '' if the attempt is not the current one.
    """
    with transaction.atomic():
        run = TrainingRun.objects.select_for_update().filter(pk=run_id, attempt=attempt, state=State.RUNNING).first()
        if run is None:
            return ""
        if run.cancel_requested:
            run.state = State.CANCELLED
        elif run.attempt >= MAX_ATTEMPTS:
            run.state = State.FAILED
            run.message = stored_words.GIVEN_UP % {
                "reason_sentence": reason,
                "attempts": run.attempt,
                "folder": run.folder,
            }
        else:
            run.state, run.progress = State.QUEUED, 0.0
            run.stage = (stored_words.AGAIN % {"reason_sentence": reason})[:120]
        run.heartbeat_at = None
        run.finished_at = None if run.state == State.QUEUED else timezone.now()
        run.save(update_fields=["state", "message", "progress", "stage", "heartbeat_at", "finished_at"])
        return run.state


def runs_requeue_stale() -> int:
    """Requeue every run without a heartbeat for STALE_SECONDS; return their number."""
    oldest = timezone.now() - timedelta(seconds=STALE_SECONDS)
    stale = TrainingRun.objects.filter(state=State.RUNNING, heartbeat_at__lt=oldest).values_list("pk", "attempt")
    reason = stored_words.NO_HEARTBEAT % {"seconds": STALE_SECONDS}
    return sum(bool(run_requeue(run_id=pk, attempt=attempt, reason=reason)) for pk, attempt in list(stale))


def runs_request_due() -> list[TrainingRun]:
    """Request a run in each active campaign with at least `train_after` usable answers since its last run."""
    requested = []
    for campaign in Campaign.objects.filter(state=Campaign.State.ACTIVE, train_after__gt=0):
        newest = newest_run(campaign)
        if newest is not None and newest.state in TrainingRun.LIVE:
            continue
        since = newest.last_annotation_id if newest else 0
        if new_answers(campaign, since=since, exposed_answers=exposed_answers_on(newest)) >= campaign.train_after:
            requested.append(run_request(campaign=campaign, trigger=TrainingRun.Trigger.COUNT))
    return requested
