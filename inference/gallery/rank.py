"""How a photo's predicted quality compares with that of the other predicted photos of the version."""

from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Q

from inference.models import Prediction, QualityClass

#: With more predictions, the percentages are estimates from a sample of them.
EXACT = 50_000
# Predictions of all versions in a sample, and the smallest part of the table that is read.
_SAMPLED, _LEAST_PERCENT = 40_000, 1.0

# The condition of each count; the numbers are parameters.
_SAMPLE = """
SELECT count(*) FILTER (WHERE quality_mean < %(mean)s), count(*) FILTER (WHERE quality_mean = %(mean)s),
  count(*) FILTER (WHERE quality_mean > %(above)s AND quality_mean <= %(up_to)s), count(*)
FROM inference_prediction TABLESAMPLE SYSTEM (%(percent)s) REPEATABLE (1) WHERE model_version_id = %(version)s
"""
_TABLE_ROWS = "SELECT reltuples FROM pg_class WHERE oid = 'inference_prediction'::regclass"


@dataclass(frozen=True)
class Rank:
    """The place of one photo among the predicted ones."""

    lower: float
    """Percent of them that score lower; ties count half."""
    same: float
    """Percent of them that have its quality class."""
    count: int
    """Predicted photos; rounded for an estimate."""
    sampled: int = 0
    """Photos of the sample from which all three are estimated; 0: they are exact."""


def rank_of(prediction: Prediction, limits: tuple[float, float]) -> Rank | None:
    """Return the rank of a prediction with its `quality_class`; None for a single photo (two queries, or three).

    limits: the class limits on predicted means. A count of a million predictions takes half a second, so a version with
    more than `EXACT` is sampled: whole pages of the table, the same ones each time.
    """
    mean, (reject_at, pending_at) = prediction.quality_mean, limits
    infinity = float("inf")
    above, up_to = {
        QualityClass.REJECTED.value: (-infinity, reject_at),
        QualityClass.PENDING.value: (reject_at, pending_at),
        QualityClass.ACCEPTED.value: (pending_at, infinity),
    }[prediction.quality_class]  # type: ignore[attr-defined]  # annotated
    rows = Prediction.objects.filter(model_version=prediction.model_version_id).order_by()
    if rows.values("pk")[EXACT : EXACT + 1].exists():
        return _estimated(prediction, mean=mean, above=above, up_to=up_to)
    found = rows.aggregate(
        lower=Count("pk", filter=Q(quality_mean__lt=mean)),
        tied=Count("pk", filter=Q(quality_mean=mean)),
        same=Count("pk", filter=Q(quality_mean__gt=above, quality_mean__lte=up_to)),
        total=Count("pk"),
    )
    return _rank(found["lower"], found["tied"], found["same"], found["total"])


def _estimated(prediction: Prediction, *, mean: float, above: float, up_to: float) -> Rank | None:
    with connection.cursor() as cursor:
        cursor.execute(_TABLE_ROWS)
        every = max(float(cursor.fetchone()[0]), 1.0)
        percent = min(100.0, max(_LEAST_PERCENT, 100 * _SAMPLED / every))
        values = {"mean": mean, "above": above, "up_to": up_to, "version": prediction.model_version_id}
        cursor.execute(_SAMPLE, values | {"percent": percent})
        lower, tied, same, total = cursor.fetchone()
    if percent == 100.0:
        return _rank(lower, tied, same, total)
    rank = _rank(lower, tied, same, total)
    return rank and Rank(rank.lower, rank.same, _two_digits(100 * total / percent), sampled=total)


def _rank(lower: int, tied: int, same: int, total: int) -> Rank | None:
    return None if total < 2 else Rank(100 * (lower + tied / 2) / total, 100 * same / total, total)


def _two_digits(number: float) -> int:
    """Round to two significant digits."""
    return int(float(f"{number:.1e}"))
