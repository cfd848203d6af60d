"""Celery tasks. Every task takes ids, calls one service, and may run twice without harm."""

import logging
import threading
import time
from contextlib import suppress
from typing import Any

from celery import shared_task, signals
from django.conf import settings
from django.db.models import Exists, OuterRef

from annotation.models import Campaign
from annotation.tasks import announce
from inference.models import Feature, ModelVersion, Prediction
from inference.networks.config import WeightsMissing
from inference.networks.model_files import ModelFileError
from inference.selectors import backbones_needed, distortions_queue, features_queue
from inference.services import (
    bulk_actions,
    counts,  # noqa: F401  # workers make these counts
    disagreements,
    distortions,
    features,
    personal_lines,
    photo_map,
    predictions,
    queue_priorities,
    scoring_jobs,
    scoring_models,
    scoring_turns,
    similarity,
    versions,
    watch_voter,
)
from inference.services.backlog import work_enqueue
from inference.serving import runtime
from inference.serving.model_check import backbone_problem

logger = logging.getLogger(__name__)
# A task ends after this time, so that other tasks get their turn.
_SECONDS_PER_TASK = 60
# Distortions get this time after each of those tasks while photos wait for features.
_SECONDS_OF_DISTORTIONS = 6
# Messages expire after this time, since each sweep sends new ones. So the message queue of a busy worker stays short.
_MESSAGE_SECONDS = 30
# The sweep computes signatures of new photos for at most this time, which is enough for about ten thousand.
_SIGNATURE_SECONDS = 5
_stopping = threading.Event()


@signals.worker_shutting_down.connect
def _stop(**kwargs: Any) -> None:
    """Let the running task end after its current batch."""
    _stopping.set()


@shared_task
def features_run() -> int:
    """Compute features of queued photos; return how many photos were finished.

    If photos are left, some distortions are measured too. Otherwise those of a finished import would wait until all
    other imports have their features.
    """
    from inference.scoring.predictor import DeviceMissing  # loads ONNX Runtime, which web processes must not

    try:
        finished = features.features_compute(seconds=_SECONDS_PER_TASK, stop=_stopping.is_set)
    except (WeightsMissing, DeviceMissing) as error:
        logger.error("Features cannot be computed: %s", error)
        return 0
    if _features_wait() and distortions_queue().has_queued():
        distortions.distortions_compute(seconds=_SECONDS_OF_DISTORTIONS, stop=_stopping.is_set)
    _features_or_distortions_announce()
    return finished


@shared_task
def distortions_run() -> int:
    """Measure distortions while no photo is queued for features; return how many photos were finished."""
    finished = distortions.distortions_compute(
        seconds=_SECONDS_PER_TASK, stop=lambda: _stopping.is_set() or _features_wait()
    )
    _features_or_distortions_announce()
    return finished


@shared_task
def scoring_job_run(user_id: int, key: str) -> int:
    """Score queued photos of all users in turn, which include those of this job; return how many.

    Users are waiting for the results.
    """
    until = time.monotonic() + _SECONDS_PER_TASK
    scored = scoring_turns.scoring_turns_run(
        scorer=scoring_models.ScoringModel.scorer,
        photos=settings.IQS_THREADS,
        over=lambda: _stopping.is_set() or time.monotonic() >= until,
    )
    if time.monotonic() >= until:  # photos may be left
        announce(scoring_job_run, user_id, key)
    return scored


@shared_task
def predictions_run(version_id: int) -> int:
    """Compute a version's missing predictions from stored features; return how many.

    A version whose file is missing or damaged predicts nothing. Pages show why, and the sweep tries again.
    """
    version = ModelVersion.objects.select_related("campaign").get(pk=version_id)
    try:
        predicted = predictions.predictions_refresh(version=version)
    except ModelFileError as error:
        logger.error("No predictions for campaign %s: %s", version.campaign.slug, error)
        return 0
    if queue_priorities.strategies_of(version.campaign):
        announce(priorities_run, version.campaign_id, expires=_MESSAGE_SECONDS)
    return predicted


@shared_task
def priorities_run(campaign_id: int) -> int:
    """Write the priorities of a campaign's queue lanes; return how many."""
    return queue_priorities.priorities_refresh(campaign=Campaign.objects.get(pk=campaign_id))


@shared_task
def watch_voter_run(campaign_id: int) -> int:
    """Compute a campaign's watch labels with the champion as one more voter; return the number of photos."""
    return watch_voter.watch_voter_refresh(campaign=Campaign.objects.get(pk=campaign_id))


@shared_task
def personal_lines_run(campaign_id: int) -> int:
    """Learn what each annotator of a campaign would answer; return how many annotators have a line."""
    return personal_lines.personal_lines_refresh(campaign=Campaign.objects.get(pk=campaign_id))


@shared_task
def bulk_action_run(action_id: int) -> bool:
    """Do an action on many photos; return whether this worker did it."""
    action = bulk_actions.CLAIMS.claim(action_id)
    return action is not None and bulk_actions.claimed_bulk_run(action=action)


@shared_task
def photo_map_make(map_id: int) -> bool:
    """Make the map of a campaign's photos that a page asked for; return whether this worker did it."""
    row = photo_map.CLAIMS.claim(map_id)
    return row is not None and photo_map.claimed_photo_map_make(row=row)


@shared_task
def sweep() -> None:
    """Find work that no message announced: campaigns without a version, photos without features or predictions,
    queue lanes with stale priorities.
    """
    for name in backbones_needed():
        with suppress(WeightsMissing):  # logged below
            runtime.precision_settle(runtime.backbone_chosen(name))
    for user_id, key in scoring_jobs.scoring_jobs_sweep():
        scoring_job_run.apply_async([user_id, key], expires=_MESSAGE_SECONDS)
    without = Campaign.objects.exclude(Exists(ModelVersion.objects.filter(campaign=OuterRef("pk"))))
    champions = ModelVersion.objects.filter(is_champion=True).select_related("campaign")
    outdated: list[Campaign] = []
    for version in champions:
        with suppress(WeightsMissing):  # logged below
            outdated += [version.campaign] if versions.prior_is_outdated(version, version.campaign) else []
    for campaign in (*without, *outdated):
        try:
            versions.prior_install(campaign=campaign)
        except WeightsMissing as error:
            logger.error("No model was installed for campaign %s: %s", campaign.slug, error)
        except Exception:  # the rest of the sweep goes on
            logger.exception("No model was installed for campaign %s", campaign.slug)
    work_enqueue(queue=distortions_queue())
    for name, campaigns in backbones_needed().items():
        if problem := backbone_problem(name):
            logger.error("Features cannot be computed: %s", problem)
        else:
            work_enqueue(queue=features_queue(name), campaigns=campaigns)
    _features_or_distortions_announce(stale=True)
    unpredicted = Feature.objects.filter(
        image__campaign=OuterRef("campaign"), backbone=OuterRef("backbone"), state=Feature.State.DONE
    ).exclude(Exists(Prediction.objects.filter(image=OuterRef("image"), model_version=OuterRef(OuterRef("pk")))))
    # A version whose file is damaged predicts nothing until the file is repaired; the pages say why.
    current = ModelVersion.objects.filter(is_champion=True).select_related("campaign")
    broken = [version.pk for version in current if not versions.version_is_usable(version=version)]
    for version in ModelVersion.objects.filter(Exists(unpredicted), is_champion=True).exclude(pk__in=broken):
        predictions_run.apply_async([version.pk], expires=_MESSAGE_SECONDS)
    for campaign_id in queue_priorities.campaigns_due():
        priorities_run.apply_async([campaign_id], expires=_MESSAGE_SECONDS)
    for campaign_id in watch_voter.campaigns_due():
        watch_voter_run.apply_async([campaign_id], expires=_MESSAGE_SECONDS)
    for campaign_id in personal_lines.campaigns_due():
        personal_lines_run.apply_async([campaign_id], expires=_MESSAGE_SECONDS)
    for version in champions:
        disagreements.disagreements_verify(version=version)
    for action_id in bulk_actions.CLAIMS.claimable_ids():
        bulk_action_run.apply_async([action_id], expires=_MESSAGE_SECONDS)
    for map_id in photo_map.CLAIMS.claimable_ids():
        photo_map_make.apply_async([map_id], expires=_MESSAGE_SECONDS)
    similarity.signatures_refresh(seconds=_SIGNATURE_SECONDS, stop=_stopping.is_set)


def _features_or_distortions_announce(*, stale: bool = False) -> None:
    """Announce the features task if a photo is queued for features, else the distortions task.

    `stale`: also if photos are claimed, since their claims may be stale.
    """
    if _features_wait(stale=stale):
        features_run.apply_async(expires=_MESSAGE_SECONDS)
    queue = distortions_queue()
    if not _features_wait() and (queue.has_unfinished() if stale else queue.has_queued()):
        distortions_run.apply_async(expires=_MESSAGE_SECONDS)


def _features_wait(*, stale: bool = False) -> bool:
    # Without a backbone's weights, no worker can compute its features.
    queues = [features_queue(name) for name in backbones_needed() if not backbone_problem(name)]
    return any(queue.has_unfinished() if stale else queue.has_queued() for queue in queues)
