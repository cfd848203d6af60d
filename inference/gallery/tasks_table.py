"""The photos of a campaign as tasks: with their independent votes and the predictions of model versions."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice

from django.db.models.functions import Coalesce

from annotation.exchange.records import TaskPrediction, TaskRecord, VoteRecord
from annotation.models import LIVE, Campaign, Image
from annotation.selectors.votes import votes_of
from inference.models import ModelVersion, Prediction
from inference.selectors import fits_scale, shown_threshold

_PHOTOS = 500


def task_records(campaign: Campaign, address: Callable[[str], str]) -> Iterator[TaskRecord]:
    """Yield a task for each photo, in their order: one query, and three for 500 photos. Withdrawn photos are left out.

    address: returns where the receiving program finds the photo with this name. Only predictions on the campaign's
    present scale are in the tasks.
    """
    versions = {one.pk: one for one in campaign.model_versions.all() if fits_scale(one, campaign)}
    photos = Image.objects.filter(LIVE, campaign=campaign).order_by("pk").iterator(chunk_size=_PHOTOS)
    while part := list(islice(photos, _PHOTOS)):
        votes, predictions = _votes(campaign, part), _predictions(campaign, versions, part)
        for image in part:
            yield TaskRecord(
                image.name,
                address(image.name),
                image.sha256,
                tuple(votes[image.pk]),
                tuple(predictions[image.pk]),
            )


def _votes(campaign: Campaign, photos: list[Image]) -> dict[int, list[VoteRecord]]:
    rows = votes_of(campaign, independent=True).filter(image__in=photos).order_by("pk")
    columns = ("image", "annotator__username", "image__name", "score", "watch", Coalesce("given_at", "created_at"))
    found: dict[int, list[VoteRecord]] = defaultdict(list)
    for image, *vote in rows.values_list(*columns):
        found[image].append(VoteRecord._make(vote))
    return found


def _predictions(
    campaign: Campaign, versions: dict[int, ModelVersion], photos: list[Image]
) -> dict[int, list[TaskPrediction]]:
    rows = Prediction.objects.filter(image__in=photos, model_version__in=list(versions)).order_by("model_version")
    found: dict[int, list[TaskPrediction]] = defaultdict(list)
    for image, version, mean, watch in rows.values_list("image", "model_version", "quality_mean", "watch_probability"):
        is_watch = watch > shown_threshold(campaign, versions[version])
        found[image].append(TaskPrediction(versions[version].number, mean, watch, is_watch))
    return found
