"""Celery tasks of the training app. Each takes ids, calls services, and can safely run twice."""

import logging

from celery import shared_task

from annotation.models import Campaign
from annotation.tasks import announce
from training.models import TrainingRun
from training.services.evaluation_requests import evaluations_due, evaluations_perform
from training.services.runs import run_claim, run_request, runs_request_due, runs_requeue_stale
from training.services.training_process import run_supervise

logger = logging.getLogger(__name__)

# A message that no worker takes within this time expires; the next sweep sends another.
MESSAGE_SECONDS = 60


@shared_task
def run_execute(run_id: int) -> None:
    """Work on a queued run until it ends. A second message for the same run does nothing."""
    attempt = run_claim(run_id=run_id)
    if attempt is not None:
        run_supervise(run_id=run_id, attempt=attempt)


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
    """Requeue stale runs, request runs in campaigns with enough new answers, and announce all queued runs.

    Also announce requested evaluations.
    """
    runs_requeue_stale()
    runs_request_due()
    for run_id in TrainingRun.objects.filter(state=TrainingRun.State.QUEUED).values_list("pk", flat=True):
        announce(run_execute, run_id, expires=MESSAGE_SECONDS)
    for campaign_id in evaluations_due():
        announce(versions_evaluate, campaign_id, expires=MESSAGE_SECONDS)
