"""The section about the watch label."""

from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext, gettext_lazy

from annotation.measures.calibration import ReliabilityBin
from annotation.models import Campaign
from inference.models import ModelVersion
from training.evaluation.calibration import titles
from training.evaluation.calibration.filters import Filters
from training.evaluation.calibration.report import CalibrationFigures
from training.evaluation.calibration.watch import ConfusionCell, WatchFigures, WatchPhoto
from training.evaluation.registry import METRICS
from training.views.calibration.kept_charts import charts_kept
from training.views.calibration_charts import photo_addresses, reliability_chart

_THUMBNAILS = 8
_CELLS = {
    (True, True): ("found", gettext_lazy("Watches found"), gettext_lazy("least sure first")),
    (True, False): ("missed", gettext_lazy("Watches missed"), gettext_lazy("surest mistake first")),
    (False, True): ("alarms", gettext_lazy("False alarms"), gettext_lazy("surest mistake first")),
    (False, False): ("left", gettext_lazy("Others rightly left"), gettext_lazy("least sure first")),
}


def section(
    campaign: Campaign,
    version: ModelVersion,
    figures: CalibrationFigures,
    *,
    hidden: Collection[int],
    filters: Filters,
) -> dict[str, Any]:
    """Return the context of the section. Photos whose prediction is hidden are left out of the cells."""
    watch = figures.watch
    context: dict[str, Any] = {"undecided": figures.compared - figures.labelled}
    if watch is None:
        return context
    return (
        context
        | charts_kept(_charts, watch)
        | {
            "watch": watch,
            "watch_rows": _rows(watch),
            "reliability_rows": _reliability_rows(watch),
            "confusion_title": titles.confusion_title(watch),
            "cells": [_cell(cell, hidden, photo_addresses(campaign)) for cell in watch.cells],
            "plateau_text": titles.plateau_text(watch.curves.plateau) if watch.curves.plateau else "",
            "cost_curve": _cost_curve(watch),
        }
    )


def _charts(watch: WatchFigures) -> dict[str, Any]:
    from training.drawing import watch_charts

    at, curves = watch.at_threshold, watch.curves
    found: dict[str, Any] = {
        "reliability_title": titles.reliability_title(watch),
        "thresholds": watch_charts.threshold_chart(
            curves.thresholds, plateau=curves.plateau, chosen=watch.threshold, title=titles.threshold_title(watch)
        ),
    }
    if watch.reliability is not None:
        found["reliability"] = reliability_chart(watch.reliability, title=titles.reliability_title(watch))
    if curves.roc is not None and curves.precision_recall is not None:
        recall = at.true_positives / watch.watches
        alarms = at.false_positives / (watch.photos - watch.watches)
        positives = at.true_positives + at.false_positives
        precision = at.true_positives / positives if positives else float("nan")
        found["roc"] = watch_charts.roc_chart(
            curves.roc, at=(alarms, recall), threshold=watch.threshold, title=titles.roc_title(watch)
        )
        found["precision_recall"] = watch_charts.precision_recall_chart(
            curves.precision_recall,
            at=(recall, precision),
            threshold=watch.threshold,
            base_rate=watch.base_rate.value,
            title=titles.precision_recall_title(watch),
        )
    return found


def _reliability_rows(watch: WatchFigures) -> list[tuple[ReliabilityBin, float, float]]:
    found = watch.reliability
    return [] if found is None else list(zip(found.bins, found.low, found.high, strict=True))


def _rows(watch: WatchFigures) -> list[tuple[str, str, str]]:
    """Return (name, figure with interval, what it is) of every figure about watch probabilities."""
    parts, found = watch.brier_parts, watch.reliability
    average = watch.curves.precision_recall
    rows = [
        (
            gettext("Share of watches"),
            titles.percent_text(watch.base_rate),
            gettext("Photos whose majority label is ‘watch’."),
        ),
        (gettext(METRICS["watch_roc_auc"].label), titles.interval_text(watch.roc_auc),
         gettext(METRICS["watch_roc_auc"].explanation)),
        (gettext("Average precision"), titles.interval_text(average.area) if average else "–",
         gettext(
             "Area under the curve of precision and recall; chance would have %(value)s."
         ) % {"value": f"{watch.base_rate.value:.2f}"}),
        (gettext(METRICS["watch_brier"].label), titles.interval_text(watch.brier, 3),
         gettext(
             "%(explanation)s It is %(miscalibration)s for wrong probabilities, less %(discrimination)s for "
             "telling photos apart, plus %(uncertainty)s for the share of watches alone (isotonic regression; the "
             "first part is too high for few photos)."
         ) % {
             "explanation": gettext(METRICS["watch_brier"].explanation),
             "miscalibration": f"{parts.miscalibration:.3f}",
             "discrimination": f"{parts.discrimination:.3f}",
             "uncertainty": f"{parts.uncertainty:.3f}",
         }),
        (gettext("Brier skill"), titles.interval_text(watch.brier_skill),
         gettext(
             "1 − Brier over that of saying the share of watches for every photo: 1 is perfect, 0 no better than "
             "that."
         )),
        (gettext("Log loss"), titles.interval_text(watch.log_loss, 3),
         gettext(
             "Mean of −log of the probability given to the label that came; the share of watches alone would have "
             "%(log_loss_of_share)s."
         ) % {"log_loss_of_share": f"{watch.log_loss_of_share:.3f}"}),
    ]  # fmt: skip
    if found is not None:
        rows.append(
            (
                gettext("Calibration error (ECE)"),
                f"{found.error:.3f}",
                gettext(
                    "Mean distance of the %(count)s points from the dashed line. With right probabilities it "
                    "would be up to %(error_by_chance)s by chance, in 95 %% of the cases."
                )
                % {"count": len(found.bins), "error_by_chance": f"{found.error_by_chance:.3f}"},
            )
        )
    return rows


def _cell(cell: ConfusionCell, hidden: Collection[int], addresses: tuple[str, str]) -> dict[str, Any]:
    """Return a cell with its name and the photos that the reviewer may see with their predictions."""
    kept = [_photo(photo, addresses) for photo in cell.photos if photo.image_id not in hidden]
    key, name, order = _CELLS[cell.people, cell.model]
    return {
        "key": key,
        "name": name,
        "order": order,
        "is_wrong": cell.people != cell.model,
        "cell": cell,
        "first": kept[:_THUMBNAILS],
        "more": kept[_THUMBNAILS:],
    }


def _photo(photo: WatchPhoto, addresses: tuple[str, str]) -> dict[str, str]:
    """Return what the page shows of a photo. There are hundreds, and templates would need 0.1 ms for each."""
    page, thumbnail = (address.replace("@image", str(photo.image_id)) for address in addresses)
    probability = f"{photo.probability:.2f}"
    return {
        "page": page,
        "thumbnail": thumbnail,
        "name": photo.name,
        "probability": probability,
        "title": gettext("%(name)s: probability %(probability)s") % {"name": photo.name, "probability": probability},
    }


def _cost_curve(watch: WatchFigures) -> dict[str, Any]:
    """Return the input of static/js/watch_cost.js."""
    curve = watch.curves.thresholds
    return {
        "thresholds": curve.threshold,
        "missed": curve.missed,
        "falseAlarms": curve.false_alarms,
        "photos": watch.photos,
        "inUse": watch.threshold,
    }
