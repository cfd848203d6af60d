"""The predictions of a campaign as a table."""

from collections.abc import Iterator

from django.db.models import Exists, F, FilteredRelation, OuterRef, Q

from annotation.exchange.records import PredictionRecord
from annotation.models import Campaign
from inference.gallery.places import Hidden
from inference.gallery.query import DISTORTIONS
from inference.models import Distortion, ModelVersion, Prediction
from inference.selectors import distortion_version, fits_scale, shown_threshold

_ROWS = 2000  # rows per read


def prediction_records(
    campaign: Campaign, version: int | None = None, hidden: Hidden | None = None
) -> Iterator[PredictionRecord]:
    """Yield the predictions of one model version (its number), or of all, by photo and version (two queries).

    The predictions come from a server-side cursor. Withdrawn photos are left out, and the `hidden` ones.
    """
    numbers = {} if version is None else {"number": version}
    versions = {one.pk: one for one in ModelVersion.objects.filter(campaign=campaign, **numbers)}
    thresholds = {pk: shown_threshold(campaign, one) for pk, one in versions.items()}
    fitting = {pk for pk, one in versions.items() if fits_scale(one, campaign)}
    measured = Q(image__distortions__version=distortion_version(), image__distortions__state=Distortion.State.DONE)
    rows = (
        Prediction.objects.filter(model_version__in=list(versions), image__withdrawn_at=None)
        .with_quality_class()
        .annotate(measured=FilteredRelation("image__distortions", condition=measured))
        .annotate(**{name: F(f"measured__{name}") for name in DISTORTIONS})
        .order_by("image", "model_version__number")
    )
    if hidden is not None:
        rows = rows.filter(~Exists(hidden.filter(image=OuterRef("image"))))
    fields = ["quality_mean", "quality_std", "distribution", "quality_class", "watch_probability", "created_at"]
    columns = ["model_version", "image__name", "image__sha256", "image__split", *fields, *DISTORTIONS]
    for pk, name, sha256, split, mean, std, distribution, quality_class, watch, at, *severities in rows.values_list(
        *columns
    ).iterator(chunk_size=_ROWS):
        yield PredictionRecord(
            image=name,
            sha256=sha256,
            split=split,
            model_version=versions[pk].number,
            quality_mean=mean,
            quality_std=std,
            lowest_score=versions[pk].recipe.get("scale_min", campaign.scale_min),
            distribution=tuple(distribution),
            quality_class=quality_class if pk in fitting else None,
            watch_probability=watch,
            watch=watch > thresholds[pk],
            **dict(zip(DISTORTIONS, severities, strict=True)),
            predicted_at=at,
        )
