"""The calibration page: predictions of a model version compared with votes, as stored figures."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from annotation.access.permissions import campaign_view
from annotation.language.lazy import gettext_lazy
from annotation.models import Campaign, Role, User
from annotation.selectors.adjudications import predictions_hidden
from annotation.services.figures_rows import Figures
from annotation.tasks import announce
from inference.models import ModelVersion
from inference.selectors import newest_prediction
from training.evaluation.calibration.filters import Filters
from training.evaluation.calibration.report import CalibrationFigures
from training.evaluation.findings import evaluation_age
from training.evaluation.registry import METRICS
from training.models import Evaluation, StoredCalibration
from training.selectors.versions import newest_evaluations, settings_changed_since
from training.services.stored_calibrations import calibration_request, calibration_stored
from training.tasks import MESSAGE_SECONDS, stored_calibration_make
from training.views.calibration import classes, disagreement, pool, quality, slices, trend, verdict, watch
from training.views.calibration.choice import filters_of, number_of, version_of
from training.views.calibration.filter_bar import filter_bar
from training.views.calibration.hidden_photos import HiddenPhotos, hidden_photos
from training.views.calibration.one_photo import one_photo
from training.views.calibration.shown import Shown


@dataclass(frozen=True)
class Section:
    """A part of the page: its anchor, its name in the list of contents, its template, and what draws it."""

    anchor: str
    name: str
    template: str
    module: ModuleType | None = None
    """Has `section(campaign, version, figures, *, hidden, filters)`; None: the template needs only the figures."""
    needs_scores: bool = False
    """Shown only when photos have enough votes for score figures."""


#: The order of the page.
SECTIONS = (
    Section("verdict", gettext_lazy("Verdict"), "training/calibration/_verdict.html", verdict),
    Section("campaign", gettext_lazy("The whole campaign"), "training/calibration/_pool.html", pool),
    Section(
        "quality", gettext_lazy("Quality scores"), "training/calibration/_quality.html", quality, needs_scores=True
    ),
    Section("classes", gettext_lazy("Classes"), "training/calibration/_classes.html", classes, needs_scores=True),
    Section("watch", gettext_lazy("Watch label"), "training/calibration/_watch.html", watch),
    Section("slices", gettext_lazy("Slices"), "training/calibration/_slices.html", needs_scores=True),
    Section("annotators", gettext_lazy("Annotators"), "training/calibration/_annotators.html", needs_scores=True),
    Section("over-time", gettext_lazy("Over time"), "training/calibration/_trend.html"),
    Section("disagreement", gettext_lazy("Disagreement"), "training/calibration/_disagreement.html", disagreement),
)


#: With predictions that this reviewer may not see, fewer photos have no figures.
FEWEST_WITH_HIDDEN = 20


@require_safe
@campaign_view(Role.REVIEWER)
def calibration(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the page. The query has `version`, the filters, what sections show, `photo`, `view=print` for the report."""
    versions = list(campaign.model_versions.annotate(newest_prediction=newest_prediction()))
    version, filters = version_of(versions, request.GET.get("version", "")), filters_of(request.GET)
    shown = Shown.read(request.GET)
    photo_id = number_of(request.GET.get("photo", ""), gettext("This photo is not in this campaign."))
    context: dict[str, Any] = {"campaign": campaign, "versions": versions, "version": version, "filters": filters}
    if version is None:
        return render(request, "training/calibration/page.html", context)
    assert isinstance(request.user, User)  # campaign_view refuses anonymous users
    version.campaign = campaign  # saves queries
    rows = predictions_hidden(campaign, request.user)
    context |= {"query": shown.address(filters, version.number), "shown_fields": shown.chosen}
    part = request.htmx.target  # type: ignore[attr-defined]  # by django-htmx
    if part == "one-photo" and photo_id:
        named = hidden_photos(campaign, rows, figures=None, named=[photo_id])
        context["one"] = one_photo(campaign, version, photo_id, named)
        return render(request, "training/calibration/_one_photo.html", context)
    context |= {"bar": filter_bar(campaign, version, filters), "is_print": request.GET.get("view") == "print"}
    if filters.is_possible:
        stored = _stored(campaign, version, filters)
        context |= {"stored": stored, "row": stored.row, "figures": stored.value}
        if stored.value is not None and stored.row.made_at is not None:
            hidden = hidden_photos(campaign, rows, figures=stored.value, named=[photo_id] if photo_id else ())
            context |= {"had": stored.row.made_at.isoformat(), "hidden": hidden}
            context |= _report(campaign, version, stored.value, hidden=hidden, filters=filters, photo_id=photo_id)
            context |= slices.section(campaign, version, stored.value, filters=filters, shown=shown)
            context |= trend.section(campaign, version, filters=filters, shown=shown)
    template = "training/calibration/_body.html" if part == "calibration" else "training/calibration/page.html"
    response = render(request, template, context)
    if part == "calibration":
        response["HX-Push-Url"] = f"{reverse('calibration', args=[campaign.slug])}?{context['query']}"
    return response


@require_safe
@campaign_view(Role.REVIEWER)
def calibration_live(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Return how old the figures are, and how far a worker is with newer ones.

    When the first ones are there, the page loads again. A page that shows older ones gets a link, because it must not
    change while somebody reads it; `had` is when those were computed.
    """
    version = version_of(list(campaign.model_versions.all()), request.GET.get("version", ""))
    filters = filters_of(request.GET)
    if version is None:
        raise Http404(gettext("This campaign has no model version."))
    row = calibration_stored(version=version, filters=filters)
    if row is None:
        raise Http404(gettext("There are no such figures."))
    had = request.GET.get("had", "")
    context = {
        "campaign": campaign,
        "query": filters.query(version=version.number),
        "row": row,
        "had": had,
        "is_ready": not row.is_coming and row.made_at is not None and row.made_at.isoformat() != had,
    }
    response = render(request, "training/calibration/_age.html", context)
    if not row.is_coming and not had:
        response["HX-Refresh"] = "true"
    return response


def _stored(campaign: Campaign, version: ModelVersion, filters: Filters) -> Figures[StoredCalibration]:
    """Return the stored figures. When they are old, a worker is asked for newer ones."""
    found = calibration_request(campaign=campaign, version=version, filters=filters)
    if found.row.state == StoredCalibration.State.QUEUED:
        announce(stored_calibration_make, found.row.pk, expires=MESSAGE_SECONDS)
    return found


def _report(
    campaign: Campaign,
    version: ModelVersion,
    figures: CalibrationFigures,
    *,
    hidden: HiddenPhotos,
    filters: Filters,
    photo_id: int | None,
) -> dict[str, Any]:
    """Return the context of the sections that have figures."""
    context: dict[str, Any] = {"metrics": METRICS, "left_out": figures.compared - figures.scored}
    if (evaluation := newest_evaluations([version]).get(version.pk)) is not None:
        context["faults"] = [one["text"] for one in evaluation.findings]
        if filters.is_default:
            context |= {"evaluation": evaluation, "outdated": _outdated(evaluation, figures)}
    if not figures.compared:
        return context
    if hidden and figures.compared < FEWEST_WITH_HIDDEN:
        # Means of few photos would give away the prediction of a hidden one.
        return context | {"too_few_with_hidden": FEWEST_WITH_HIDDEN}
    shown = [one for one in SECTIONS if figures.scores is not None or not one.needs_scores]
    context["sections"] = shown
    for one in shown:
        if one.module is not None:
            context |= one.module.section(campaign, version, figures, hidden=hidden, filters=filters)
    first = photo_id or (context["apart"][0].image_id if context.get("apart") else None)
    if first:
        context["one"] = one_photo(campaign, version, first, hidden)
    return context


def _outdated(evaluation: Evaluation, figures: CalibrationFigures) -> str:
    """Return how the figures differ from an evaluation of the version, as a sentence; '' if they have its votes."""
    changed = settings_changed_since(evaluation)
    if evaluation.fingerprint == figures.evaluation_fingerprint:
        return changed
    then, now = evaluation.vote_count, figures.holdout_votes
    votes = evaluation_age(newer=max(now - then, 0), counted_then=then, counted_now=now) or (
        gettext("Measured on other holdout votes")
    )
    return (
        (
            gettext("%(votes)s, and %(lower)s%(changed)s")
            % {"votes": votes, "lower": changed[0].lower(), "changed": changed[1:]}
        )
        if changed
        else votes
    )
