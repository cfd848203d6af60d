"""A template tag that draws the votes' histogram and the model's quality distribution."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.utils.translation import gettext, ngettext

from annotation.drawing.axis import Tick, axis_end
from annotation.drawing.columns import Mark, Series, columns
from annotation.drawing.svg import Svg

register = template.Library()


@register.inclusion_tag("inference/_histogram.html")
def histogram(
    lowest: int,
    counts: Sequence[int] | None = None,
    distribution: Sequence[float] | None = None,
    people: Mapping[str, Any] | None = None,
    model_mean: float | str | None = None,
    is_hidden: bool | str = False,
) -> dict[str, Any]:
    """Draw both on one scale: votes as filled columns, the model's distribution as outlined ones.

    `counts` [K]: votes per score, for one image or summed over images. `distribution` [K]: the model's probabilities.
    Each may be missing or empty. `people` may contain `mos`, `low` and `high` for a mark below the columns;
    `model_mean` is the model's mark. `is_hidden`: the prediction is hidden from the reviewer, and not missing.
    """
    # A missing template variable arrives as ''.
    model_mean = None if model_mean in ("", None) else float(model_mean)
    votes = sum(counts or ())
    shares = [count / votes for count in counts] if counts and votes else []
    predicted = list(distribution or ())
    rows = [
        {
            "score": lowest + i,
            "count": counts[i] if shares and counts else None,
            "people": 100 * shares[i] if shares else None,
            "model": 100 * predicted[i] if predicted else None,
        }
        for i in range(max(len(shares), len(predicted)))
    ]
    marks = []
    if people and shares:
        mos, low, high = (people[name] - lowest for name in ("mos", "low", "high"))
        marks.append(Mark("people", mos, low, high))
    if model_mean is not None:
        marks.append(Mark("model", model_mean - lowest))
    return {
        "rows": rows,
        "drawing": _drawing(rows, marks) if rows else "",
        "votes": votes,
        "has_people": bool(shares),
        "people": people if shares else None,
        "is_hidden": bool(is_hidden),
        "has_model": bool(predicted),
        "model_mean": model_mean,
    }


def _drawing(rows: Sequence[Mapping[str, Any]], marks: Sequence[Mark]) -> Svg:
    series = [Series(kind, [row[kind] or 0 for row in rows]) for kind in ("people", "model")]
    # The axis ends at twice the uniform share or higher, so that a uniform distribution looks low.
    end = min(axis_end(max(200 / len(rows), *series[0].values, *series[1].values)), 100)
    return columns(
        name=gettext("Votes and quality distribution over the scores; the table below has the numbers"),
        series=series,
        end=end,
        labels=[str(row["score"]) for row in rows],
        ticks=[Tick(end * part, f"{end * part:g} %") for part in (0, 0.5, 1)],
        titles=[_title(row) for row in rows],
        marks=marks,
        axis_label=gettext("opinion score"),
    )


def _title(row: Mapping[str, Any]) -> str:
    values = {"score": row["score"]}
    if row["model"] is not None:
        values |= {"model": f"{row['model']:.0f}"}
    if row["people"] is None:
        if row["model"] is None:
            return gettext("Score %(score)s") % values
        return gettext("Score %(score)s; model %(model)s %%") % values
    values |= {"votes": row["count"], "people": f"{row['people']:.0f}"}
    words = (
        ngettext(
            "Score %(score)s: %(votes)s vote (%(people)s %%)",
            "Score %(score)s: %(votes)s votes (%(people)s %%)",
            row["count"],
        )
        if row["model"] is None
        else ngettext(
            "Score %(score)s: %(votes)s vote (%(people)s %%); model %(model)s %%",
            "Score %(score)s: %(votes)s votes (%(people)s %%); model %(model)s %%",
            row["count"],
        )
    )
    return words % values
