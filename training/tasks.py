"""Celery tasks of the training app. Each takes ids, calls services, and can safely run twice."""

import logging
from functools import partial

from celery import shared_task
from django.conf import settings

from annotation.models import Campaign
from annotation.services.figures_rows import claimed_row_make
from annotation.services.turns import Slots
from annotation.tasks import announce
from inference.services.near_duplicates import campaigns_to_compare, near_duplicates_join
from inference.tasks import priorities_run
from training.models import TrainingRun, VersionComparison, VersionExport
from training.selectors.runs import learned_photos
from training.services import counts  # noqa: F401  # workers make these counts
from training.services.backbone_changes import old_features_delete, runs_request_changed
from training.services.curve_process import curve_supervise
from training.services.drift import campaigns_to_check, drift_check
from training.services.drift_runs import runs_request_drifted
from training.services.evaluation_requests import champions_request, evaluations_due, evaluations_perform
from training.services.learning_curves import curve_claim, curves_queued, curves_requeue_stale
from training.services.model_decisions import decisions_due, decisions_update
from training.services.run_turns import run_claim_next, run_next_id
from training.services.runs import run_request, runs_request_due, runs_requeue_stale
from training.services.stored_calibrations import CLAIMS as CALIBRATIONS
from training.services.stored_calibrations import calibrations_old_delete, claimed_calibration_make
from training.services.stored_choices import CHOICE
from training.services.stored_choices import CLAIMS as CHOICES
from training.services.stored_trends import CLAIMS as TRENDS
from training.services.stored_trends import TREND
from training.services.training_process import run_supervise
from training.services.version_comparisons import version_comparison_perform
from training.services.version_exports import version_export_perform
from training.services.version_work import work_due

logger = logging.getLogger(__name__)
_runs = Slots()

# A message that no worker takes within this time expires; the next sweep sends another.
MESSAGE_SECONDS = 60
# A comparison of photos ends after this time, so that other tasks get their turn.
_COMPARISON_SECONDS = 60


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
def learning_curve_measure(curve_id: int) -> None:
    """Measure a queued learning curve. Do nothing when this worker process works on as many runs as it may."""
    with _runs.one(settings.IQS_TRAINING_RUNS_AT_ONCE) as is_free:
        attempt = curve_claim(curve_id=curve_id) if is_free else None
        if attempt is not None:
            curve_supervise(curve_id=curve_id, attempt=attempt)


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
def version_export_run(export_id: int) -> None:
    """Make a requested export of a model version."""
    version_export_perform(export_id=export_id)


@shared_task
def version_comparison_run(comparison_id: int) -> None:
    """Make a requested comparison of two model versions."""
    version_comparison_perform(comparison_id=comparison_id)


@shared_task
def stored_calibration_make(calibration_id: int) -> bool:
    """Compute figures that a calibration page asked for; return whether this worker did it."""
    row = CALIBRATIONS.claim(calibration_id)
    return row is not None and claimed_calibration_make(row=row)


@shared_task
def stored_trend_make(trend_id: int) -> bool:
    """Compute the chart of the versions over time that a page asked for; return whether this worker did it."""
    row = TRENDS.claim(trend_id)
    return row is not None and claimed_row_make(row, TREND)


@shared_task
def stored_choice_make(choice_id: int) -> bool:
    """Compute the figures that a page Next photos asked for; return whether this worker did it."""
    row = CHOICES.claim(choice_id)
    return row is not None and claimed_row_make(row, CHOICE)


@shared_task
def near_duplicates_run(campaign_id: int) -> int:
    """Compare photos whose features are new, and join groups of near-duplicates; return the number of photos.

    It is here and not in the inference app, because runs tell which photos a version can have learned from.
    """
    campaign = Campaign.objects.get(pk=campaign_id)
    found = near_duplicates_join(
        campaign=campaign, learned_from=partial(learned_photos, campaign), seconds=_COMPARISON_SECONDS
    )
    return found.photos


@shared_task
def drift_run(campaign_id: int) -> None:
    """Compare the photos of this week with those that the champion has learned from."""
    drift_check(campaign=Campaign.objects.get(pk=campaign_id))


@shared_task
def decisions_run(campaign_id: int) -> None:
    """Check and calibrate what the model decides in the campaign."""
    decisions_update(campaign=Campaign.objects.get(pk=campaign_id))
    announce(priorities_run, campaign_id, expires=MESSAGE_SECONDS)  # decided photos leave the queue, others come back


@shared_task
def sweep() -> None:
    """Requeue stale runs, request runs in campaigns with enough new answers, drift or a new backbone, and announce all.

    Do the same with learning curves.

    Also request evaluations of champions whose votes or settings have changed, announce requested evaluations, exports
    and comparisons of versions, figures that a page waits for, campaigns with photos to compare, and those with new
    photos to check for drift, and those where the model decides, and delete features and figures that nothing needs
    any more.
    """
    runs_requeue_stale()
    runs_request_due()
    runs_request_drifted()
    runs_request_changed()
    old_features_delete()
    for run_id in TrainingRun.objects.filter(state=TrainingRun.State.QUEUED).values_list("pk", flat=True):
        announce(run_execute, run_id, expires=MESSAGE_SECONDS)
    curves_requeue_stale()
    for curve_id in curves_queued():
        announce(learning_curve_measure, curve_id, expires=MESSAGE_SECONDS)
    champions_request()
    for campaign_id in evaluations_due():
        announce(versions_evaluate, campaign_id, expires=MESSAGE_SECONDS)
    for export_id in work_due(VersionExport):
        announce(version_export_run, export_id, expires=MESSAGE_SECONDS)
    for comparison_id in work_due(VersionComparison):
        announce(version_comparison_run, comparison_id, expires=MESSAGE_SECONDS)
    calibrations_old_delete()
    for calibration_id in CALIBRATIONS.claimable_ids():
        announce(stored_calibration_make, calibration_id, expires=MESSAGE_SECONDS)
    for trend_id in TRENDS.claimable_ids():
        announce(stored_trend_make, trend_id, expires=MESSAGE_SECONDS)
    for choice_id in CHOICES.claimable_ids():
        announce(stored_choice_make, choice_id, expires=MESSAGE_SECONDS)
    for campaign_id in campaigns_to_check():
        drift_run.apply_async([campaign_id], expires=MESSAGE_SECONDS)
    for campaign_id in decisions_due():
        decisions_run.apply_async([campaign_id], expires=MESSAGE_SECONDS)
    for campaign_id in campaigns_to_compare():
        near_duplicates_run.apply_async([campaign_id], expires=MESSAGE_SECONDS)
