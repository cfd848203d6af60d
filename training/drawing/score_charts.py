"""Charts of predicted scores and mean opinion scores: scatter plot, residuals, and where votes fall."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool, Segment, Span
from numpy.typing import NDArray

from annotation.language import gettext, gettext_noop
from training.drawing.bokeh_chart import (
    MODEL,
    ORANGE,
    PEOPLE,
    POINTS_DRAWN,
    STRONG,
    Chart,
    Floats,
    Ints,
    PhotoLinks,
    add_photo_tools,
    chart_of,
    legend_below,
    plot_in_style,
    sample_note,
)
from training.evaluation.calibration.score_line import FittedLine, RunningMean
from training.evaluation.calibration.vote_forecast import PIT_BINS, PitHistogram

#: The intervals of so many photos are always drawn. Of more, those of the photo under the pointer.
INTERVALS_DRAWN = 40
_PEOPLE_LABEL = gettext_noop("people: mean opinion score (MOS)")
_MODEL_LABEL = gettext_noop("model: mean of the predicted distribution")


@dataclass(frozen=True, eq=False)
class PhotoPoints:
    """Photos of a chart, one entry each."""

    image_ids: Ints
    names: Sequence[str]
    predicted: Floats
    mos: Floats
    votes: Ints
    mos_interval: tuple[Floats, Floats] | None = None
    """Ends of the 95 % interval of the MOS."""
    forecast: tuple[Floats, Floats] | None = None
    """Ends of the model's 80 % interval of such a MOS."""

    def __len__(self) -> int:
        return len(self.image_ids)

    def source(self, rows: Ints) -> ColumnDataSource:
        """Return the photos of these rows as Bokeh's columns. Numbers have 32 bits, which halves the page."""
        data: dict[str, Any] = {
            "mos": _short(self.mos, rows),
            "predicted": _short(self.predicted, rows),
            "difference": _short(self.predicted - self.mos, rows),
            "votes": self.votes[rows].astype(np.int32),
            "size": np.clip(4 + 2 * np.sqrt(self.votes[rows]), 6, 18).astype(np.float32),
            # As text, because Bokeh would format numbers with separators and decimals.
            "image": [str(i) for i in self.image_ids[rows]],
            "name": [self.names[i] for i in rows.tolist()],
        }
        if self.mos_interval is not None:
            data |= {"low": _short(self.mos_interval[0], rows), "high": _short(self.mos_interval[1], rows)}
        if self.forecast is not None:
            data |= {"from": _short(self.forecast[0], rows), "to": _short(self.forecast[1], rows)}
        return ColumnDataSource(data)

    @property
    def texts(self) -> list[str]:
        """Return the lines of a tooltip: what people and what the model say."""
        people = " (@low{0.00}–@high{0.00})" if self.mos_interval is not None else ""
        model = ", 80 %: @from{0.0}–@to{0.0}" if self.forecast is not None else ""
        return [f"● MOS @mos{{0.00}}{people}, n @votes", f"○ {gettext('model')} @predicted{{0.00}}{model}"]

    @property
    def columns(self) -> dict[str, str]:
        """Return the headings of the downloaded table, and the columns of `source`."""
        found = {"photo": "name", "id": "image", "predicted": "predicted"}
        if self.forecast is not None:
            found |= {"predicted_80_low": "from", "predicted_80_high": "to"}
        found |= {"mos": "mos"}
        if self.mos_interval is not None:
            found |= {"mos_95_low": "low", "mos_95_high": "high"}
        return found | {"votes": "votes", "difference": "difference"}


def _short(values: Floats, rows: Ints) -> NDArray[np.float32]:
    return values[rows].astype(np.float32)


def _sample(photos: PhotoPoints, rng: np.random.Generator) -> Ints:
    rows = np.arange(len(photos))
    return rows if len(rows) <= POINTS_DRAWN else np.sort(rng.choice(rows, POINTS_DRAWN, replace=False))


def score_scatter(
    photos: PhotoPoints,
    *,
    scale: tuple[int, int],
    links: PhotoLinks,
    title: str,
    rng: np.random.Generator,
    line: FittedLine | None = None,
    running: RunningMean | None = None,
    name: str = "scatter",
    of: int | None = None,
) -> Chart:
    """Draw the MOS over the predicted mean, one mark per photo [N], larger with more votes.

    Hovering shows the photo with both intervals, a tap opens it. The intervals of up to `INTERVALS_DRAWN` photos are
    always drawn; of more, `running` gives the band with the middle 80 % of the photos. With more than POINTS_DRAWN
    photos, the chart shows a random sample, and its note says so. `of`: how many photos there are, if `photos` is a
    sample already.
    """
    low, high = scale
    rows = _sample(photos, rng)
    source = photos.source(rows)
    edge = 0.02 * (high - low)
    ends = (low - edge, high + edge)
    plot = plot_in_style(gettext(_MODEL_LABEL), gettext(_PEOPLE_LABEL), x_range=ends, y_range=ends, height=460)
    is_crowded = len(rows) > INTERVALS_DRAWN
    explained = []
    if is_crowded and running is not None:
        band = plot.varea(running.at, running.inner_low, running.inner_high, fill_color=PEOPLE, fill_alpha=0.08)
        explained.append((gettext("middle 80 % of such photos"), [band]))
    equal = plot.line([low, high], [low, high], line_color=STRONG, line_dash="dashed", line_width=1.5)
    explained.append((gettext("model and people equal"), [equal]))
    segments = []
    if photos.mos_interval is not None:
        segments.append(_intervals(plot, source, PEOPLE, ("predicted", "low", "predicted", "high"), is_crowded))
    if photos.forecast is not None:
        segments.append(_intervals(plot, source, MODEL, ("from", "mos", "to", "mos"), is_crowded))
    if segments and len(rows) and not is_crowded:
        explained.append((gettext("95 % interval of the MOS"), segments[:1]))
        explained.append((gettext("model's 80 % interval"), segments[1:]))
    if line is not None:
        band = plot.varea(line.at, line.low, line.high, fill_color=ORANGE, fill_alpha=0.18)
        fitted = plot.line(line.at, line.value, line_color=ORANGE, line_width=2.5)
        explained.append((gettext("fitted line, with its 95 % band"), [fitted, band]))
    marks = plot.scatter(
        "predicted",
        "mos",
        size="size",
        source=source,
        fill_color=MODEL,
        fill_alpha=0.12,
        line_color=MODEL,
        line_width=1.5,
        line_alpha=0.45 if is_crowded else 0.9,
        hover_fill_color=MODEL,
        hover_fill_alpha=0.6,
        hover_line_color=MODEL,
        nonselection_fill_alpha=0.12,
        nonselection_line_alpha=0.9,
    )
    add_photo_tools(plot, marks, links, photos.texts)
    if line is not None or segments:
        legend_below(plot, [one for one in explained if one[1]])
    count = len(photos) if of is None else of
    label = gettext(
        "Scatter plot of %(photos)s photos: model's mean (x axis), MOS (y axis). %(title)s. A table follows."
    ) % {"photos": f"{count:,}", "title": title}
    return chart_of(name, title, label, plot, sample_note(len(rows), count), source=source, columns=photos.columns)


def _intervals(plot: Any, source: ColumnDataSource, colour: str, ends: Sequence[str], is_crowded: bool) -> Any:
    """Draw an interval per photo; if it is crowded, only that of the photo under the pointer.

    The marks share the source, so Bokeh knows which photo that is.
    """
    x0, y0, x1, y1 = ends
    places = {"x0": x0, "y0": y0, "x1": x1, "y1": y1}
    return plot.add_glyph(
        source,
        Segment(**places, line_color=colour, line_alpha=0.0 if is_crowded else 0.3, line_width=1.5),
        hover_glyph=Segment(**places, line_color=colour, line_alpha=1.0, line_width=3),
        nonselection_glyph=None,
    )


def residual_chart(
    photos: PhotoPoints,
    *,
    by_people: bool,
    scale: tuple[int, int],
    links: PhotoLinks,
    title: str,
    rng: np.random.Generator,
    running: RunningMean | None,
    expected: tuple[float, float] | None = None,
    of: int | None = None,
) -> Chart:
    """Draw model − MOS over the score of the model, or over the MOS, with its running mean and band.

    `expected` (mean MOS, share of noise) gives the line that a perfect model would show over the MOS. Samples, hovering
    and tapping as in `score_scatter`.
    """
    rows = _sample(photos, rng)
    source = photos.source(rows)
    low, high = scale
    edge = 0.02 * (high - low)
    plot = plot_in_style(
        gettext(_PEOPLE_LABEL if by_people else _MODEL_LABEL),
        gettext("model − MOS, in points"),
        x_range=(low - edge, high + edge),
        height=400,
    )
    explained = []
    plot.add_layout(Span(location=0, dimension="width", line_color=STRONG, line_width=1.5, line_dash="dashed"))
    if expected is not None and by_people and np.isfinite(expected[1]):
        centre, noise = expected
        ends = [float(low), float(high)]
        perfect = plot.line(ends, [noise * (centre - end) for end in ends], line_color=STRONG, line_width=1.5)
        explained.append((gettext("a perfect model, with such votes"), [perfect]))
    marks = plot.scatter(
        "mos" if by_people else "predicted",
        "difference",
        size=7 if len(rows) <= INTERVALS_DRAWN else 5,
        source=source,
        fill_color=MODEL,
        fill_alpha=0.12,
        line_color=MODEL,
        line_alpha=0.45,
        hover_fill_color=MODEL,
        hover_fill_alpha=0.6,
        hover_line_color=MODEL,
        nonselection_fill_alpha=0.12,
        nonselection_line_alpha=0.45,
    )
    if running is not None:
        band = plot.varea(running.at, running.low, running.high, fill_color=ORANGE, fill_alpha=0.18)
        mean = plot.line(running.at, running.mean, line_color=ORANGE, line_width=2.5)
        explained.append((gettext("running mean, with its 95 % band"), [mean, band]))
    add_photo_tools(plot, marks, links, [*photos.texts, f"{gettext('model − MOS')} @difference{{+0.00}}"])
    if explained:
        legend_below(plot, explained)
    count = len(photos) if of is None else of
    words = (
        gettext("Model minus MOS of %(photos)s photos (y axis) over the MOS (x axis). %(title)s. A table follows.")
        if by_people
        else gettext(
            "Model minus MOS of %(photos)s photos (y axis) over the model's mean (x axis). %(title)s. A table follows."
        )
    )
    label = words % {"photos": f"{count:,}", "title": title}
    name = f"residuals-{'people' if by_people else 'model'}"
    return chart_of(name, title, label, plot, sample_note(len(rows), count), source=source, columns=photos.columns)


def pit_chart(pit: PitHistogram, *, title: str) -> Chart:
    """Draw where votes fall within the predicted distributions, in tenths, with the band of right distributions."""
    edges = np.linspace(0, 1, PIT_BINS + 1)
    source = ColumnDataSource(
        {
            "left": edges[:-1].round(3),
            "right": edges[1:].round(3),
            "share": np.array(pit.shares),
            "low": np.array(pit.low),
            "high": np.array(pit.high),
        }
    )
    top = 1.15 * max(*pit.shares, *(high for high in pit.high if high < 0.5), 0.15)
    plot = plot_in_style(
        gettext("place in the prediction (0 low, 1 high)"),
        gettext("share of the votes"),
        x_range=(0, 1),
        y_range=(0, min(top, 1.0)),
        height=320,
    )
    bars = plot.quad(
        left="left", right="right", bottom=0, top="share", source=source,
        fill_color=PEOPLE, fill_alpha=0.55, line_color=STRONG,
    )  # fmt: skip
    band = plot.quad(
        left="left", right="right", bottom="low", top="high", source=source,
        fill_color=MODEL, fill_alpha=0.2, line_color=None,
    )  # fmt: skip
    even = plot.line([0, 1], [1 / PIT_BINS] * 2, line_color=MODEL, line_width=2)
    legend_below(plot, [(gettext("votes"), [bars]), (gettext("right distributions, 95 % of the cases"), [even, band])])
    plot.add_tools(
        HoverTool(
            renderers=[bars],
            tooltips=[
                (gettext("place"), "@left{0.0}–@right{0.0}"),
                (gettext("votes"), "@share{0.0 %}"),
                (gettext("band"), "@low{0.0 %}–@high{0.0 %}"),
            ],
        )
    )
    label = gettext(
        "Histogram of %(votes)s votes by their place in the predicted distributions, %(bars)s bars. %(title)s."
    ) % {"votes": f"{pit.votes:,}", "bars": PIT_BINS, "title": title}
    columns = {"from": "left", "to": "right", "share_of_votes": "share", "band_low": "low", "band_high": "high"}
    return chart_of("pit", title, label, plot, source=source, columns=columns)
