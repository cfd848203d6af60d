"""Refreshing the queue of a large campaign from stored features, against reading the same vectors with NumPy.

The baseline is the least that any order by features must do without a sample: read every vector from a file that the
system has in memory, and multiply it with one vector. The refresh reads the photos, their votes and predictions from
the database, learns from the answers, and writes the priorities of every lane of a new campaign. It is timed twice:
in a worker that knows no features yet, and again after some answers.

`IQS_BENCH_PHOTOS` makes the campaign smaller. A million photos take 6 GB in the folder for temporary files.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from benchmarks._campaign import temporary_campaign
from benchmarks._claims import Claim, Setting
from benchmarks._load_campaign import PHOTO_ROWS
from benchmarks._many_photos import seconds_told
from benchmarks.photo_map import drawn_features

if TYPE_CHECKING:
    from annotation.models import Campaign
    from inference.models import ModelVersion

PHOTOS, DRAWN, ANSWERED, MORE = 1_000_000, 20_000, 400, 20
#: A refresh may take so many times as long as the scan.
RATIO = 3
_CHUNK = 20_000


def measure(setting: Setting) -> Iterator[Claim]:
    """Fill a campaign, time the scan, and time two refreshes."""
    count = 300 if setting.tiny else int(os.environ.get("IQS_BENCH_PHOTOS", PHOTOS))
    with temporary_campaign("priorities") as (folder, campaign):
        from inference.services.queue_priorities import priorities_refresh

        path = folder / "vectors.f2"
        version = _version_make(campaign)
        seconds_told("filling", lambda: _fill(campaign, version, count, path))
        _answers_make(campaign, min(ANSWERED, count // 2))
        scan = min(seconds_told("scan", lambda: _scan(path)) for _ in range(3))
        first = _seconds(lambda: priorities_refresh(campaign=campaign))
        _answers_make(campaign, MORE)
        again = _seconds(lambda: priorities_refresh(campaign=campaign))
        lanes = campaign.queue_lanes.count()
        photos = max(campaign.queue_lanes.values_list("photos", flat=True))
    for key, what, seconds in (
        ("first", "by a worker that knows no features yet", first),
        ("again", "after 20 answers", again),
    ):
        yield Claim(
            claim=f"Priorities of {lanes} lanes for {count:,} photos {what}: {seconds:.1f} s, {photos:,} rows a lane",
            value=max(scan / seconds, 0.01),  # the scan of a tiny campaign takes no time
            unit="times as fast",
            baseline=f"NumPy reads the {count:,} vectors and multiplies each with one: {scan:.1f} s",
            target=0.0 if setting.tiny else round(1 / RATIO, 2),
            key=f"priorities {key}",
        )


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _version_make(campaign: "Campaign") -> "ModelVersion":
    from inference.models import ModelVersion
    from inference.selectors import backbone_key

    return ModelVersion.objects.create(
        campaign=campaign,
        number=1,
        backbone=backbone_key(campaign.backbone),
        folder="none",
        checksum="0" * 64,
        recipe={"bins": 10, "synsets": []},
        is_champion=True,
    )


def _fill(campaign: "Campaign", version: "ModelVersion", count: int, path: Path) -> None:
    """Store photos, their predictions and their vectors, and write the vectors to a file as well."""
    from django.db import connection

    from annotation.photos.decoding_version import DECODING_VERSION
    from inference.postgres.copy import rows_write
    from inference.serving import runtime

    config = runtime.backbone_chosen(campaign.backbone)
    rng = np.random.default_rng(0)
    pooled = drawn_features(min(DRAWN, count), rng).astype("<f2")
    head = bytes(2 * config.pooled_start)
    with connection.cursor() as cursor:
        # Without the checks of foreign keys, which a million single rows would wait for.
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        cursor.execute(PHOTO_ROWS, {"campaign": campaign.pk, "votes": 3, "count": count, "decoding": DECODING_VERSION})
    ids = np.array(campaign.images.order_by("pk").values_list("pk", flat=True), dtype=np.int64)
    connection.ensure_connection()
    statement = (
        "COPY inference_feature (image_id, backbone, state, reason, attempts, turn_campaign, turn_import, vector) "
        "FROM STDIN (FORMAT BINARY)"
    )
    with (
        path.open("wb") as file,
        connection.connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        copy.set_types(["int8", "varchar", "varchar", "text", "int2", "int8", "int8", "bytea"])
        for start in range(0, count, len(pooled)):
            part = pooled[: count - start]
            file.write(part.tobytes())
            for image, row in zip(ids[start : start + len(part)].tolist(), part, strict=True):
                copy.write_row((image, version.backbone, "done", "", 0, 0, 0, head + row.tobytes()))
    bins = np.full((_CHUNK, 10), 0.1)
    for start in range(0, count, _CHUNK):
        some = ids[start : start + _CHUNK]
        rows_write(
            "inference_prediction",
            {
                "image_id": some,
                "model_version_id": np.full(len(some), version.pk),
                "watch_probability": rng.beta(0.3, 2, len(some)),
                "quality_mean": rng.normal(5.5, 1.0, len(some)),
                "quality_std": np.full(len(some), 1.2),
                "synset_probabilities": np.zeros((len(some), 5)),
                "distribution": bins[: len(some)],
                "created_at": np.zeros(len(some), dtype=np.int64),
            },
        )
    with connection.cursor() as cursor:
        cursor.execute("RESET session_replication_role; RESET synchronous_commit")
        cursor.execute("VACUUM ANALYZE")


def _answers_make(campaign: "Campaign", count: int) -> None:
    """Store one more answer for some photos: a watch where the predicted probability is high."""
    from annotation.models import Annotation, User
    from inference.models import Prediction

    user, _ = User.objects.get_or_create(username="bench", password="!")
    waiting = campaign.images.filter(annotations=None, split="train").order_by("queue_position")[:count]
    said = dict(Prediction.objects.filter(image__in=list(waiting)).values_list("image", "watch_probability"))
    Annotation.objects.bulk_create(
        Annotation(
            campaign=campaign,
            image=image,
            annotator=user,
            client_id=uuid4(),
            watch="yes" if said[image.pk] > 0.3 else "no",
            score=1 + image.pk % 10,
            is_blind=True,
        )
        for image in waiting
    )


def _scan(path: Path) -> NDArray[np.float32]:
    """Return one number for each vector of the file."""
    vectors = np.memmap(path, "<f2", "r").reshape(-1, 1280)
    weights = np.random.default_rng(1).normal(size=1280).astype(np.float32)
    return np.concatenate(
        [vectors[start : start + _CHUNK].astype(np.float32) @ weights for start in range(0, len(vectors), _CHUNK)]
    )
