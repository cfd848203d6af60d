"""Celery tasks of the training app. Each takes ids, calls services, and can safely run twice."""

import logging

from celery import shared_task
from django.conf import settings

from annotation.models import Campaign
from annotation.services.turns import Slots
from annotation.tasks import announce
from training.models import TrainingRun
from training.services.backbone_changes import old_features_delete, runs_request_changed
from training.services.evaluation_requests import champions_request, evaluations_due, evaluations_perform
from training.services.run_turns import run_claim_next, run_next_id
from training.services.runs import run_request, runs_request_due, runs_requeue_stale
from training.services.training_process import run_supervise

logger = logging.getLogger(__name__)
_runs = Slots()

# A message that no worker takes within this time expires; the next sweep sends another.
MESSAGE_SECONDS = 60


@shared_task
def run_execute(run_id: int) -> None:
    """Work on the run whose turn it is, which may be another one than `run_id`, until it ends; then announce the next.

    Do nothing when this worker process works on as many runs as it may: each of them announces the next one.
    """
    with _runs.one(settings.IQS_TRAINING_RUNS_AT_ONCE) as is_free:
        claimed = run_claim_next() if is_free else None
        if claimed is None:
            return
        run_supervise(run_id=claimed[0], attempt=claimed[1])
    following = run_next_id()
    if following is not None:
        announce(run_execute, following, expires=MESSAGE_SECONDS)


@shared_task
def retrain_scheduled(campaign: str) -> None:
    """Request a run of the campaign with this present or old slug; periodic tasks of the admin site call it."""
    run = run_request(campaign=Campaign.objects.get(addresses__slug=campaign), trigger=TrainingRun.Trigger.SCHEDULE)
    announce(run_execute, run.pk, expires=MESSAGE_SECONDS)


@shared_task
def versions_evaluate(campaign_id: int) -> None:
    """Evaluate the campaign's versions if somebody has requested it (`evaluations_request`)."""
    for problem in evaluations_perform(campaign_id=campaign_id):
        logger.warning("%s", problem)


@shared_task
def sweep() -> None:
    """Requeue stale runs, request runs in campaigns with enough new answers or a new backbone, and announce all queued
    runs.

    Also request evaluations of champions whose votes or settings have changed, announce requested evaluations, and
    delete features that nothing needs any more.
    """
    runs_requeue_stale()
    runs_request_due()
    runs_request_changed()
    old_features_delete()
    for run_id in TrainingRun.objects.filter(state=TrainingRun.State.QUEUED).values_list("pk", flat=True):
        announce(run_execute, run_id, expires=MESSAGE_SECONDS)
    champions_request()
    for campaign_id in evaluations_due():
        announce(versions_evaluate, campaign_id, expires=MESSAGE_SECONDS)
