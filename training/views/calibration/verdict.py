"""The section that says what the model may be trusted for."""

from collections.abc import Collection
from typing import Any

from annotation.models import Campaign
from inference.models import ModelVersion
from training.evaluation.calibration.filters import Filters
from training.evaluation.calibration.report import CalibrationFigures
from training.evaluation.calibration.sentences import fit_statement, headline, needed_text, spread_statements


def section(
    campaign: Campaign,
    version: ModelVersion,
    figures: CalibrationFigures,
    *,
    hidden: Collection[int],
    filters: Filters,
) -> dict[str, Any]:
    """Return the context of the section. It has no single photos, so nothing is hidden."""
    verdict = figures.verdict
    statements = spread_statements(verdict.spread) if verdict.spread else []
    if verdict.watch_fit:
        statements.append(fit_statement(verdict.watch_fit))
    return {
        "verdict": verdict,
        "headline": headline(verdict.uses),
        "uses": [(use, needed_text(use)) for use in verdict.uses],
        "statements": statements,
    }
