"""What the map of photos shows of each photo, as columns of small numbers, and its clusters as rows."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from annotation.models import LIVE, Campaign, Image, PhotoConsensus
from inference.models import ModelVersion
from inference.postgres.copy import integers_read
from inference.selectors import class_limits

#: The value of a column of 16 bits for a photo without one.
UNKNOWN = 65_535
#: `asked` of a photo: nobody has rated it and others come first, it is one of the next, somebody has rated it.
NOT_YET, ASKED_NEXT, RATED = range(3)
#: Scores and deviations are whole hundredths, plus 100 so that corrected ones below 0 fit.
_HUNDREDTHS, _SHIFT = 100, 100
_EXAMPLES = 4

# -1,000,000 stands for NULL. All columns of COPY are whole numbers.
_VALUES = """
SELECT image.id, image.vote_count::bigint,
  coalesce(round(100 * prediction.quality_mean)::bigint, -1000000),
  coalesce(round(100 * prediction.quality_std)::bigint, -1000000),
  coalesce(round(100 * consensus.mos)::bigint, -1000000)
FROM annotation_image image
LEFT JOIN inference_prediction prediction ON prediction.image_id = image.id AND prediction.model_version_id = %s
LEFT JOIN annotation_photoconsensus consensus ON consensus.image_id = image.id
WHERE image.campaign_id = %s AND image.withdrawn_at IS NULL ORDER BY image.id
"""


class Placed(Protocol):
    """Photos on the map, as columns by ascending image id (`inference.services.photo_map.PlacedPhotos`)."""

    @property
    def image_ids(self) -> NDArray[np.int64]:
        """[N]"""

    @property
    def places(self) -> NDArray[np.uint16]:
        """[N, 2]"""

    @property
    def clusters(self) -> NDArray[np.uint8]:
        """[N]"""


def map_columns(
    campaign: Campaign,
    version: ModelVersion | None,
    placed: Placed,
    hidden: NDArray[np.int64],
    matching: NDArray[np.int64] | None,
    upcoming: NDArray[np.int64],
) -> dict[str, NDArray[Any]]:
    """Return the columns [M] of the photos on the map that are not withdrawn (one query).

    `id` as float64, which JavaScript reads exactly; `x` and `y`; `votes`; `quality`, `deviation` and `mos` in
    hundredths plus 100, `UNKNOWN` for none; `class`: 0 rejected, 1 pending, 2 accepted, 255 unknown; `asked`: `RATED`,
    `ASKED_NEXT` for the `upcoming` photos, else `NOT_YET`; `match`: 1 if the photo is one of `matching`, or if this is
    None. Predictions of the `hidden` photos are unknown.
    """
    values = integers_read(_VALUES, [version.pk if version else 0, campaign.pk], count=5)
    rows = np.searchsorted(values[0], placed.image_ids)
    rows = np.minimum(rows, max(values.shape[1] - 1, 0))
    kept = values[0][rows] == placed.image_ids if values.shape[1] else np.zeros(len(placed.image_ids), bool)
    image_ids, places = placed.image_ids[kept], placed.places[kept]
    votes, mean, deviation, mos = values[1:, rows[kept]]
    is_hidden = np.isin(image_ids, hidden)
    mean, deviation = (np.where(is_hidden, -1_000_000, column) for column in (mean, deviation))
    reject_at, pending_at = (limit * _HUNDREDTHS for limit in class_limits(campaign, version))
    classes = np.where(mean < -_SHIFT, 255, (mean > reject_at).astype(np.int64) + (mean > pending_at))
    return {
        "id": image_ids.astype("<f8"),
        "x": places[:, 0].astype("<u2"),
        "y": places[:, 1].astype("<u2"),
        "votes": np.minimum(votes, UNKNOWN - 1).astype("<u2"),
        "quality": _hundredths(mean),
        "deviation": _hundredths(deviation),
        "mos": _hundredths(mos),
        "class": classes.astype("u1"),
        "asked": np.where(np.isin(image_ids, upcoming), ASKED_NEXT, np.where(votes > 0, RATED, NOT_YET)).astype("u1"),
        "match": (np.isin(image_ids, matching) if matching is not None else np.ones(len(image_ids))).astype("u1"),
    }


def cluster_rows(campaign: Campaign, placed: Placed) -> list[dict[str, Any]]:
    """Return a row per cluster: its number, photos, examples from its middle, mean MOS, rated photos (two queries)."""
    rows = []
    for number in range(int(placed.clusters.max(initial=0)) + 1):
        chosen = placed.clusters == number
        ids, places = placed.image_ids[chosen], placed.places[chosen].astype(np.float64)
        distance = ((places - np.median(places, axis=0)) ** 2).sum(axis=1)
        rows.append({"number": number, "photos": len(ids), "ids": ids[np.argsort(distance)[:_EXAMPLES]].tolist()})
    examples = Image.objects.filter(LIVE, campaign=campaign).in_bulk([pk for row in rows for pk in row["ids"]])
    means = _mean_opinions(campaign, placed)
    return [
        row
        | {
            "examples": [examples[pk] for pk in row["ids"] if pk in examples],
            "share": 100 * row["photos"] / max(len(placed.image_ids), 1),
            "mos": means[row["number"]][0],
            "rated": means[row["number"]][1],
        }
        for row in rows
    ]


def _mean_opinions(campaign: Campaign, placed: Placed) -> dict[int, tuple[float | None, int]]:
    """Return {cluster: (mean MOS, rated photos)} (one query)."""
    found = np.array(
        list(PhotoConsensus.objects.filter(campaign=campaign).values_list("image_id", "mos")), dtype=np.float64
    ).reshape(-1, 2)
    rows = np.minimum(np.searchsorted(placed.image_ids, found[:, 0]), max(len(placed.image_ids) - 1, 0))
    on_map = placed.image_ids[rows] == found[:, 0]
    clusters, mos = placed.clusters[rows[on_map]], found[on_map, 1]
    means: dict[int, tuple[float | None, int]] = {}
    for number in range(int(placed.clusters.max(initial=0)) + 1):
        own = mos[clusters == number]
        means[number] = (float(own.mean()) if len(own) else None, len(own))
    return means


def _hundredths(values: NDArray[np.int64]) -> NDArray[np.uint16]:
    known = np.clip(values + _SHIFT, 0, UNKNOWN - 1)
    return np.where(values < -_SHIFT, UNKNOWN, known).astype("<u2")
