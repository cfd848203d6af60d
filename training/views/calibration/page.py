"""The calibration page: predictions of a model version compared with votes."""

from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from annotation.access.permissions import campaign_view
from annotation.models import Campaign, Role, User
from annotation.selectors.adjudications import predictions_hidden
from inference.models import ModelVersion, Prediction
from training.evaluation.calibration.filters import ALL, HOLDOUT, Filters
from training.evaluation.calibration.report import CalibrationFigures, calibration_figures
from training.evaluation.registry import METRICS
from training.selectors.calibration_facts import photo_facts
from training.selectors.comparison import compare
from training.selectors.versions import changed_since, newest_evaluations
from training.views.calibration import classes, disagreement, quality, slices, trend, watch
from training.views.calibration.choice import filters_of, number_of, version_of
from training.views.calibration.one_photo import one_photo
from training.views.calibration.shown import Shown

#: The sections that draw stored figures, in the order of the page.
SECTIONS = (quality, classes, watch, disagreement)


@campaign_view(Role.REVIEWER)
def calibration(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the page; the query has `?version=`, the filters, and `?photo=`."""
    has_predictions = Exists(Prediction.objects.filter(model_version=OuterRef("pk")))
    versions = list(campaign.model_versions.annotate(has_predictions=has_predictions))
    version = version_of(versions, request.GET.get("version", ""))
    filters, choice = filters_of(request.GET), Shown.read(request.GET)
    photo_id = number_of(request.GET.get("photo", ""), "This photo is not in this campaign.")
    assert isinstance(request.user, User)  # campaign_view refuses anonymous users
    hidden = {row["image_id"] for row in predictions_hidden(campaign, request.user)}
    context: dict[str, Any] = {"campaign": campaign, "versions": versions, "version": version, "filters": filters}
    context["split"] = filters.split
    if version:
        version.campaign = campaign  # saves queries
        context["query"] = filters.query(version=version.number)
    if request.htmx.target == "one-photo" and version and photo_id:  # type: ignore[attr-defined]  # by django-htmx
        context["one"] = one_photo(campaign, version, photo_id, hidden)
        return render(request, "training/calibration/_one_photo.html", context)
    if version:
        figures = _figures(campaign, version, filters)
        context |= {"figures": figures, "now": timezone.now(), "metrics": METRICS, "hidden": len(hidden)}
        context["left_out"] = figures.compared - figures.scored
        if filters.is_default and (evaluation := newest_evaluations([version]).get(version.pk)) is not None:
            context |= {"evaluation": evaluation, "outdated": changed_since(evaluation)}
        if figures.compared:
            for one in SECTIONS:
                context |= one.section(campaign, version, figures, hidden=hidden, filters=filters)
            context |= slices.section(campaign, version, figures, hidden=hidden, filters=filters, shown=choice)
            context |= trend.section(campaign, version, filters=filters, shown=choice)
            context["here"] = f"?{choice.address(filters, version.number)}"
            shown = photo_id or (context["apart"][0].image_id if context.get("apart") else None)
            if shown:
                context["one"] = one_photo(campaign, version, shown, hidden)
    return render(request, "training/calibration/page.html", context)


def _figures(campaign: Campaign, version: ModelVersion, filters: Filters) -> CalibrationFigures:
    comparison = compare(campaign, version, split={HOLDOUT: "holdout", ALL: None}[filters.split])
    return calibration_figures(
        comparison,
        photo_facts(comparison, version, seed=campaign.seed),
        fewest_votes=filters.fewest_votes,
        seed=campaign.seed,
    )
