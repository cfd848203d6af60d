"""Charts of the watch probability: reliability diagram, ROC, precision and recall, and what each threshold does."""

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool, Span, Whisker
from numpy.typing import ArrayLike

from annotation.language import gettext
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
    plot = plot_in_style(
        gettext("model: mean watch probability"), gettext("people: share of watches"), x_range=_UNIT, y_range=_UNIT
    )
    equal = plot.line([0, 1], [0, 1], line_color=STRONG, line_dash="dashed", line_width=1.5)
    shown = [
        (gettext("predicted"), "@predicted{0.000}"),
        (gettext("people"), "@observed{0.00} (@low{0.00}–@high{0.00})"),
    ]
    if band is not None:
        area = plot.varea("predicted", "band_low", "band_high", source=source, fill_color=MODEL, fill_alpha=0.15)
        shown.append((gettext("band"), "@band_low{0.00}–@band_high{0.00}"))
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
                (gettext("photos with similar probabilities"), [joined, marks]),
                (gettext("probability and share equal"), [equal]),
                (gettext("right probabilities: 95 % of the cases"), [area]),
            ],
        )
    plot.add_tools(HoverTool(renderers=[marks], tooltips=[(gettext("photos"), "@counts"), *shown]))
    label = gettext("Reliability diagram with %(bins)s bins. %(title)s.") % {"bins": len(counts), "title": title}
    return chart_of(name, title, label, plot, source=source, columns=headings | {"photos": "counts"})


def roc_chart(curve: Curve, *, at: tuple[float, float], threshold: float, title: str) -> Chart:
    """Draw the share of the watches that are found over that of false alarms. `at`: both at the threshold in use."""
    plot = plot_in_style(
        gettext("false alarms: share of the other photos"),
        gettext("found: share of the watches"),
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
        label=gettext("ROC curve"),
        others=[(gettext("chance"), [chance])],
        headings=("false_alarms", "found"),
        names=(gettext("false alarms"), gettext("found")),
        mode="after",
    )


def precision_recall_chart(
    curve: Curve, *, at: tuple[float, float], threshold: float, base_rate: float, title: str
) -> Chart:
    """Draw precision over recall. `at`: (recall, precision) at the threshold in use; NaN where it is undefined."""
    plot = plot_in_style(
        gettext("recall: share of the watches that are found"),
        gettext("precision: watches among those found"),
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
        label=gettext("Precision over recall"),
        others=[(gettext("chance: the share of watches"), [chance])],
        headings=("recall", "precision"),
        names=(gettext("recall"), gettext("precision")),
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
    names: tuple[str, str],
    mode: str,
) -> Chart:
    """`headings`: of the downloaded table; `names`: the same two in the language of the reader."""
    source = ColumnDataSource({"x": curve.x, "y": curve.y, "threshold": curve.threshold})
    band = plot.varea(curve.band_at, curve.low, curve.high, fill_color=BLUE, fill_alpha=0.15)
    line = plot.step("x", "y", source=source, mode=mode, line_color=BLUE, line_width=2)
    points = plot.scatter("x", "y", source=source, size=6, color=BLUE, alpha=0)
    explained = [(gettext("all thresholds, with their 95 % band"), [line, band])]
    if np.isfinite(at).all():
        used = plot.scatter([at[0]], [at[1]], marker="diamond", size=16, fill_color=ORANGE, line_color=ORANGE)
        explained.append((_in_use(threshold), [used]))
    legend_below(plot, [*explained, *others])
    x, y = headings
    plot.add_tools(
        HoverTool(
            renderers=[points],
            tooltips=[
                (gettext("threshold"), "@threshold{0.000}"),
                (names[0], "@x{0.00}"),
                (names[1], "@y{0.00}"),
            ],
        )
    )
    columns = {"threshold": "threshold", x: "x", y: "y"}
    return chart_of(
        name,
        title,
        gettext("%(label)s. %(title)s. A table follows.") % {"label": label, "title": title},
        plot,
        source=source,
        columns=columns,
    )


def _in_use(threshold: float) -> str:
    return gettext("threshold in use, %(threshold)s") % {"threshold": f"{threshold:g}"}


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
        gettext("threshold (scale of log-odds)"),
        gettext("share"),
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
        explained.append((gettext("cannot be told apart by F1"), [alike]))
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
    explained += [
        (gettext("F1, with its 95 % band"), [line, band]),
        (gettext("precision"), [precision]),
        (gettext("recall"), [recall]),
    ]
    used = float(log_odds([chosen])[0])
    in_use = plot.line([used, used], [0, 1.02], line_color=STRONG, line_width=2, line_dash="dashed")
    explained.append((_in_use(chosen), [in_use]))
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
                (gettext("threshold"), "@threshold{0.000}"),
                ("F1", "@f1{0.00} (@f1_low{0.00}–@f1_high{0.00})"),
                (gettext("precision"), "@precision{0.00}"),
                (gettext("recall"), "@recall{0.00}"),
                (gettext("missed watches"), "@missed"),
                (gettext("false alarms"), "@false_alarms"),
            ],
        )
    )
    label = gettext("F1, precision and recall over %(count)s thresholds from 0 to 1. %(title)s. A table follows.") % {
        "count": len(curve.threshold),
        "title": title,
    }
    headings = ("threshold", "f1", "f1_low", "f1_high", "precision", "recall", "missed", "false_alarms")
    return chart_of("thresholds", title, label, plot, source=source, columns={one: one for one in headings})
