"""The table of versions on the models page: all on one common holdout, and what the rule says about each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.models import Campaign
from inference.models import PRIOR_NAME, ModelVersion
from training.evaluation.measured import MeasuredMetric, measured
from training.evaluation.promotion_rule import Verdict
from training.models import Evaluation, Promotion, TrainingRun, VersionExport
from training.selectors.verdicts import verdict_of
from training.selectors.versions import same_holdout
from training.services.promotions import RulesOpinion, rules_opinion

#: The metrics of the table, in its order.
COLUMNS = ("quality_srcc", "quality_rmse", "quality_rps", "watch_f1")


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
