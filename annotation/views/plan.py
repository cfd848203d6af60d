"""The page Plan a campaign: what it will be able to say, and what it takes."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_safe

from annotation.drawing.axis import axis_end, round_ticks
from annotation.drawing.lines import Line, lines
from annotation.drawing.svg import Svg
from annotation.measures.panels import Panel
from annotation.measures.study_design import (
    FEWEST_HOLDOUT,
    Study,
    best_change,
    changes,
    detectable_gain,
    expected_alpha,
    mos_width,
    outcome,
)
from annotation.models import User
from annotation.views.plan_form import PlanForm, first_values, noise_of, plan_campaigns

_MOST_VOTES = 20
MEASURES = {
    "mos_width": gettext_lazy("narrower MOS intervals"),
    "alpha_width": gettext_lazy("a narrower interval of alpha"),
    "gain": gettext_lazy("detecting smaller gains"),
}


@require_safe
def plan_campaign(request: HttpRequest) -> HttpResponse:
    """Show the form with its result; the query has its values, or only `?noise=` to start from a campaign."""
    user = request.user
    campaigns = plan_campaigns(user) if isinstance(user, User) else []
    if not (campaigns or (isinstance(user, User) and (user.is_staff or user.is_superuser))):
        raise PermissionDenied(gettext("This page needs the role reviewer in a campaign, or staff."))
    key = request.GET.get("noise", "")
    if "photos" in request.GET:
        form = PlanForm(request.GET, campaigns=campaigns)
    else:
        form = PlanForm(first_values(key, campaigns), campaigns=campaigns)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        noise = noise_of(form.cleaned_data["noise"], campaigns)
        if noise is None:
            context["too_few"] = True
        else:
            panel = noise.panel.on_scale(form.cleaned_data["lowest"], form.cleaned_data["highest"])
            context |= _result(form.study(), panel)
    return render(request, "annotation/plan.html", context, status=422 if form.errors else 200)


def _result(study: Study, panel: Panel) -> dict[str, Any]:
    found = changes(study, panel)
    best = [(measure, text, best_change(found, measure)) for measure, text in MEASURES.items()]
    result = outcome(study, panel)
    return {
        "study": study,
        "panel": panel,
        "outcome": result,
        "can_detect": result.gain < inf,
        "hours_each": study.hours / study.people,
        "fewest_holdout": FEWEST_HOLDOUT,
        "changes": found,
        "best": [(text, one.name, -100 * getattr(one, measure)) for measure, text, one in best if one is not None],
        "drawings": _drawings(study, panel),
    }


def _drawings(study: Study, panel: Panel) -> list[tuple[str, Svg, str, list[tuple[str, str]]]]:
    """Return (caption, chart, name of the column, rows of its table) for each curve."""
    most = min(study.people, max(_MOST_VOTES, round(study.votes)))
    votes = list(range(1, most + 1))
    widths = [mos_width(panel, k) for k in votes]
    hours = [replace(study, votes=k).hours for k in votes]
    curves = [
        _curve(
            gettext("Width of the MOS interval, points"), gettext("votes on each photo"), votes, [widths], study.votes
        ),
    ]
    if most > 1:
        alphas = [expected_alpha(replace(study, votes=k), panel) for k in votes[1:]]
        ends = [[one.value for one in alphas], [one.low for one in alphas], [one.high for one in alphas]]
        curves.append(
            _curve(
                gettext("Alpha and its expected interval"), gettext("votes on each photo"), votes[1:], ends, study.votes
            )
        )
    counts = [FEWEST_HOLDOUT * 2**step for step in range(12)]
    counts = [count for count in counts if count <= max(4 * study.holdout_photos, 320)]
    counts = sorted({*counts, round(study.holdout_photos)})
    gains = [(count, detectable_gain(replace(study, holdout_photos=count), panel)) for count in counts]
    known = [(count, gain) for count, gain in gains if gain < inf]
    if len(known) > 1:
        places, values = zip(*known, strict=True)
        curves.append(
            _curve(
                gettext("Gain in SRCC that is detected"),
                gettext("holdout photos"),
                places,
                [values],
                study.holdout_photos,
            )
        )
    curves.append(
        _curve(gettext("Hours of all annotators"), gettext("votes on each photo"), votes, [hours], study.votes)
    )
    return curves


def _curve(
    name: str, axis: str, xs: Sequence[float], series: Sequence[Sequence[float]], present: float
) -> tuple[str, Svg, str, list[tuple[str, str]]]:
    """Draw the first series solid and the others dashed, with a mark at the present plan."""
    end = axis_end(max(max(one) for one in series))
    low = min(0.0, min(min(one) for one in series))
    x_range = (float(xs[0]), float(xs[-1])) if xs[-1] > xs[0] else (xs[0] - 1.0, xs[0] + 1.0)
    best = None
    if present in xs:
        best = (float(present), float(series[0][list(xs).index(present)]))
    kinds = ["validation", *["train"] * (len(series) - 1)]
    drawing = lines(
        name=gettext("%(name)s by %(axis)s; the table has the numbers") % {"name": name, "axis": axis},
        lines=[Line(kind, xs, one) for kind, one in zip(kinds, series, strict=True)],
        x_range=x_range,
        y_range=(low, end),
        x_ticks=round_ticks(*x_range, at_most=5, smallest_step=1),
        y_ticks=round_ticks(low, end, at_most=4),
        x_label=axis,
        best=best,
        height=130,
    )
    rows = [
        (f"{x:,.0f}", " … ".join(f"{value:,.3g}" for value in values)) for x, *values in zip(xs, *series, strict=True)
    ]
    return name, drawing, axis, rows
