"""Bokeh charts of models against people, as data that static/js/charts.js draws.

Views import this module inside functions, because Bokeh takes half a second to import.

Colours are placeholders: the browser replaces them with the colour tokens of the page, and draws again
when the user switches between light and dark. No chart needs `eval`, so the content security policy
can forbid it: hovering and tapping use Bokeh's own tools with plain templates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.embed import json_item
from bokeh.models import ColumnDataSource, HoverTool, OpenURL, Span, TapTool, Whisker
from bokeh.plotting import figure
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Placeholder colour → token of static/css/site.css.
PALETTE = {
    "#fe0001": "--text",
    "#fe0002": "--text-soft",
    "#fe0003": "--line",
    "#fe0004": "--surface",
    "#fe0005": "--people",
    "#fe0006": "--model",
    "#fe0007": "--line-strong",
    "#fe0008": "--accepted",
    "#fe0009": "--no-watch",
}
TEXT, SOFT, LINE, SURFACE, PEOPLE, MODEL, STRONG, BLUE, ORANGE = PALETTE

# A browser draws 2,000 marks without delay. Of more photos, the chart shows a random sample of this size.
POINTS_DRAWN = 2_000

FONT = "system-ui, sans-serif"


@dataclass(frozen=True)
class Chart:
    """One chart for the template `training/_chart.html`."""

    name: str
    """Unique in the page."""
    title: str
    """The finding that the chart shows, as a sentence."""
    label: str
    """Text alternative for people who cannot see the chart."""
    payload: dict[str, Any]
    """Input of charts.js: `item` (Bokeh's JSON) and `palette`."""
    note: str = ""

    @property
    def data_id(self) -> str:
        """Return the id of the script element that holds the payload."""
        return f"{self.name}-data"


def _chart(name: str, title: str, label: str, plot: Any, note: str = "") -> Chart:
    return Chart(name, title, label, {"item": json_item(plot), "palette": PALETTE}, note)


def _figure(x_label: str, y_label: str, **settings: Any) -> Any:
    """Return an empty plot in the site's style: full width, and without tools that would block scrolling."""
    plot = figure(
        sizing_mode="stretch_width",
        height=400,
        toolbar_location=None,
        tools="",
        background_fill_color=SURFACE,
        border_fill_color=SURFACE,
        outline_line_color=None,
        x_axis_label=x_label,
        y_axis_label=y_label,
        **settings,
    )
    for axis in plot.axis:
        axis.update(
            axis_line_color=STRONG,
            major_tick_line_color=STRONG,
            minor_tick_line_color=None,
            major_label_text_color=SOFT,
            axis_label_text_color=TEXT,
            axis_label_text_font_style="normal",
            axis_label_text_font=FONT,
            major_label_text_font=FONT,
            axis_label_text_font_size="13px",
            major_label_text_font_size="12px",
        )
    plot.grid.grid_line_color = LINE
    return plot


def _legend(plot: Any, place: str) -> None:
    plot.legend.update(
        location=place,
        background_fill_color=SURFACE,
        background_fill_alpha=0.85,
        border_line_color=None,
        label_text_color=TEXT,
        label_text_font=FONT,
        label_text_font_size="12px",
    )


def score_scatter(
    *,
    image_ids: Ints,
    names: Sequence[str],
    predicted: Floats,
    mos: Floats,
    votes: Ints,
    scale: tuple[int, int],
    photo_url: str,
    thumbnail_url: str,
    title: str,
    rng: np.random.Generator,
) -> Chart:
    """Draw the predicted mean against the MOS, one mark per photo [N], larger with more votes.

    `photo_url` and `thumbnail_url` contain `@image` in place of the photo's id. Hovering shows the photo, a
    tap opens it. With more than POINTS_DRAWN photos, the chart shows a random sample and its note says so.
    """
    low, high = scale
    shown = np.arange(len(image_ids))
    if len(shown) > POINTS_DRAWN:
        shown = np.sort(rng.choice(shown, POINTS_DRAWN, replace=False))
    note = f"The chart shows a random {len(shown):,} of the {len(image_ids):,} photos; the figures use all of them."
    source = ColumnDataSource(
        {
            "mos": mos[shown],
            "predicted": predicted[shown],
            "votes": votes[shown],
            "size": np.clip(4 + 2 * np.sqrt(votes[shown]), 6, 18),
            # As text, because Bokeh would format numbers with separators and decimals.
            "image": [str(i) for i in image_ids[shown]],
            "name": [names[i] for i in shown.tolist()],
        }
    )
    edge = 0.02 * (high - low)
    plot = _figure(
        "people: mean opinion score (MOS)",
        "model: mean of the predicted distribution",
        x_range=(low - edge, high + edge),
        y_range=(low - edge, high + edge),
    )
    plot.line([low, high], [low, high], line_color=STRONG, line_dash="dashed", line_width=1.5)
    marks = plot.scatter(
        "mos",
        "predicted",
        size="size",
        source=source,
        fill_color=MODEL,
        fill_alpha=0.12,
        line_color=MODEL,
        line_width=1.5,
        line_alpha=0.9,
        nonselection_fill_alpha=0.12,
        nonselection_line_alpha=0.9,
    )
    tooltip = (
        f'<div style="width:180px"><img src="{thumbnail_url}" alt="" width="180" height="135" '
        'style="object-fit:contain;background:#777">'
        "<div>@name</div><div>● MOS @mos{0.00} (n @votes)</div><div>○ model @predicted{0.00}</div></div>"
    )
    plot.add_tools(
        HoverTool(renderers=[marks], tooltips=tooltip, attachment="horizontal"),
        TapTool(renderers=[marks], callback=OpenURL(url=photo_url, same_tab=True)),
    )
    label = f"Scatter plot of {len(image_ids)} photos: MOS (x axis), model's mean (y axis). {title}. A table follows."
    return _chart("scatter", title, label, plot, note if len(shown) < len(image_ids) else "")


def reliability_diagram(
    *, predicted: Floats, observed: Floats, low: Floats, high: Floats, counts: Ints, title: str
) -> Chart:
    """Draw the share of photos that people call a watch against the predicted probability, per bin [B].

    `low` and `high` are the ends of the share's interval [B]; `counts` is the number of photos per bin [B].
    """
    source = ColumnDataSource(
        {"predicted": predicted, "observed": observed, "low": low, "high": high, "counts": counts}
    )
    plot = _figure(
        "model: mean watch probability",
        "people: share of watches",
        x_range=(-0.02, 1.02),
        y_range=(-0.02, 1.02),
    )
    plot.line([0, 1], [0, 1], line_color=STRONG, line_dash="dashed", line_width=1.5)
    whisker = Whisker(
        base="predicted", lower="low", upper="high", source=source, line_color=PEOPLE, line_width=1.5, level="underlay"
    )
    for head in (whisker.upper_head, whisker.lower_head):
        head.update(line_color=PEOPLE, size=8)
    plot.add_layout(whisker)
    plot.line("predicted", "observed", source=source, line_color=PEOPLE, line_alpha=0.5)
    marks = plot.scatter("predicted", "observed", source=source, size=10, fill_color=PEOPLE, line_color=PEOPLE)
    plot.add_tools(
        HoverTool(
            renderers=[marks],
            tooltips=[
                ("photos", "@counts"),
                ("predicted", "@predicted{0.000}"),
                ("people", "@observed{0.00} (@low{0.00}–@high{0.00})"),
            ],
        )
    )
    return _chart("reliability", title, f"Reliability diagram with {len(counts)} bins. {title}.", plot)


def threshold_curves(*, thresholds: Floats, f1: Floats, accuracy: Floats, chosen: float, title: str) -> Chart:
    """Draw F1 and accuracy of the watch label over its threshold [T]; a line marks the threshold in use."""
    source = ColumnDataSource({"threshold": thresholds, "f1": f1, "accuracy": accuracy})
    plot = _figure(
        "threshold on the watch probability",
        "against the majority label",
        x_axis_type="log",
        y_range=(0, 1.02),
    )
    plot.xaxis.ticker = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
    plot.xaxis.major_label_overrides = {value: str(value) for value in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)}
    if chosen > 0:
        plot.add_layout(Span(location=chosen, dimension="height", line_color=STRONG, line_dash="dashed"))
    for name, colour, marker, text in (("f1", BLUE, "circle", "F1"), ("accuracy", ORANGE, "square", "accuracy")):
        plot.line("threshold", name, source=source, line_color=colour, line_width=2, legend_label=text)
        plot.scatter("threshold", name, source=source, marker=marker, size=8, legend_label=text,
                     fill_color=SURFACE, line_color=colour, line_width=2)  # fmt: skip
    plot.add_tools(
        HoverTool(
            renderers=[plot.renderers[1]],
            mode="vline",
            tooltips=[("threshold", "@threshold"), ("F1", "@f1{0.000}"), ("accuracy", "@accuracy{0.000}")],
        )
    )
    _legend(plot, "bottom_right")
    return _chart("thresholds", title, f"F1 and accuracy over {len(thresholds)} thresholds. {title}.", plot)
