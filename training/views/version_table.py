"""The table of versions on the models page: all on one common holdout, and their trend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.drawing.axis import Tick, round_ticks
from annotation.drawing.lines import Line, lines
from annotation.drawing.svg import Svg
from annotation.models import Campaign
from inference.models import PRIOR_NAME, ModelVersion
from training.evaluation.measured import MeasuredMetric, measured
from training.evaluation.promotion_rule import Verdict
from training.evaluation.registry import METRICS
from training.models import Evaluation, Promotion, TrainingRun, VersionExport
from training.selectors.verdicts import verdict_of
from training.selectors.versions import same_holdout
from training.services.promotions import RulesOpinion, rules_opinion

#: The metrics of the table, in its order.
COLUMNS = ("quality_srcc", "quality_rmse", "quality_rps", "watch_f1")
_TREND = ("quality_srcc", "quality_rps", "watch_f1")


@dataclass(frozen=True)
class VersionRow:
    """One version in the table."""

    version: ModelVersion
    evaluation: Evaluation | None
    """Its newest evaluation; its figures are in the table only if it is on the common holdout."""
    is_common: bool
    """Whether it was measured on the same holdout votes and settings as the champion."""
    cells: list[tuple[MeasuredMetric | None, MeasuredMetric | None]]
    """For each of COLUMNS the figure and its difference from the champion; None where it was not measured."""
    verdict: Verdict | None
    votes: int | None
    """Votes that it learned from; 0 for a shipped prior, None if unknown."""
    run: TrainingRun | None
    has_file: bool
    """Whether its bundle for other programs is there."""
    action: str
    """`promote`, `rollback`, or '' if it cannot become champion or is it."""
    opinion: RulesOpinion
    """What the rule says about this action."""
    comparison: list[tuple[MeasuredMetric, MeasuredMetric]]
    """Each of COLUMNS that was compared with the present champion on the same photos, with the difference."""
    beside: list[tuple[MeasuredMetric, MeasuredMetric]]
    """Each of COLUMNS with the champion's own figure on the common holdout; [] if it was not measured there."""


@dataclass(frozen=True)
class Trend:
    """How one metric developed over the versions on the common holdout."""

    metric: Any
    title: str
    chart: Svg
    rows: list[tuple[ModelVersion, int | None, MeasuredMetric]]


def version_rows(
    campaign: Campaign,
    versions: Sequence[ModelVersion],
    evaluations: Mapping[int, Evaluation],
    *,
    champion: ModelVersion | None,
    rollback: ModelVersion | None,
    cannot: Mapping[int, str],
) -> list[VersionRow]:
    """Return a row for each version, in their order (two queries).

    evaluations: the newest of each version and of the champion. cannot: why versions cannot become champion, by id.
    """
    reference = evaluations.get(champion.pk) if champion else None
    runs = {
        run.challenger_id: run
        for run in TrainingRun.objects.filter(campaign=campaign, challenger__in=versions).order_by("-pk")
    }
    exports = VersionExport.objects.filter(version__in=versions).exclude(made_at=None)
    made = {one.version_id for one in exports.select_related("version") if one.path.exists()}
    champions = _cells(reference, champion) if reference else []
    rows = []
    for version in versions:
        evaluation = evaluations.get(version.pk)
        is_common = bool(evaluation and reference and same_holdout(evaluation, reference))
        action = ""
        if not version.is_champion and not cannot.get(version.pk) and version.files_deleted_at is None:
            action = "rollback" if version == rollback else "promote"
        compared = _cells(evaluation, champion) if evaluation else []
        kind = Promotion.Kind.ROLLBACK if action == "rollback" else Promotion.Kind.MANUAL
        rows.append(
            VersionRow(
                version=version,
                evaluation=evaluation,
                is_common=is_common,
                cells=compared if is_common else [(None, None)] * len(COLUMNS),
                verdict=verdict_of(evaluation) if evaluation and evaluation.against == champion else None,
                votes=_votes(version),
                run=runs.get(version.pk),
                has_file=version.pk in made,
                action=action,
                opinion=rules_opinion(kind=kind, evaluation=evaluation, current_champion=champion),
                beside=[
                    (own, other)
                    for (own, _), (other, _) in zip(compared, champions, strict=False)
                    if is_common and own is not None and other is not None
                ],
                comparison=[(own, apart) for own, apart in compared if own is not None and apart is not None],
            )
        )
    return rows


def _cells(
    evaluation: Evaluation, champion: ModelVersion | None
) -> list[tuple[MeasuredMetric | None, MeasuredMetric | None]]:
    own = {one.metric.name: one for one in measured(evaluation.metrics)}
    against = evaluation.against == champion and champion is not None
    differences = {one.metric.name: one for one in measured(evaluation.differences)} if against else {}
    return [(own.get(name), differences.get(name)) for name in COLUMNS]


def _votes(version: ModelVersion) -> int | None:
    if version.recipe.get("name") == PRIOR_NAME:
        return 0
    votes = version.figures.get("votes")
    return int(votes) if votes is not None else None


def trends(rows: Sequence[VersionRow], *, by_votes: bool) -> list[Trend]:
    """Return the charts of the versions on the common holdout; [] with fewer than two of them.

    by_votes: the axis across is the number of votes that a version learned from; versions where it is unknown are left
    out, and of versions that learned from as many the newest is shown.
    """
    found = []
    for name in _TREND:
        points = _points(rows, name, by_votes=by_votes)
        if len(points) > 1:
            found.append(_trend(name, points, by_votes=by_votes))
    return found


_Point = tuple[float, VersionRow, MeasuredMetric]


def _points(rows: Sequence[VersionRow], name: str, *, by_votes: bool) -> list[_Point]:
    column = COLUMNS.index(name)
    points: dict[float, _Point] = {}
    for row in sorted(rows, key=lambda row: row.version.number):
        figure = row.cells[column][0]
        across = row.votes if by_votes else row.version.number
        if figure is not None and figure.known and figure.low is not None and across is not None:
            points[float(across)] = (float(across), row, figure)
    return [points[place] for place in sorted(points)]


def _trend(name: str, points: Sequence[_Point], *, by_votes: bool) -> Trend:
    metric = METRICS[name]
    xs = [x for x, _, _ in points]
    values, lows, highs = ([float(getattr(one, end)) for _, _, one in points] for end in ("value", "low", "high"))
    room = max(0.06 * (max(highs) - min(lows)), 1e-3)
    ends = min(lows) - room, max(highs) + room
    if by_votes:
        ticks = [Tick(tick.value, f"{tick.value:,.0f}") for tick in round_ticks(xs[0], xs[-1], at_most=6)]
    else:
        ticks = round_ticks(xs[0], xs[-1], at_most=8, smallest_step=1)
    title = _finding(points, higher_is_better=metric.higher_is_better)
    best = next(((x, float(one.value or 0)) for x, row, one in points if row.version.is_champion), None)
    chart = lines(
        name=f"{metric.label} by {'number of votes' if by_votes else 'version'}, with 95 % intervals. {title}",
        lines=[Line("interval-end", xs, lows), Line("interval-end", xs, highs), Line("validation", xs, values)],
        x_range=(xs[0], xs[-1]),
        y_range=ends,
        x_ticks=ticks,
        y_ticks=round_ticks(*ends, at_most=5),
        x_label="votes learned from" if by_votes else "version",
        best=best,
        height=150,
    )
    return Trend(metric, title, chart, [(row.version, row.votes, one) for _, row, one in points])


def _finding(points: Sequence[_Point], *, higher_is_better: bool) -> str:
    """Return how the newest version compares with the oldest one, as a sentence."""
    by_number = sorted(points, key=lambda point: point[1].version.number)
    (_, first, old), (_, last, new) = by_number[0], by_number[-1]
    assert None not in (old.low, old.high, new.low, new.high)
    if float(new.low or 0) > float(old.high or 0):
        word = "better" if higher_is_better else "worse"
    elif float(new.high or 0) < float(old.low or 0):
        word = "worse" if higher_is_better else "better"
    else:
        word = "the intervals overlap, so only a comparison of the two versions can tell"
    return f"{old.text} in version {first.version.number}, {new.text} in version {last.version.number}: {word}"
