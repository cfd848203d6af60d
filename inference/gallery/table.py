"""The gallery as a table: one CSV line per photo, in the gallery's order."""

import csv
from collections.abc import Iterator
from io import StringIO

from annotation.models import Campaign
from inference.gallery.places import GalleryPhoto, gallery_iterate
from inference.gallery.query import DISTORTIONS, GalleryQuery
from inference.models import ModelVersion

COLUMNS = (
    "image",
    "file",
    "sha256",
    "split",
    "quality_mean",
    "quality_std",
    "quality_class",
    "watch_probability",
    "watch",
    *DISTORTIONS,
    "laplacian_variance",
    "distortion_quality",
    "distortion_class",
    "mos",
    "votes",
    "watch_votes",
    "model_version",
)
_ROWS = 500  # sent at a time
# Spreadsheets take a cell that begins so for a formula, also behind spaces.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


def gallery_lines(campaign: Campaign, version: ModelVersion | None, query: GalleryQuery) -> Iterator[str]:
    """Yield the CSV of the query, header first, some hundred rows at a time.

    `watch` is 1 above the campaign's threshold, else 0; `mos`, `votes` and `watch_votes` count answers
    given without seeing a prediction. What is not known is empty. A name that a spreadsheet would
    take for a formula begins with an apostrophe.
    """
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for number, photo in enumerate(gallery_iterate(campaign, version, query), start=1):
        writer.writerow(_row(campaign, version, photo))
        if number % _ROWS == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _row(campaign: Campaign, version: ModelVersion | None, photo: GalleryPhoto) -> list[object]:
    image = photo.image
    watch = image.watch_probability
    return [
        image.pk,
        _text(image.name),
        image.sha256,
        image.split,
        image.quality_mean,
        image.quality_std,
        image.quality_class,
        watch,
        None if watch is None else int(watch > campaign.watch_threshold),
        *(getattr(image, name) for name in DISTORTIONS),
        image.laplacian_variance,
        image.distortion_quality,
        image.distortion_class,
        photo.mos,
        photo.votes,
        photo.watch_yes,
        version.number if version and image.quality_mean is not None else None,
    ]


def _text(value: str) -> str:
    return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value
