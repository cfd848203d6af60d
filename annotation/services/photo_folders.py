"""Folders of photos for programs that learn from them: with a table of what people say, or one folder a class.

Hugging Face datasets take the types of the table's columns from its values, and refuse folders whose splits differ. So
photos without votes are left out, and a column never is empty in one split and has values in the other.

Both have a folder `train` and, for the holdout, `test`. Photos are written as they are sent to browsers: the original
bytes, without metadata if the campaign says so.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext

from annotation.models import HAS_ORIGINAL, Campaign, Image, PhotoConsensus
from annotation.photos.metadata.removal import MetadataStays, metadata_remove
from annotation.photos.storage import photo_file_open
from annotation.selectors.votes import votes_of

LAYOUTS = ("image-folder", "classes")
LABELS = ("quality", "watch")
METADATA = "metadata.jsonl"
_SPLITS = {Image.Split.TRAIN.value: "train", Image.Split.HOLDOUT.value: "test"}
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_ROWS = 500


class FolderRefused(Exception):
    """The folder cannot be written. The message says why."""


@dataclass
class Exported:
    """What was written."""

    photos: int = 0
    without_label: int = 0
    """Photos that have no class or, in an image folder, no votes. They are left out."""
    failed: list[tuple[str, str]] = field(default_factory=list)
    """(name, why) of photos whose file could not be written."""


def photos_export(
    *,
    campaign: Campaign,
    folder: Path,
    layout: str,
    labels: str = "quality",
    limits: tuple[float, float] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Exported:
    """Write the rated photos of a campaign that belong to a split into an empty or new folder.

    layout: "image-folder" writes `metadata.jsonl` beside the photos; "classes" one folder a class: of the quality, by
    the corrected MOS and `limits` (rejected and pending up to; None: those of the campaign), or of the watch label, by
    the majority. Raises FolderRefused, and OSError when nothing can be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderRefused(gettext("%(folder)s exists already and is not an empty folder.") % {"folder": folder})
    reject_at, pending_at = limits or (campaign.reject_at, campaign.pending_at)
    if not reject_at <= pending_at:  # also for NaN
        raise FolderRefused(gettext("The limits must be two numbers, and the first cannot be above the second."))
    images = campaign.images.filter(HAS_ORIGINAL, role=Image.Role.RATED, split__in=_SPLITS).order_by("pk")
    total, done = images.count(), Exported()
    histograms, has_sos = _histograms(campaign), _has_sos(images)
    for number, image in enumerate(images.select_related("consensus").iterator(chunk_size=_ROWS), start=1):
        consensus: PhotoConsensus | None = getattr(image, "consensus", None)
        place = folder / _SPLITS[image.split]
        label = _label(consensus, labels, reject_at, pending_at)
        if consensus is None or (layout == "classes" and not label):
            done.without_label += 1
        elif layout == "classes":
            _photo_export(image, place / label, campaign, done)
        elif name := _photo_export(image, place, campaign, done):
            quality = _label(consensus, "quality", reject_at, pending_at)
            row = _row(name, image, consensus, quality, histograms.get(image.pk, {}), campaign)
            if not has_sos:
                del row["sos"]
            with (place / METADATA).open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        if progress is not None:
            progress(number, total)
    return done


def _histograms(campaign: Campaign) -> dict[int, dict[int, int]]:
    """Return {image: {score: independent votes}} (one query)."""
    rows = votes_of(campaign, independent=True).order_by("image").values_list("image", "score").annotate(Count("pk"))
    return {
        image: {score: count for _image, score, count in counts} for image, counts in groupby(rows, key=itemgetter(0))
    }


def _has_sos(images: QuerySet[Image]) -> bool:
    """Return whether each split that has votes has a photo with two of them (one query)."""
    splits = images.filter(consensus__isnull=False).order_by().values_list("split")
    return all(count for _split, count in splits.annotate(Count("consensus__sos")))


def _label(consensus: PhotoConsensus | None, labels: str, reject_at: float, pending_at: float) -> str:
    """Return the class of a photo; "" if people have not said it."""
    if consensus is None:
        return ""
    if labels == "watch":
        against = 2 * consensus.watch_yes - consensus.watch_votes
        return "watch" if against > 0 else "no-watch" if against < 0 else ""
    if consensus.corrected_mos <= reject_at:
        return "rejected"
    return "pending" if consensus.corrected_mos <= pending_at else "accepted"


def exported_name(image: Image) -> str:
    """Return the name of an exported photo, which every system allows and no other photo of the campaign has."""
    stem = _UNSAFE.sub("-", PurePosixPath(image.name).stem).strip("-.")[:60]
    return f"{image.pk}-{stem}{image.suffix}" if stem else f"{image.pk}{image.suffix}"


def _photo_export(image: Image, place: Path, campaign: Campaign, done: Exported) -> str:
    """Write the file of a photo into a folder, and count it. Return its name there; "" if it could not be written."""
    name = exported_name(image)
    place.mkdir(parents=True, exist_ok=True)
    try:
        _photo_write(place / name, image, is_plain=campaign.remove_metadata)
    except (OSError, MetadataStays) as error:
        (place / name).unlink(missing_ok=True)
        done.failed.append((image.name, str(error)))
        return ""
    done.photos += 1
    return name


def _photo_write(path: Path, image: Image, *, is_plain: bool) -> None:
    """Write the file of a photo. Raises OSError and MetadataStays."""
    with photo_file_open(image.photo_name) as source, path.open("wb") as target:
        data = source.read()
        target.writelines(metadata_remove(data, image.suffix) if is_plain else [data])


def _row(
    file_name: str,
    image: Image,
    consensus: PhotoConsensus,
    quality: str,
    counts: dict[int, int],
    campaign: Campaign,
) -> dict[str, Any]:
    return {
        "file_name": file_name,
        "file": image.name,
        "sha256": image.sha256,
        "mos": consensus.mos,
        "sos": consensus.sos,
        "votes": consensus.votes,
        "corrected_mos": consensus.corrected_mos,
        "histogram": [counts.get(score, 0) for score in campaign.scores],
        "watch": _label(consensus, "watch", 0, 0),
        "quality_class": quality,
    }
