"""The section about the watch label."""

from collections.abc import Collection
from typing import Any

import numpy as np

from annotation.models import Campaign
from inference.models import ModelVersion
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
    from training.drawing import charts

    watch = figures.watch
    report: dict[str, Any] = {"undecided": figures.compared - figures.labelled}
    if watch is None:
        return report
    rows = watch.rows
    report |= {
        "watch_threshold": watch.threshold,
        "threshold_rows": rows,
        "at_chosen": watch.at_threshold,
        "thresholds": charts.threshold_curves(
            thresholds=np.array([row.threshold for row in rows]),
            f1=np.array([row.f1 for row in rows]),
            accuracy=np.array([row.accuracy for row in rows]),
            chosen=watch.threshold,
            title=watch.threshold_title,
        ),
    }
    if watch.bins:
        report["reliability_bins"] = watch.bins
        report["reliability"] = charts.reliability_diagram(
            predicted=np.array([one.predicted for one in watch.bins]),
            observed=np.array([one.observed.value for one in watch.bins]),
            low=np.array([one.observed.low for one in watch.bins]),
            high=np.array([one.observed.high for one in watch.bins]),
            counts=np.array([one.n for one in watch.bins]),
            title=watch.reliability_title,
        )
    return report
