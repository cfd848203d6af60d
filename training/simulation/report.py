"""The report of simulated campaigns: a self-contained page with curves and tables, and the same figures as JSON."""

import math
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from annotation.measures.intervals import Interval
from annotation.measures.signs import ends, minus
from training.drawing.simulation_curves import SERIES, SeriesLine, simulation_chart
from training.simulation.curves import (
    LOWER_IS_BETTER,
    Curve,
    advantage,
    answers_needed,
    ceiling_of,
    curve_of,
    curves_json,
    worse_at,
)
from training.simulation.experiment import Experiment
from training.simulation.ratings import QUALITY, Ratings
from training.simulation.replay import Replay

_PAGE = Template((Path(__file__).parent / "report.html").read_text(encoding="utf-8"))

#: Figure: its title, the number of decimals, and the ends of what is possible, where intervals end too.
FIGURES = {
    "srcc": ("Rank correlation (SRCC) of the model on photos of other groups", 3, (-1.0, 1.0)),
    "mos_rmse": ("Error of the mean scores (RMSE, points), from the votes alone", 3, (0.0, math.inf)),
    "mixed_rmse": ("Error of the mean scores (RMSE, points), votes and model mixed", 3, (0.0, math.inf)),
    "rated": ("Photos with an answer", 0, (0.0, math.inf)),
    "f1": ("F1 of watches on photos that nobody was asked about", 3, (0.0, 1.0)),
    "watches": ("Watches among the photos with an answer", 0, (0.0, math.inf)),
}
#: The figure that decides, and the part of its highest value that must be reached.
DECIDES = {QUALITY: ("srcc", 0.95), "watch": ("f1", 1.0)}
BASELINE = "random"


def baseline_of(experiment: Experiment) -> str:
    """Return the label of the mixture that others are compared with: random order, otherwise the first one."""
    labels = [one.label for one in experiment.mixtures]
    return BASELINE if BASELINE in labels else labels[0]


def level_of(ratings: Ratings, experiment: Experiment, replays: Sequence[Replay], clicks: float) -> float:
    """Return the level that counts: 95 % of the SRCC with all votes, or the best F1 of the baseline."""
    figure, part = DECIDES[ratings.task]
    if ratings.task == QUALITY:
        return part * ceiling_of(replays, figure)
    return part * curve_of(replays, baseline_of(experiment), figure, clicks).best


def report_html(ratings: Ratings, experiment: Experiment, replays: Sequence[Replay]) -> str:
    """Return the page."""
    title = f"Simulated campaigns on {ratings.name}"
    return _PAGE.substitute(
        title=escape(title),
        source=escape(ratings.source[0].upper() + ratings.source[1:]),
        method=escape(_method(ratings, experiment)),
        sections="".join(_section(ratings, experiment, replays, clicks) for clicks in experiment.clicks),
    )


def report_json(ratings: Ratings, experiment: Experiment, replays: Sequence[Replay]) -> dict[str, Any]:
    """Return all figures as JSON values."""
    figure, _part = DECIDES[ratings.task]
    needed = []
    for clicks in experiment.clicks:
        level = level_of(ratings, experiment, replays, clicks)
        for one in experiment.mixtures:
            found = answers_needed(curve_of(replays, one.label, figure, clicks), level)
            low, value, high = (end if math.isfinite(end) else None for end in (found.low, found.value, found.high))
            needed.append(
                {"mixture": one.label, "clicks": clicks, "level": level, "answers": value, "low": low, "high": high}
            )
    return {
        "format": 1,
        "photos": ratings.name,
        "task": ratings.task,
        "source": ratings.source,
        "is_simulated": ratings.votes is None,
        "seeds": list(experiment.seeds),
        "budgets": list(experiment.plan.budgets),
        "baseline": baseline_of(experiment),
        "decides": figure,
        "answers_needed": needed,
        "curves": curves_json(replays),
    }


def _method(ratings: Ratings, experiment: Experiment) -> str:
    seeds = len(experiment.seeds)
    learner = (
        "the ridge line of the recipe “ridge”, without a prior"
        if ratings.task == QUALITY
        else "a logistic regression on the pooled features, without a zero-shot model"
    )
    return (
        f"{seeds} {'campaign' if seeds == 1 else 'campaigns'} for each way to choose photos, with other photos and "
        "votes each time. A third of the groups of near-duplicates is never asked about; the model is tested on it. "
        f"The learner is the same for all: {learner}. Bands and small figures are 95 % intervals over the campaigns "
        "(Student’s t)."
    )


def _section(ratings: Ratings, experiment: Experiment, replays: Sequence[Replay], clicks: float) -> str:
    labels = [one.label for one in experiment.mixtures]
    head = f"{100 * clicks:g} % of the votes are simulated random clicks" if clicks else "No random clicks"
    parts = [f"<h2>{escape(head)}</h2>", _needed_table(ratings, experiment, replays, clicks)]
    decides = DECIDES[ratings.task][0]
    for figure in replays[0].figures:
        title, digits, ends_of_figure = FIGURES[figure]
        curves = [curve_of(replays, label, figure, clicks) for label in labels]
        if figure == "rated" and all((one.values == one.answers).all() for one in curves):
            continue  # no photo was asked about twice
        better = "lower is better" if figure in LOWER_IS_BETTER else ""
        legend = "".join(
            f'<li class="key-{number % SERIES + 1}">{escape(one.label)}</li>' for number, one in enumerate(curves)
        )
        chart = simulation_chart(
            [SeriesLine(one.label, one.answers, _within(one, ends_of_figure)) for one in curves],
            name=f"{title}, over the number of answers: " + "; ".join(_spoken(one, digits) for one in curves),
            level=level_of(ratings, experiment, replays, clicks) if figure == decides else None,
        )
        parts.append(
            f'<section class="card"><h3>{escape(title)}{", " * bool(better)}{better}</h3>'
            f'<ul class="legend">{legend}</ul>{chart}{_figures_table(curves, title, digits, ends_of_figure)}</section>'
        )
    return "".join(parts)


def _needed_table(ratings: Ratings, experiment: Experiment, replays: Sequence[Replay], clicks: float) -> str:
    figure, part = DECIDES[ratings.task]
    level, baseline = level_of(ratings, experiment, replays, clicks), baseline_of(experiment)
    digits = FIGURES[figure][1]
    theirs = curve_of(replays, baseline, figure, clicks)
    of_baseline = answers_needed(theirs, level)
    what = (
        f"{100 * part:.0f} % of the SRCC with all votes ({level:.{digits}f})"
        if ratings.task == QUALITY
        else f"the best F1 of “{baseline}” ({level:.{digits}f})"
    )
    rows = []
    for mixture in experiment.mixtures:
        ours = curve_of(replays, mixture.label, figure, clicks)
        needed = answers_needed(ours, level)
        part_of = needed.value / of_baseline.value if mixture.label != baseline else float("nan")
        rows.append(
            f"<tr><td>{escape(mixture.label)}</td><td>{_answers(needed)}</td>"
            f"<td>{'' if math.isnan(part_of) else f'{100 * part_of:.0f} %'}</td>"
            f"<td>{_verdict(ours, theirs) if mixture.label != baseline else 'compared with'}</td></tr>"
        )
    return (
        f'<section class="card"><h3>Answers needed for {escape(what)}</h3>{_scrolled("Answers needed")}<table><thead>'
        f"<tr><th>chosen by</th><th>answers</th><th>of “{escape(baseline)}”</th>"
        f"<th>against “{escape(baseline)}”</th></tr>"
        f"</thead><tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _verdict(ours: Curve, theirs: Curve) -> str:
    """Return at how many numbers of answers ours is better, and at how many worse, beyond the interval."""
    found = advantage(ours, theirs)
    better, worse = sum(one.low > 0 for one in found), len(worse_at(ours, theirs))
    return f"better at {better}, worse at {worse} of {len(found)} points"


def _answers(needed: Interval) -> str:
    if math.isnan(needed.value):
        return "not reached"
    high = f"{needed.high:,.0f}" if math.isfinite(needed.high) else "more than asked"
    return f"{needed.value:,.0f}<small>{needed.low:,.0f}–{high}</small>"


def _within(curve: Curve, ends_of_figure: tuple[float, float]) -> list[Interval]:
    """Return the points with intervals that end where the figure does."""
    least, most = ends_of_figure
    return [replace(one, low=max(one.low, least), high=min(one.high, most)) for one in curve.points]


def _figures_table(curves: Sequence[Curve], title: str, digits: int, ends_of_figure: tuple[float, float]) -> str:
    answers = max((one.answers for one in curves), key=len)
    head = "".join(f"<th>{number:,}</th>" for number in answers)
    rows = []
    for curve in curves:
        cells = [_cell(point, digits) for point in _within(curve, ends_of_figure)]
        cells += [""] * (len(answers) - len(cells))
        rows.append(f"<tr><td>{escape(curve.label)}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return (
        f"{_scrolled(title)}<table><thead><tr><th>answers</th>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(point: Interval, digits: int) -> str:
    if math.isnan(point.value):
        return "–"
    text = minus(f"{point.value:.{digits}f}")
    if not (math.isfinite(point.low) and math.isfinite(point.high)):
        return text
    return f"{text}<small>{ends(f'{point.low:.{digits}f}', f'{point.high:.{digits}f}')}</small>"


def _scrolled(title: str) -> str:
    """Return the start of a box for a wide table, which scrolls by keyboard too."""
    return f'<div class="table" role="region" tabindex="0" aria-label="{escape(title)}">'


def _spoken(curve: Curve, digits: int) -> str:
    first, last = curve.points[0], curve.points[-1]
    return (
        f"{curve.label} from {first.value:.{digits}f} after {curve.answers[0]:,} "
        f"to {last.value:.{digits}f} after {curve.answers[-1]:,}"
    )
