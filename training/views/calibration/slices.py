"""The sections about slices of the photos, and about the annotators."""

import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from annotation.drawing.intervals import interval_row
from annotation.measures.group_shares import percents
from annotation.measures.intervals import Interval
from annotation.measures.signs import minus, span_shown
from annotation.models import Campaign, User
from inference.models import ModelVersion
from training.evaluation.calibration.annotator_bias import AnnotatorBias
from training.evaluation.calibration.filters import HOLDOUT, Filters
from training.evaluation.calibration.report import CalibrationFigures
from training.evaluation.calibration.slice_search import FEWEST_UNITS
from training.evaluation.calibration.slices import FEWEST_GROUPS, Slice
from training.views.calibration.shown import MEASURES, Shown

#: Annotators with the most votes; the others are behind "more".
_ANNOTATORS_SHOWN = 12
_UNITS = {
    "bias": gettext_lazy("points"),
    "rmse": gettext_lazy("points"),
    "srcc": "SRCC",
    "watch": gettext_lazy("of photos with a majority label"),
}
_IN_SENTENCE = {
    "bias": gettext_lazy("bias"),
    "rmse": gettext_lazy("typical error"),
    "srcc": gettext_lazy("rank correlation"),
    "watch": gettext_lazy("wrong watch decisions"),
}
_EXPLANATIONS = {
    "bias": gettext_lazy("Mean of model − MOS. Right of the line: the model scores too high."),
    "rmse": gettext_lazy("Root mean squared difference of model and MOS (RMSE). The line is that of all photos."),
    "srcc": gettext_lazy(
        "Spearman's rank correlation of model and MOS within the slice. A slice with photos of similar quality has "
        "a lower one even if the errors are as small as elsewhere."
    ),
    "watch": gettext_lazy("Share of wrong watch decisions at the threshold in use. The line is that of all photos."),
}


def section(
    campaign: Campaign,
    version: ModelVersion,
    figures: CalibrationFigures,
    *,
    filters: Filters,
    shown: Shown,
) -> dict[str, Any]:
    """Return the context of both sections; {} without photos that have enough votes. One query for the annotators.

    Content groups are shown by example photos without predictions, so no photo is hidden from a reviewer.
    """
    slices = figures.slices
    if slices is None:
        return {}
    found = [getattr(one, shown.measure) for kind in slices.kinds for one in kind.slices]
    known = [one for one in found if one is not None and not math.isnan(one.value)]
    wrong = sum(one.wrong for one in slices.kinds[0].slices) if slices.kinds else 0
    overall = {"bias": slices.bias, "rmse": slices.rmse, "watch": wrong / slices.labelled if slices.labelled else 0.0}
    axis = _axis(shown.measure, known, overall.get(shown.measure))
    reference = 0.0 if shown.measure == "bias" else overall.get(shown.measure)
    split = (("split", "holdout"),) if filters.split == HOLDOUT else ()
    kinds = [
        {
            "key": kind.key,
            "title": gettext(kind.title),
            "note": " ".join(str(one) for one in kind.notes),
            "rows": [_row(campaign, one, shown.measure, axis, reference, split) for one in kind.slices],
        }
        for kind in slices.kinds
    ]
    return {
        "slices": slices,
        "slice_verdicts": [
            {"what": what, "verdict": verdict, "address": _gallery(campaign, verdict.query, split)}
            for what, verdict in ((gettext("Scores"), slices.scores), (gettext("Watches"), slices.watches))
        ],
        "slice_kinds": kinds,
        "slice_measures": [
            {
                "label": label,
                "address": f"?{shown.address(filters, version.number, measure=name)}#slices",
                "is_chosen": name == shown.measure,
            }
            for name, label in MEASURES.items()
        ],
        "slice_measure": MEASURES[shown.measure],
        "slice_unit": _UNITS[shown.measure],
        "slice_explanation": _EXPLANATIONS[shown.measure],
        "slice_ends": [_number(end, shown.measure) for end in axis],
        "slice_fewest": {"figures": FEWEST_GROUPS, "search": FEWEST_UNITS},
        **_annotators(figures.annotators),
    }


def _row(
    campaign: Campaign,
    one: Slice,
    measure: str,
    axis: tuple[float, float],
    reference: float | None,
    split: tuple[tuple[str, str], ...],
) -> dict[str, Any]:
    figure: Interval | None = getattr(one, measure)
    row: dict[str, Any] = {
        "label": one.label,
        "n": one.photos if measure != "watch" else (one.watch.n if one.watch else 0),
        "photos": one.photos,
        "address": _gallery(campaign, one.query, split),
        "examples": one.examples,
        "stands_out": measure in one.stands_out,
        "stands_out_in": [_IN_SENTENCE[name] for name in sorted(one.stands_out, key=lambda name: name != measure)],
        "all": [{"label": label, "text": _text(getattr(one, name), name)} for name, label in MEASURES.items()],
    }
    if figure is None or math.isnan(figure.value):
        return row | {"text": "", "drawing": ""}
    return row | {
        "value": _number(figure.value, measure),
        "ends": _ends(figure, measure),
        "text": _text(figure, measure),
        "drawing": interval_row(
            value=figure.value, low=figure.low, high=figure.high, axis=axis, reference=reference, kind="model"
        ),
    }


def _axis(measure: str, known: Sequence[Interval], overall: float | None) -> tuple[float, float]:
    """Return the ends of the axis that all rows share."""
    ends = [end for one in known for end in (one.low, one.high)] + ([] if overall is None else [overall])
    if measure == "bias":
        most = max((abs(end) for end in ends), default=1.0) or 1.0
        return -most, most
    if measure == "srcc":
        return min(0.0, *ends, 0.0), 1.0
    return 0.0, max(ends, default=1.0) or 1.0


def _number(value: float, measure: str) -> str:
    if measure == "watch":
        return f"{percents([value])[0]}\N{NO-BREAK SPACE}%"
    return minus(f"{value:+.2f}" if measure == "bias" else f"{value:.2f}")


def _text(figure: Interval | None, measure: str) -> str:
    """Return a figure with its interval, for the table behind the pictures."""
    if figure is None or math.isnan(figure.value):
        return "–"
    return f"{_number(figure.value, measure)} ({_ends(figure, measure)})"


def _ends(figure: Interval, measure: str) -> str:
    """Return the interval of a figure."""
    if measure == "watch":
        return f"{percents([figure.low])[0]}–{_number(figure.high, measure)}"
    low, high = _number(figure.low, measure), _number(figure.high, measure)
    return span_shown(low, high) if measure == "bias" else f"{low}–{high}"


def _gallery(campaign: Campaign, query: Sequence[tuple[str, str]], split: Sequence[tuple[str, str]]) -> str:
    """Return the address of the gallery with a filter; "" without one."""
    return f"{reverse('photos', args=[campaign.slug])}?{urlencode([*query, *split])}" if query else ""


def _annotators(found: Sequence[AnnotatorBias]) -> dict[str, Any]:
    """Return the rows of the annotators, the largest bias first (one query when there are any)."""
    if not found:
        return {}
    users = User.objects.in_bulk([one.annotator_id for one in found])
    ends = [end for one in found for figure in (one.model, one.others) for end in (figure.low, figure.high)]
    most = max((abs(end) for end in ends if math.isfinite(end)), default=1.0) or 1.0
    rows = [
        {
            "name": users[one.annotator_id].username,
            "is_simulated": users[one.annotator_id].is_simulated,
            "votes": one.votes,
            **{
                name: {
                    "text": _text(figure, "bias"),
                    "drawing": ""
                    if math.isnan(figure.value)
                    else interval_row(
                        value=figure.value,
                        low=figure.low,
                        high=figure.high,
                        axis=(-most, most),
                        reference=0.0,
                        kind=kind,
                    ),
                }
                for name, kind, figure in (("model", "model", one.model), ("others", "people", one.others))
            },
        }
        for one in sorted(found, key=lambda one: -abs(one.model.value))
        if one.annotator_id in users
    ]
    return {"annotator_rows": rows[:_ANNOTATORS_SHOWN], "annotators_left": rows[_ANNOTATORS_SHOWN:]}
