"""Work that workers do. Every task takes ids, calls one service, and may run twice without harm."""

import threading
from typing import Any

from celery import shared_task, signals
from django.db.models import Exists, OuterRef

from annotation.models import Campaign
from inference.models import Feature, ModelVersion, Prediction
from inference.selectors import backbone_key
from inference.services import features, predictions, versions

# A task hands over after this long, so that a stop of the worker never waits for a whole backlog.
_SECONDS_PER_TASK = 60
_stopping = threading.Event()


@signals.worker_shutting_down.connect
def _stop(**kwargs: Any) -> None:
    """Let the running task end with the batch it is at."""
    _stopping.set()


@shared_task
def features_run() -> int:
    """Work on the backlog of photos without features."""
    finished = features.features_compute(seconds=_SECONDS_PER_TASK, stop=_stopping.is_set)
    if Feature.objects.filter(backbone=backbone_key(), state=Feature.State.QUEUED).exists():
        features_run.delay()
    return finished


@shared_task
def predictions_run(version_id: int) -> int:
    """Predict with one version every photo that has features and no prediction of it."""
    version = ModelVersion.objects.select_related("campaign").get(pk=version_id)
    return predictions.predictions_refresh(version=version)


@shared_task
def prior_install_run(campaign_id: int) -> None:
    """Give a new campaign the shipped prior, and predict what has features already."""
    version = versions.prior_install(campaign=Campaign.objects.get(pk=campaign_id))
    predictions_run.delay(version.pk)


@shared_task
def sweep() -> None:
    """Find work that nobody announced: campaigns without a version, photos without features or predictions."""
    for campaign in Campaign.objects.exclude(Exists(ModelVersion.objects.filter(campaign=OuterRef("pk")))):
        prior_install_run(campaign.pk)
    for version in ModelVersion.objects.filter(is_champion=True).select_related("campaign"):
        if versions.prior_is_outdated(version, version.campaign):
            prior_install_run(version.campaign_id)
    features.features_enqueue()
    backlog = Feature.objects.filter(backbone=backbone_key(), state__in=[Feature.State.QUEUED, Feature.State.RUNNING])
    if backlog.exists():
        features_run.delay()
    unpredicted = Feature.objects.filter(
        image__campaign=OuterRef("campaign"), backbone=OuterRef("backbone"), state=Feature.State.DONE
    ).exclude(Exists(Prediction.objects.filter(image=OuterRef("image"), model_version__is_champion=True)))
    for version in ModelVersion.objects.filter(Exists(unpredicted), is_champion=True):
        predictions_run.delay(version.pk)
