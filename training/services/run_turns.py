"""Whose training run is next, so that the runs of one user do not keep the others waiting.

A user has one running run at a time; runs that a schedule or a number of answers requested belong to nobody. Among the
users without a running one, the one whose last run is longest ago is next. A worker process works on at most
IQS_TRAINING_RUNS_AT_ONCE runs, so that it has threads left for its other tasks.
"""

from django.db import transaction
from django.db.models import F, Max, OuterRef, Subquery

from annotation.services.turns import turn_lock
from training.models import TrainingRun
from training.services.runs import run_claim

State = TrainingRun.State


@transaction.atomic
def run_claim_next() -> tuple[int, int] | None:
    """Claim the run whose turn it is and return its id and attempt. None when there is none."""
    turn_lock("iqs training runs")
    run_id = run_next_id()
    attempt = None if run_id is None else run_claim(run_id=run_id)
    return None if run_id is None or attempt is None else (run_id, attempt)


def run_next_id() -> int | None:
    """Return the id of the queued run whose turn it is, or None."""
    running = TrainingRun.objects.filter(state=State.RUNNING, requested_by__isnull=False).order_by()
    served = TrainingRun.objects.filter(requested_by=OuterRef("requested_by")).order_by().values("requested_by")
    return (
        TrainingRun.objects.filter(state=State.QUEUED)
        .exclude(requested_by__in=running.values("requested_by"))
        .annotate(served_at=Subquery(served.annotate(newest=Max("finished_at")).values("newest")))
        .order_by(F("served_at").asc(nulls_first=True), "pk")
        .values_list("pk", flat=True)
        .first()
    )
