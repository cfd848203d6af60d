"""The gallery as a table: one record per photo, in the gallery's order."""

from collections.abc import Iterator

from annotation.exchange.records import PhotoRecord
from annotation.models import Campaign
from inference.gallery.places import GalleryPhoto, Hidden, gallery_iterate
from inference.gallery.query import DISTORTIONS, GalleryQuery
from inference.models import ModelVersion
from inference.selectors import shown_threshold


def gallery_records(
    campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden | None = None
) -> Iterator[PhotoRecord]:
    """Yield the photos of the query. Predictions of the `hidden` photos are None.

    `watch` says whether the probability is above the threshold of the version. `mos`, `votes` and `watch_votes` use
    independent votes only.
    """
    return (_record(campaign, version, photo) for photo in gallery_iterate(campaign, version, query, hidden))


def _record(campaign: Campaign, version: ModelVersion | None, photo: GalleryPhoto) -> PhotoRecord:
    image = photo.image
    watch = image.watch_probability
    return PhotoRecord(
        image=image.pk,
        file=image.name,
        sha256=image.sha256,
        split=image.split,
        quality_mean=image.quality_mean,
        quality_std=image.quality_std,
        quality_class=image.quality_class,
        watch_probability=watch,
        watch=None if watch is None else watch > shown_threshold(campaign, version),
        **{name: getattr(image, name) for name in (*DISTORTIONS, "laplacian_variance")},
        distortion_quality=image.distortion_quality,
        distortion_class=image.distortion_class,
        mos=photo.mos,
        votes=photo.votes,
        watch_votes=photo.watch_yes,
        model_version=version.number if version and image.quality_mean is not None else None,
        tags="; ".join(image.tags),
    )
