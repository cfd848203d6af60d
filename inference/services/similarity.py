"""Similar photos: 256 bits per photo find a few hundred candidates, which are sorted by their stored features."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import numpy as np
from django.db import connection
from django.db.models import BinaryField, Exists, F, Func, OuterRef
from numpy.typing import NDArray

from annotation.models import LIVE, Image
from inference.models import Feature, Signature
from inference.networks.config import WeightsMissing
from inference.selectors import backbone_key, backbone_of, backbones_needed, champion, features_unpack, is_computed
from inference.serving import runtime

BITS = 256
#: With this many candidates, the twelve nearest were among them on the vectors it was chosen with.
CANDIDATES = 200
_SEED = 20260101
_CHUNK = 1000
_FLOAT16_BYTES = 2

_NEAREST = """
SELECT other.image_id FROM inference_signature other
WHERE other.campaign_id = %(campaign)s AND other.key = %(key)s
ORDER BY bit_count(other.bits # %(bits)s::bit(256)), other.image_id
LIMIT %(limit)s
"""


def signature_key(backbone: str) -> str:
    """Return the key of signatures of the backbone with this name: its key and the seed of the directions."""
    return f"{backbone_key(backbone)}/{_SEED}"


def signatures_refresh(*, seconds: float, stop: Callable[[], bool] = lambda: False) -> int:
    """Compute missing signatures until none is missing or the time is over; return how many.

    May run twice, also at the same time. A backbone whose weights are missing is left out.
    """
    until, made = time.monotonic() + seconds, 0
    for name, campaigns in backbones_needed().items():
        with suppress(WeightsMissing):  # pages say so
            made += _signatures_of(name, campaigns, until, stop)
    return made


def _signatures_of(backbone: str, campaigns: set[int], until: float, stop: Callable[[], bool]) -> int:
    key = signature_key(backbone)
    missing = Feature.objects.filter(
        backbone=backbone_key(backbone), state=Feature.State.DONE, image__campaign__in=campaigns
    ).exclude(Exists(Signature.objects.filter(image=OuterRef("image"), key=key)))
    rows = missing.annotate(pooled=pooled_part(backbone), campaign=F("image__campaign")).order_by("image_id")
    made, last = 0, 0
    while time.monotonic() < until and not stop():
        chunk = list(rows.filter(image__gt=last).values_list("image_id", "campaign", "pooled")[:_CHUNK])
        if not chunk:
            break
        bits = signature_bits(features_unpack([pooled for _, _, pooled in chunk]))
        Signature.objects.bulk_create(
            [
                Signature(image_id=image_id, campaign_id=campaign_id, key=key, bits=row)
                for (image_id, campaign_id, _), row in zip(chunk, bits, strict=True)
            ],
            ignore_conflicts=True,
        )
        made, last = made + len(chunk), chunk[-1][0]
    return made


def signature_bits(pooled: NDArray[np.float32]) -> list[str]:
    """Return 256 signs of each row of [N, P] as a string of '0' and '1'.

    Charikar, 'Similarity estimation techniques from rounding algorithms', STOC 2002: the share of
    differing signs under random directions grows with the angle between two vectors.
    """
    signs = pooled @ _directions(pooled.shape[1]) > 0
    return ["".join(row) for row in np.where(signs, "1", "0")]


@cache
def _directions(size: int) -> NDArray[np.float32]:
    """Return the directions float32 [size, 256], the same on every machine.

    Each is +1 on one half of the features and -1 on the other. Pooled activations are never negative, so without this
    balance most signs would be the same for every photo.
    """
    # numpy guarantees that the raw stream stays the same in all its versions.
    raw = np.random.PCG64(_SEED).random_raw(size * BITS).reshape(size, BITS)
    ranks = raw.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    return np.where(ranks < size // 2, 1, -1).astype(np.float32)


def pooled_part(backbone: str) -> Func:
    """Return an expression for the pooled last layer of a stored vector, so that the database sends only this part."""
    config = runtime.backbone_chosen(backbone)
    start, size = config.pooled_start * _FLOAT16_BYTES, config.pooled_size * _FLOAT16_BYTES
    return Func(F("vector"), start + 1, size, function="substring", output_field=BinaryField())


def _signature(image: Image) -> tuple[str, str] | None:
    """Return the name of the backbone and the bits of the photo's signature, or None if it has none yet."""
    own = image.campaign.backbone
    if bits := _bits(image, own):
        return own, bits
    version = champion(image.campaign)
    if version is None or backbone_of(version.backbone) == own or not is_computed(version.backbone):
        return None
    bits = _bits(image, backbone_of(version.backbone))
    return (backbone_of(version.backbone), bits) if bits else None


def _bits(image: Image, backbone: str) -> str | None:
    """Return the bits of the photo's signature from this backbone, or None (one query)."""
    key = signature_key(backbone)
    bits: str | None = Signature.objects.filter(image=image, key=key).values_list("bits", flat=True).first()
    return bits


def images_similar(image: Image, *, limit: int = 12) -> list[tuple[Image, float]] | None:
    """Return the photos of the campaign that look most like this one, with the cosine of their features.

    Near-duplicates of its group are left out. None while the photo has no signature yet. After the campaign's backbone
    was changed, the champion's features are used until the new ones are there.
    """
    found = _signature(image)
    if found is None:
        return None
    backbone, bits = found
    key = signature_key(backbone)
    twins = set(Image.objects.filter(campaign=image.campaign_id, group=image.group).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        # Not pgvector: the embedded server has it, but not every other one.
        cursor.execute(
            _NEAREST,
            {"campaign": image.campaign_id, "key": key, "bits": bits, "limit": CANDIDATES + min(len(twins), 1000)},
        )
        candidates = [row[0] for row in cursor.fetchall() if row[0] not in twins]
    features = Feature.objects.filter(
        image__in=[image.pk, *candidates], backbone=backbone_key(backbone), state=Feature.State.DONE
    )
    vectors = dict(features.annotate(pooled=pooled_part(backbone)).values_list("image_id", "pooled"))
    own = vectors.pop(image.pk, None)
    if own is None or not vectors:
        return []
    matrix = features_unpack([own, *vectors.values()])
    norms = np.linalg.norm(matrix, axis=1)
    cosines = matrix[1:] @ matrix[0] / np.maximum(norms[1:] * norms[0], np.finfo(np.float32).tiny)
    nearest = sorted(zip(vectors, cosines.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))[:limit]
    images = Image.objects.filter(LIVE).in_bulk([pk for pk, _ in nearest])
    return [(images[pk], cosine) for pk, cosine in nearest if pk in images]
