"""What all Bokeh charts of models against people share: the style, the colours, and what charts.js needs.

Views import the modules of charts inside functions, because Bokeh takes half a second to import.

Colours are placeholders: the browser replaces them with the colour tokens of the page, and draws again
when the user switches between light and dark. No chart needs `eval`, so the content security policy
can forbid it: hovering and tapping use Bokeh's own tools with plain templates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.embed import json_item
from bokeh.models import ColumnDataSource, HoverTool, Legend, LegendItem, OpenURL, TapTool
from bokeh.plotting import figure
from numpy.typing import NDArray

from annotation.language import gettext

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

#: Name of the source whose columns are downloaded.
TABLE = "table"

FONT = "system-ui, sans-serif"
_HEIGHT = 400


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
    """Input of charts.js: `item` (Bokeh's JSON), `palette`, and which `columns` of the source are downloaded."""
    note: str = ""

    @property
    def data_id(self) -> str:
        """Return the id of the script element that holds the payload."""
        return f"{self.name}-data"

    @property
    def has_table(self) -> bool:
        """Return whether the numbers of the chart can be downloaded."""
        return "columns" in self.payload


@dataclass(frozen=True)
class PhotoLinks:
    """Addresses of photos, with `@image` in place of the photo's id."""

    photo: str
    thumbnail: str


def chart_of(
    name: str,
    title: str,
    label: str,
    plot: Any,
    note: str = "",
    *,
    source: ColumnDataSource | None = None,
    columns: Mapping[str, str] | None = None,
) -> Chart:
    """Return a chart with everything that charts.js needs.

    `columns` are the headings of the downloaded table and the names of the columns of `source` that it has.
    chart_downloads.js finds the source by its name.
    """
    if source is not None:
        source.name = TABLE
    payload: dict[str, Any] = {"item": json_item(plot), "palette": PALETTE}
    if source is not None and columns:
        payload["columns"] = [[heading, column] for heading, column in columns.items()]
    return Chart(name, title, label, payload, note)


def plot_in_style(x_label: str, y_label: str, *, height: int = _HEIGHT, **settings: Any) -> Any:
    """Return an empty plot in the site's style: full width, and without tools that would block scrolling."""
    plot = figure(
        sizing_mode="stretch_width",
        height=height,
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


def legend_below(plot: Any, items: Sequence[tuple[str, Sequence[Any]]]) -> None:
    """Put a legend under the plot: texts with the renderers that they explain, one below the other.

    It is part of the plot, so that it is in the downloaded picture too.
    """
    legend = Legend(
        items=[LegendItem(label=text, renderers=list(renderers)) for text, renderers in items],
        orientation="vertical",
        location="left",
        background_fill_color=SURFACE,
        background_fill_alpha=0,
        border_line_color=None,
        label_text_color=TEXT,
        label_text_font=FONT,
        label_text_font_size="12px",
        padding=2,
        spacing=0,
        glyph_height=16,
    )
    plot.add_layout(legend, "below")


def add_photo_tools(plot: Any, marks: Any, links: PhotoLinks, lines: Sequence[str]) -> None:
    """Let hovering over a mark show the photo with `lines` of text, and a tap open it.

    The source of the marks has the columns `image` (the id as text) and `name`.
    """
    texts = "".join(f"<div>{line}</div>" for line in ("@name", *lines))
    tooltip = (
        f'<div style="width:180px"><img src="{links.thumbnail}" alt="" width="180" height="135" '
        f'style="object-fit:contain;background:#777">{texts}</div>'
    )
    plot.add_tools(
        HoverTool(renderers=[marks], tooltips=tooltip, attachment="horizontal"),
        TapTool(renderers=[marks], callback=OpenURL(url=links.photo, same_tab=True)),
    )


def sample_note(drawn: int, photos: int) -> str:
    """Return that only a sample is drawn, as a sentence; '' if all photos are."""
    if drawn >= photos:
        return ""
    return gettext("The chart shows a random %(drawn)s of the %(photos)s photos; the figures use all of them.") % {
        "drawn": f"{drawn:,}",
        "photos": f"{photos:,}",
    }
