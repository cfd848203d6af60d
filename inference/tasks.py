"""Work that workers do. Every task takes ids, calls one service, and may run twice without harm."""

import logging
import threading
from typing import Any

from celery import shared_task, signals
from django.db.models import Exists, OuterRef

from annotation.models import Campaign
from inference.models import Feature, ModelVersion, Prediction
from inference.selectors import backbone_key
from inference.services import features, predictions, versions

logger = logging.getLogger(__name__)
# A task hands over after this long, so that other tasks get their turn.
_SECONDS_PER_TASK = 60
# A message that found no free worker for so long is dropped, since each sweep sends another. So a busy
# worker's queue stays short, while an idle worker joins in.
_MESSAGE_SECONDS = 30
_stopping = threading.Event()


@signals.worker_shutting_down.connect
def _stop(**kwargs: Any) -> None:
    """Let the running task end with the batch it is at."""
    _stopping.set()


@shared_task
def features_run() -> int:
    """Work on the backlog of photos without features; return how many were finished."""
    finished = features.features_compute(seconds=_SECONDS_PER_TASK, stop=_stopping.is_set)
    if Feature.objects.filter(backbone=backbone_key(), state=Feature.State.QUEUED).exists():
        features_run.apply_async(expires=_MESSAGE_SECONDS)
    return finished


@shared_task
def predictions_run(version_id: int) -> int:
    """Predict with one version every photo that has features and no prediction of it."""
    version = ModelVersion.objects.select_related("campaign").get(pk=version_id)
    return predictions.predictions_refresh(version=version)


@shared_task
def sweep() -> None:
    """Find work that nobody announced: campaigns without a version, photos without features or predictions."""
    without = Campaign.objects.exclude(Exists(ModelVersion.objects.filter(campaign=OuterRef("pk"))))
    champions = ModelVersion.objects.filter(is_champion=True).select_related("campaign")
    outdated = [version.campaign for version in champions if versions.prior_is_outdated(version, version.campaign)]
    for campaign in (*without, *outdated):
        try:
            versions.prior_install(campaign=campaign)
        except Exception:  # photos still get their features, and other campaigns their prior
            logger.exception("campaign %s got no model", campaign.slug)
    features.features_enqueue()
    backlog = Feature.objects.filter(backbone=backbone_key(), state__in=[Feature.State.QUEUED, Feature.State.RUNNING])
    if backlog.exists():
        features_run.apply_async(expires=_MESSAGE_SECONDS)
    unpredicted = Feature.objects.filter(
        image__campaign=OuterRef("campaign"), backbone=OuterRef("backbone"), state=Feature.State.DONE
    ).exclude(Exists(Prediction.objects.filter(image=OuterRef("image"), model_version=OuterRef(OuterRef("pk")))))
    for version in ModelVersion.objects.filter(Exists(unpredicted), is_champion=True):
        predictions_run.apply_async([version.pk], expires=_MESSAGE_SECONDS)
