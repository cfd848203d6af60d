"""The predictions of a campaign as a table."""

from collections.abc import Iterator

from annotation.exchange.records import PredictionRecord
from annotation.models import Campaign
from inference.distortion.combine import ALGORITHM_VERSION
from inference.gallery.query import DISTORTIONS
from inference.models import Distortion, Prediction

_ROWS = 2000  # rows per read


def prediction_records(campaign: Campaign, version: int | None = None) -> Iterator[PredictionRecord]:
    """Yield the predictions of one model version (its number), or of all, by photo and version (two queries).

    Withdrawn photos are left out.
    """
    rows = Prediction.objects.filter(image__campaign=campaign, image__withdrawn_at=None).with_quality_class()
    if version is not None:
        rows = rows.filter(model_version__number=version)
    done = Distortion.objects.filter(image__campaign=campaign, version=ALGORITHM_VERSION, state="done")
    severities = {row[0]: row[1:] for row in done.values_list("image", *DISTORTIONS)}
    unknown = (None,) * len(DISTORTIONS)
    fields = ["quality_mean", "quality_std", "distribution", "quality_class", "watch_probability", "created_at"]
    columns = ["image", "image__name", "image__sha256", "image__split", "model_version__number", *fields]
    for image, name, sha256, split, number, mean, std, distribution, quality_class, watch, at in (
        rows.order_by("image", "model_version__number").values_list(*columns).iterator(chunk_size=_ROWS)
    ):
        blur, noise, exposure, compression = severities.get(image, unknown)
        yield PredictionRecord(
            image=name,
            sha256=sha256,
            split=split,
            model_version=number,
            quality_mean=mean,
            quality_std=std,
            distribution=tuple(distribution),
            quality_class=quality_class,
            watch_probability=watch,
            watch=watch > campaign.watch_threshold,
            blur=blur,
            noise=noise,
            exposure=exposure,
            compression=compression,
            predicted_at=at,
        )
