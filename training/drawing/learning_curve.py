"""The charts of a learning curve: rank correlation and RPS by number of answers."""

from annotation.drawing.axis import round_ticks
from annotation.drawing.lines import Line, lines
from annotation.drawing.svg import Svg
from annotation.language import gettext
from annotation.measures.intervals import Interval
from training.evaluation.curve_gain import CurveReport
from training.evaluation.learning_curve import STEP

_HEIGHT = 180


def srcc_chart(report: CurveReport) -> Svg | None:
    """Draw the rank correlation with intervals and forecast, that of the prior, and the ceiling √r_k if it is known.

    None for a report without points.
    """
    if not report.rows:
        return None
    points = [row.srcc for row in report.rows]
    ceiling = [report.ceiling.value] if report.ceiling else []
    return _chart(
        report,
        points,
        forecast=points[-1].value + report.srcc_last.value * _missing(report) + report.srcc_next.value,
        others={"prior": [report.prior_srcc], "ceiling": ceiling},
        name=_srcc_name(report) % _values(report, points, report.prior_srcc, digits=2),
    )


def rps_chart(report: CurveReport) -> Svg | None:
    """Draw the RPS with intervals and forecast, and that of the prior. None for a report without points."""
    if not report.rows:
        return None
    points = [row.rps for row in report.rows]
    return _chart(
        report,
        points,
        forecast=points[-1].value - report.rps_last.value * _missing(report) - report.rps_next.value,
        others={"prior": [report.prior_rps]},
        name=gettext(
            "RPS from %(first)s after %(fewest)s answers to %(last)s after %(most)s; the prior %(prior)s; lower is "
            "better, with 95 %% intervals and a forecast up to %(end)s answers"
        )
        % _values(report, points, report.prior_rps, digits=3),
    )


def _srcc_name(report: CurveReport) -> str:
    if report.ceiling is None:
        return gettext(
            "Rank correlation (SRCC) from %(first)s after %(fewest)s answers to %(last)s after %(most)s; the prior "
            "%(prior)s, with 95 %% intervals and a forecast up to %(end)s answers"
        )
    return gettext(
        "Rank correlation (SRCC) from %(first)s after %(fewest)s answers to %(last)s after %(most)s; the prior "
        "%(prior)s; the ceiling %(ceiling)s, with 95 %% intervals and a forecast up to %(end)s answers"
    )


def _values(report: CurveReport, points: list[Interval], prior: float, *, digits: int) -> dict[str, str]:
    """Return the figures of a chart's name."""
    return {
        "first": f"{points[0].value:.{digits}f}",
        "fewest": f"{report.rows[0].answers:,.0f}",
        "last": f"{points[-1].value:.{digits}f}",
        "most": f"{report.newest.answers:,.0f}",
        "prior": f"{prior:.{digits}f}",
        "ceiling": f"{report.ceiling.value:.{digits}f}" if report.ceiling else "",
        "end": f"{report.total + STEP:,.0f}",
    }


def _missing(report: CurveReport) -> float:
    """Return how many times 200 answers lie between the last point and all answers."""
    return (report.total - report.newest.answers) / STEP


def _chart(
    report: CurveReport, points: list[Interval], *, forecast: float, others: dict[str, list[float]], name: str
) -> Svg:
    xs = [row.answers for row in report.rows]
    end = float(report.total + STEP)
    low, high = [point.low for point in points], [point.high for point in points]
    values = [*low, *high, forecast, *(one for ones in others.values() for one in ones)]
    room = 0.05 * (max(values) - min(values)) or 0.05
    ends = min(values) - room, max(values) + room
    drawn = [Line(kind, [0.0, end], [one, one]) for kind, ones in others.items() for one in ones]
    drawn += [Line("interval-end", xs, low), Line("interval-end", xs, high)]
    drawn += [Line("validation", xs, [point.value for point in points])]
    drawn += [Line("forecast", [xs[-1], end], [points[-1].value, forecast])]
    return lines(
        name=name,
        lines=drawn,
        x_range=(0.0, end),
        y_range=ends,
        x_ticks=round_ticks(0.0, end, at_most=5),
        y_ticks=round_ticks(*ends, at_most=5),
        x_label=gettext("answers learned from"),
        height=_HEIGHT,
    )
