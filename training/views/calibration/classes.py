"""The section about the quality classes."""

from collections.abc import Collection
from typing import Any

from annotation.models import Campaign
from inference.models import ModelVersion
from inference.selectors import class_limits
from training.evaluation.calibration.filters import Filters
from training.evaluation.calibration.report import CalibrationFigures


def section(
    campaign: Campaign,
    version: ModelVersion,
    figures: CalibrationFigures,
    *,
    hidden: Collection[int],
    filters: Filters,
) -> dict[str, Any]:
    """Return the context of the section; it names no single photo."""
    return {
        "classes": figures.classes,
        "class_limits": class_limits(campaign, version),
    }
