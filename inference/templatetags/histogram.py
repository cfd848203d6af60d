"""One drawing of people's score histogram and the model's quality distribution, for every page."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from django import template

register = template.Library()

# Room for at most so many labels below the columns; a scale of 101 scores names every tenth.
LABELS_AT_MOST = 12


@register.inclusion_tag("inference/_histogram.html")
def histogram(
    lowest: int,
    counts: Sequence[int] | None = None,
    distribution: Sequence[float] | None = None,
    people: Mapping[str, Any] | None = None,
    model_mean: float | str | None = None,
) -> dict[str, Any]:
    """Draw both on one scale: people's votes as filled columns, the model's as outlined ones.

    `counts` [K] are votes per score (they may be sums over images), `distribution` [K] the model's
    probabilities; each may be missing or without votes. `people` may bring `mos`, `low` and `high`
    for the mark below the columns, `model_mean` the model's mark.
    """
    # What a template does not have arrives as ''.
    model_mean = None if model_mean in ("", None) else float(model_mean)
    votes = sum(counts or ())
    shares = [count / votes for count in counts] if counts and votes else []
    predicted = list(distribution or ())
    bins = max(len(shares), len(predicted))
    top = _round_up(max([*shares, *predicted], default=1.0))
    every = max(1, math.ceil(bins / LABELS_AT_MOST))
    columns = [
        {
            "score": lowest + i,
            "label": lowest + i if i % every == 0 else "",
            "count": counts[i] if shares and counts else None,
            "people": 100 * shares[i] if shares else None,
            "model": 100 * predicted[i] if predicted else None,
            "people_height": 100 * shares[i] / top if shares else 0,
            "model_height": 100 * predicted[i] / top if predicted else 0,
        }
        for i in range(bins)
    ]

    def place(score: float) -> float:
        return min(max((score - lowest + 0.5) / bins * 100, 0), 100)

    marks: dict[str, float] = {}
    if people and shares:
        marks |= {name: place(people[name]) for name in ("mos", "low", "high")}
        marks["width"] = marks["high"] - marks["low"]
    if model_mean is not None and bins:
        marks["model"] = place(model_mean)
    return {
        "columns": columns,
        "votes": votes,
        "has_people": bool(shares),
        "people": people if shares else None,
        "has_model": bool(predicted),
        "model_mean": model_mean,
        "ticks": [round(100 * top * part) for part in (1, 0.5, 0)],
        "marks": marks,
    }


def _round_up(share: float) -> float:
    """Return the axis' end: the next even tenth, so that its half is a round number too."""
    return min(1.0, max(0.2, math.ceil(share * 5 - 1e-9) / 5))
