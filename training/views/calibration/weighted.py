"""All answers of the campaign, weighted by how their photos were drawn: a folded part of the section about it."""

from collections.abc import Iterator
from math import inf
from typing import Any

from django.utils.translation import gettext

from annotation.measures.group_shares import percents
from annotation.measures.intervals import Interval
from annotation.measures.signs import ends_shown
from training.evaluation.calibration import titles
from training.evaluation.pool_estimates import LABELS, SCORE, WATCH, PoolFigures
from training.evaluation.weighted_answers import WeightedEstimate


def context(pool: PoolFigures) -> dict[str, Any]:
    """Return the rows, the findings as one line, and the sentences that compare the ways to estimate."""
    rows = [_row(name, one) for name, one in _named(pool)]
    known = [row for row in rows if not row["missing"]]
    return {
        "weighted_rows": rows,
        "weighted_found": "; ".join(f"{row['label']} {row['text']}" for row in known),
        "weighted_narrowest": [
            sentence
            for name, one in _named(pool)
            if one.found is not None and (sentence := _narrowest(name, pool, one.found.mean))
        ],
        "weighted_worth": _worth(pool),
    }


def _named(pool: PoolFigures) -> Iterator[tuple[str, WeightedEstimate]]:
    yield SCORE, pool.weighted.score
    yield WATCH, pool.weighted.watch


def _row(name: str, one: WeightedEstimate) -> dict[str, Any]:
    row: dict[str, Any] = {"label": gettext(LABELS[name]), "missing": ""}
    if one.found is None:
        return row | {"missing": _missing(one)}
    return row | {
        "text": interval_text(one.found.mean, is_score=name == SCORE),
        "photos": one.found.mean.n,
        "draws": one.found.draws,
        "worth": round(one.found.worth),
        "largest": f"{one.found.largest:.1f}",
    }


def _missing(one: WeightedEstimate) -> str:
    numbers = {"have": one.have, "needed": one.needed}
    if one.is_of_side:
        return gettext("cannot tell yet: %(have)s of %(needed)s photos with answers on its smaller side") % numbers
    return gettext("cannot tell yet: %(have)s of %(needed)s photos drawn at random") % numbers


def _narrowest(name: str, pool: PoolFigures, found: Interval) -> str:
    """Return which way has the narrowest interval of a figure; empty where there are not two to compare."""
    audit = next((one.found for one in pool.estimates if one.name == name), None)
    label = gettext(LABELS[name])
    if audit is None:
        return gettext("%(figure)s: only all answers together can tell it.") % {"figure": label}
    ways = {
        gettext("all answers, weighted"): found,
        gettext("votes and predictions"): audit.powered,
        gettext("votes on audit photos alone"): audit.classical,
    }
    return widths_text(label, ways)


def widths_text(figure: str, ways: dict[str, Interval]) -> str:
    """Return how wide the intervals of a figure are beside the narrowest; empty without two that have a width."""
    all_widths = ((one.high - one.low, way) for way, one in ways.items())
    widths = sorted((width, way) for width, way in all_widths if 0 < width < inf)
    if len(widths) < 2:
        return ""
    (best, narrowest), *others = widths
    parts = [
        gettext("%(way)s %(times)s times as wide") % {"way": other, "times": f"{width / best:.1f}"}
        for width, other in others
    ]
    return gettext("%(figure)s: narrowest by %(way)s (%(others)s).") % {
        "figure": figure,
        "way": narrowest,
        "others": ", ".join(parts),
    }


def _worth(pool: PoolFigures) -> str:
    """Return why the weighted interval is wider than its number of photos suggests."""
    found = next((one.found for _, one in _named(pool) if one.found is not None), None)
    if found is None:
        return ""
    if found.mean.n >= pool.photos:
        return gettext(
            "Every photo has answers and counts for itself: the interval is what is left of chance in votes."
        )
    return gettext(
        "The %(photos)s photos with answers are worth %(worth)s of equal weight: a chosen photo counts for itself "
        "alone, and each of the %(draws)s drawn at random also counts for photos that nobody has been asked about, "
        "the heaviest for %(largest)s times the average."
    ) % {
        "photos": f"{found.mean.n:,}",
        "worth": f"{found.worth:,.0f}",
        "draws": f"{found.draws:,}",
        "largest": f"{found.largest:.1f}",
    }


def interval_text(found: Interval, *, is_score: bool) -> str:
    """Return a score or a share in per cent, with its interval."""
    if is_score:
        return titles.interval_text(found)
    value, low, high = percents([found.value, found.low, found.high], digits=1)
    return f"{value} % ({ends_shown(low, high)} %)"
