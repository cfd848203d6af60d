"""The section about all photos of the campaign, estimated from its audit photos."""

from collections.abc import Collection
from math import ceil, floor, isfinite, isnan
from typing import Any

from django.utils.translation import gettext

from annotation.drawing.intervals import two_intervals
from annotation.measures.intervals import Interval
from annotation.measures.pool_mean import FEWEST_GROUPS
from annotation.measures.signs import minus
from annotation.models import Campaign
from inference.models import ModelVersion
from training.evaluation.calibration import titles
from training.evaluation.calibration.filters import Filters
from training.evaluation.calibration.report import CalibrationFigures
from training.evaluation.pool_estimates import LABELS, SCORE, PoolEstimate, PoolFigures
from training.views.calibration import weighted

# Narrower by less than this is said to be the same width.
_SAME_WIDTH = 0.02


def section(
    campaign: Campaign,
    version: ModelVersion,
    figures: CalibrationFigures,
    *,
    hidden: Collection[int],
    filters: Filters,
) -> dict[str, Any]:
    """Return the context of the section. Its figures are means over many photos, so no hidden prediction shows."""
    pool = figures.pool
    if pool is None:
        return {}
    top = _top_share(pool)
    rows = [_row(one, _axis(one, campaign, top)) for one in pool.estimates]
    shares = [row for row in rows if not (row["is_score"] or row["missing"])]
    for row in shares[:-1]:
        row["axis"] = []  # the shares have one axis in common: its ends stand below the last
    return {
        "pool": pool,
        "pool_title": _title(pool),
        "pool_rows": rows,
        "pool_accuracy": _accuracy(pool),
        "pool_has_figures": pool.is_known,
        "pool_needed": FEWEST_GROUPS,
        **weighted.context(pool),
    }


def _title(pool: PoolFigures) -> str:
    """Return the mean score and the largest findings about the campaign, as a sentence."""
    known = {one.name: one.found.powered for one in pool.estimates if one.found is not None}
    parts = []
    if SCORE in known:
        parts.append(gettext("Photos would get %(score)s on average") % {"score": titles.interval_text(known[SCORE])})
    if "accepted" in known:
        parts.append(gettext("%(share)s would be accepted") % {"share": titles.percent_text(known["accepted"])})
    return "; ".join(parts)


def _row(one: PoolEstimate, axis: tuple[float, float]) -> dict[str, Any]:
    row: dict[str, Any] = {"label": gettext(LABELS[one.name]), "is_score": one.name == SCORE}
    if one.found is None:
        return row | {"missing": _missing(one)}
    powered, classical = one.found.powered, one.found.classical
    return row | {
        "missing": "",
        "drawing": two_intervals(people=_three(classical), model=_three(powered), axis=axis),
        "axis": [_end(end, is_score=row["is_score"]) for end in axis],
        "powered": weighted.interval_text(powered, is_score=row["is_score"]),
        "classical": weighted.interval_text(classical, is_score=row["is_score"]),
        "narrower": _narrower(one.found.width_ratio),
        "n": powered.n,
        "groups": powered.groups,
        "weight": minus(f"{one.found.weight:.2f}"),
        "correlation": "–" if isnan(one.found.correlation) else minus(f"{one.found.correlation:.2f}"),
    }


def _missing(one: PoolEstimate) -> str:
    numbers = {"have": one.have, "needed": one.needed}
    if one.is_of_side:
        return gettext("cannot tell yet: %(have)s of %(needed)s audit photos on its smaller side") % numbers
    return gettext("cannot tell yet: %(have)s of %(needed)s audit photos") % numbers


def _narrower(ratio: float) -> str:
    """Return how the width of an interval compares with the one from votes alone."""
    if isnan(ratio) or abs(ratio - 1) < _SAME_WIDTH:
        return gettext("as wide")
    percent = f"{100 * abs(1 - ratio):.0f} %"
    return (
        gettext("%(percent)s narrower") % {"percent": percent}
        if ratio < 1
        else (gettext("%(percent)s wider") % {"percent": percent})
    )


def _accuracy(pool: PoolFigures) -> list[tuple[str, str, int]]:
    """Return (name, figure with interval or what is missing, audit photos) of each figure about the version."""
    found = [
        (gettext("Mean absolute error, in points"), titles.interval_text(pool.mean_error), pool.mean_error),
        (gettext("Right watch decisions"), titles.percent_text(pool.watch_accuracy), pool.watch_accuracy),
        (gettext("F1 of the watch decisions"), titles.interval_text(pool.watch_f1), pool.watch_f1),
    ]
    return [(name, gettext("cannot tell yet") if isnan(one.value) else text, one.n) for name, text, one in found]


def _axis(one: PoolEstimate, campaign: Campaign, top: float) -> tuple[float, float]:
    """Return the ends of the axis: of a share 0 and `top`, of the score whole points around the intervals."""
    if one.name != SCORE or one.found is None:
        return 0.0, top
    spans = [found for found in (one.found.powered, one.found.classical) if isfinite(found.low + found.high)]
    low = min((found.low for found in spans), default=float(campaign.scale_min))
    high = max((found.high for found in spans), default=float(campaign.scale_max))
    return float(floor(low)), float(max(ceil(high), floor(low) + 1))


def _top_share(pool: PoolFigures) -> float:
    """Return the end of the axis that all shares have in common, in steps of a tenth."""
    known = [one.found for one in pool.estimates if one.found is not None and one.name != SCORE]
    highest = max((max(found.powered.high, found.classical.high) for found in known), default=1.0)
    return min(ceil(highest * 10 + 1e-9) / 10, 1.0)


def _end(value: float, *, is_score: bool) -> str:
    return f"{value:.0f}" if is_score else f"{100 * value:.0f} %"


def _three(found: Interval) -> tuple[float, float, float]:
    return found.value, found.low, found.high
