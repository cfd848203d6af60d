"""Charts of the watch probability: reliability diagram, ROC, precision and recall, and what each threshold does."""

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool, Span, Whisker
from numpy.typing import ArrayLike

from training.drawing.bokeh_chart import (
    BLUE,
    MODEL,
    ORANGE,
    PEOPLE,
    SOFT,
    STRONG,
    Chart,
    Floats,
    Ints,
    chart_of,
    legend_below,
    plot_in_style,
)
from training.evaluation.calibration.watch_curves import Curve, Plateau, ThresholdCurve

_UNIT = (-0.02, 1.02)
# Height of two charts beside each other.
_SMALL = 420
# Thresholds are drawn on the scale of log-odds, which is readable near 0 and 1. It ends at this distance from both.
_NEAREST = 0.002
_TICKS = {0.0: "0", 0.01: ".01", 0.05: ".05", 0.2: ".2", 0.5: ".5", 0.8: ".8", 0.95: ".95", 0.99: ".99", 1.0: "1"}

#: The name of the line that static/js/watch_cost.js moves to the cheapest threshold.
COST_LINE = "cost-line"


def log_odds(thresholds: ArrayLike) -> Floats:
    """Return the places of thresholds on the axis: log t/(1 − t), with 0 and 1 at its ends."""
    t = np.clip(np.asarray(thresholds, dtype=np.float64), _NEAREST, 1 - _NEAREST)
    places: Floats = np.log(t / (1 - t))
    return places


def reliability_diagram(
    *,
    predicted: Floats,
    observed: Floats,
    low: Floats,
    high: Floats,
    counts: Ints,
    title: str,
    band: tuple[Floats, Floats] | None = None,
    name: str = "reliability",
) -> Chart:
    """Draw the share of photos that people call a watch against the predicted probability, per bin [B].

    `low` and `high` are the ends of the share's interval [B]; `counts` is the number of photos per bin [B]. `band`: in
    95 % of the cases the share lies between these [B] if every probability is right. It is drawn instead of the
    intervals.
    """
    columns = {"predicted": predicted, "observed": observed, "low": low, "high": high, "counts": counts}
    headings = {"predicted": "predicted", "share_of_watches": "observed", "low": "low", "high": "high"}
    if band is not None:
        columns |= {"band_low": band[0], "band_high": band[1]}
        headings |= {"band_low": "band_low", "band_high": "band_high"}
    source = ColumnDataSource(columns)
    plot = plot_in_style("model: mean watch probability", "people: share of watches", x_range=_UNIT, y_range=_UNIT)
    equal = plot.line([0, 1], [0, 1], line_color=STRONG, line_dash="dashed", line_width=1.5)
    shown = [("predicted", "@predicted{0.000}"), ("people", "@observed{0.00} (@low{0.00}–@high{0.00})")]
    if band is not None:
        area = plot.varea("predicted", "band_low", "band_high", source=source, fill_color=MODEL, fill_alpha=0.15)
        shown.append(("band", "@band_low{0.00}–@band_high{0.00}"))
    else:
        whisker = Whisker(base="predicted", lower="low", upper="high", source=source, level="underlay")
        whisker.update(line_color=PEOPLE, line_width=1.5)
        for head in (whisker.upper_head, whisker.lower_head):
            head.update(line_color=PEOPLE, size=8)
        plot.add_layout(whisker)
    joined = plot.line("predicted", "observed", source=source, line_color=PEOPLE, line_alpha=0.5)
    marks = plot.scatter("predicted", "observed", source=source, size=10, fill_color=PEOPLE, line_color=PEOPLE)
    if band is not None:
        legend_below(
            plot,
            [
                ("photos with similar probabilities", [joined, marks]),
                ("probability and share equal", [equal]),
                ("right probabilities: 95 % of the cases", [area]),
            ],
        )
    plot.add_tools(HoverTool(renderers=[marks], tooltips=[("photos", "@counts"), *shown]))
    label = f"Reliability diagram with {len(counts)} bins. {title}."
    return chart_of(name, title, label, plot, source=source, columns=headings | {"photos": "counts"})


def roc_chart(curve: Curve, *, at: tuple[float, float], threshold: float, title: str) -> Chart:
    """Draw the share of the watches that are found over that of false alarms. `at`: both at the threshold in use."""
    plot = plot_in_style(
        "false alarms: share of the other photos",
        "found: share of the watches",
        x_range=_UNIT,
        y_range=_UNIT,
        height=_SMALL,
    )
    chance = plot.line([0, 1], [0, 1], line_color=STRONG, line_dash="dashed", line_width=1.5)
    return _unit_curve(
        plot,
        curve,
        at=at,
        threshold=threshold,
        name="roc",
        title=title,
        label="ROC curve",
        others=[("chance", [chance])],
        headings=("false_alarms", "found"),
        mode="after",
    )


def precision_recall_chart(
    curve: Curve, *, at: tuple[float, float], threshold: float, base_rate: float, title: str
) -> Chart:
    """Draw precision over recall. `at`: (recall, precision) at the threshold in use; NaN where it is undefined."""
    plot = plot_in_style(
        "recall: share of the watches that are found",
        "precision: watches among those found",
        x_range=_UNIT,
        y_range=_UNIT,
        height=_SMALL,
    )
    chance = plot.line([0, 1], [base_rate] * 2, line_color=STRONG, line_dash="dashed", line_width=1.5)
    return _unit_curve(
        plot,
        curve,
        at=at,
        threshold=threshold,
        name="precision-recall",
        title=title,
        label="Precision over recall",
        others=[("chance: the share of watches", [chance])],
        headings=("recall", "precision"),
        mode="before",
    )


def _unit_curve(
    plot: Any,
    curve: Curve,
    *,
    at: tuple[float, float],
    threshold: float,
    name: str,
    title: str,
    label: str,
    others: list[tuple[str, list[Any]]],
    headings: tuple[str, str],
    mode: str,
) -> Chart:
    source = ColumnDataSource({"x": curve.x, "y": curve.y, "threshold": curve.threshold})
    band = plot.varea(curve.band_at, curve.low, curve.high, fill_color=BLUE, fill_alpha=0.15)
    line = plot.step("x", "y", source=source, mode=mode, line_color=BLUE, line_width=2)
    points = plot.scatter("x", "y", source=source, size=6, color=BLUE, alpha=0)
    explained = [("all thresholds, with their 95 % band", [line, band])]
    if np.isfinite(at).all():
        used = plot.scatter([at[0]], [at[1]], marker="diamond", size=16, fill_color=ORANGE, line_color=ORANGE)
        explained.append((f"threshold in use, {threshold:g}", [used]))
    legend_below(plot, [*explained, *others])
    x, y = headings
    plot.add_tools(
        HoverTool(
            renderers=[points],
            tooltips=[
                ("threshold", "@threshold{0.000}"),
                (x.replace("_", " "), "@x{0.00}"),
                (y.replace("_", " "), "@y{0.00}"),
            ],
        )
    )
    columns = {"threshold": "threshold", x: "x", y: "y"}
    return chart_of(name, title, f"{label}. {title}. A table follows.", plot, source=source, columns=columns)


def threshold_chart(curve: ThresholdCurve, *, plateau: Plateau | None, chosen: float, title: str) -> Chart:
    """Draw F1 with its band, precision and recall over the threshold from 0 to 1, on the scale of log-odds.

    `plateau`: the thresholds that cannot be told apart, as a shaded range; a dashed line marks the `chosen` one. The
    line `COST_LINE` is hidden until watch_cost.js moves it.
    """
    thresholds = np.array([*curve.threshold, 1.0])
    columns = {
        name: np.array([*values, values[-1]], dtype=np.float64)
        for name, values in (
            ("f1", curve.f1),
            ("f1_low", curve.f1_low),
            ("f1_high", curve.f1_high),
            ("precision", curve.precision),
            ("recall", curve.recall),
            ("missed", curve.missed),
            ("false_alarms", curve.false_alarms),
        )
    }
    source = ColumnDataSource(columns | {"threshold": thresholds, "place": log_odds(thresholds)})
    ends = log_odds([0.0, 1.0])
    plot = plot_in_style(
        "threshold (scale of log-odds)",
        "share",
        x_range=(float(ends[0]), float(ends[1])),
        y_range=(0, 1.02),
    )
    ticks = {float(log_odds([value])[0]): text for value, text in _TICKS.items()}
    plot.xaxis.ticker = list(ticks)
    plot.xaxis.major_label_overrides = ticks
    explained: list[tuple[str, list[Any]]] = []
    if plateau is not None:
        left, right = (float(end) for end in log_odds([plateau.low, plateau.high]))
        alike = plot.varea([left, right], 0, 1.02, fill_color=STRONG, fill_alpha=0.2)
        explained.append(("cannot be told apart by F1", [alike]))
    # The steps of the band: each value holds up to the next threshold.
    lows, highs = np.repeat(columns["f1_low"], 2), np.repeat(columns["f1_high"], 2)
    edges = np.repeat(log_odds(thresholds), 2)[1:]
    band = plot.varea(edges, lows[:-1], highs[:-1], fill_color=BLUE, fill_alpha=0.15)
    line = plot.step("place", "f1", source=source, mode="after", line_color=BLUE, line_width=2.5)
    precision = plot.step(
        "place", "precision", source=source, mode="after", line_color=ORANGE, line_width=1.5, line_dash="dashed"
    )
    recall = plot.step(
        "place", "recall", source=source, mode="after", line_color=SOFT, line_width=1.5, line_dash="dotted"
    )
    explained += [("F1, with its 95 % band", [line, band]), ("precision", [precision]), ("recall", [recall])]
    used = float(log_odds([chosen])[0])
    in_use = plot.line([used, used], [0, 1.02], line_color=STRONG, line_width=2, line_dash="dashed")
    explained.append((f"threshold in use, {chosen:g}", [in_use]))
    plot.add_layout(
        Span(name=COST_LINE, location=used, dimension="height", line_color=MODEL, line_width=2, visible=False)
    )
    points = plot.scatter("place", "f1", source=source, size=6, color=BLUE, alpha=0)
    legend_below(plot, explained)
    plot.add_tools(
        HoverTool(
            renderers=[points],
            mode="vline",
            tooltips=[
                ("threshold", "@threshold{0.000}"),
                ("F1", "@f1{0.00} (@f1_low{0.00}–@f1_high{0.00})"),
                ("precision", "@precision{0.00}"),
                ("recall", "@recall{0.00}"),
                ("missed watches", "@missed"),
                ("false alarms", "@false_alarms"),
            ],
        )
    )
    label = f"F1, precision and recall over {len(curve.threshold)} thresholds from 0 to 1. {title}. A table follows."
    headings = ("threshold", "f1", "f1_low", "f1_high", "precision", "recall", "missed", "false_alarms")
    return chart_of("thresholds", title, label, plot, source=source, columns={one: one for one in headings})
