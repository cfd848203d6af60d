"""Model versions: their figures, promotion and rollback, and the audit trail."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.models import Campaign, Role, User
from annotation.tasks import announce
from inference.models import ModelVersion
from inference.tasks import predictions_run
from training.evaluation.registry import MeasuredFigure, measured
from training.models import Evaluation, Promotion, TrainingRun
from training.selectors.runs import annotations_since, last_learned, live_run
from training.selectors.versions import newest_evaluations, past_champions, promotions, rollback_target
from training.services.promotions import PromotionError, promotion_make, promotion_verdict

_VERSIONS = 10  # on one page
_RUNS = 8
_PROMOTIONS = 30
# What is shown of a version before it is opened.
_HEADLINES = ("quality_srcc", "quality_rmse", "watch_roc_auc", "watch_f1")


@dataclass(frozen=True)
class VersionCard:
    """One version as the page shows it."""

    version: ModelVersion
    evaluation: Evaluation | None
    figures: list[tuple[MeasuredFigure, MeasuredFigure | None]]
    """Each figure with its difference to the champion of that time."""
    verdict: str
    """What the rule says about it, '' where it was not compared."""
    can_return: bool
    """Whether it has been champion, so that going to it is a rollback."""

    @property
    def headlines(self) -> list[tuple[MeasuredFigure, MeasuredFigure | None]]:
        """Return the few figures shown first."""
        return [pair for pair in self.figures if pair[0].figure.name in _HEADLINES]


@require_safe
@campaign_view(Role.REVIEWER)
def models_page(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """List the versions with their figures, what training would learn from, the last runs and the audit trail."""
    page = Paginator(ModelVersion.objects.filter(campaign=campaign), _VERSIONS).get_page(request.GET.get("page"))
    versions = list(page.object_list)
    evaluations = newest_evaluations(versions)
    trail = list(promotions(campaign)[:_PROMOTIONS])
    past = past_champions(campaign)
    last = last_learned(campaign)
    runs = TrainingRun.objects.filter(campaign=campaign).select_related("challenger", "requested_by")[:_RUNS]
    context: dict[str, Any] = {
        "campaign": campaign,
        "page": page,
        "cards": [_card(version, evaluations.get(version.pk), version.pk in past) for version in versions],
        "champion": next((version for version in versions if version.is_champion), None),
        "live_run": live_run(campaign),
        "last_learned": last,
        "new_annotations": annotations_since(campaign, last.last_annotation_id if last else 0),
        "rollback_target": rollback_target(campaign),
        "runs": runs,
        "promotions": trail,
    }
    return render(request, "training/models.html", context)


@require_POST
@campaign_view(Role.ADMIN)
def model_promote(request: HttpRequest, campaign: Campaign, number: int) -> HttpResponse:
    """Make a version the champion."""
    return _change(request, campaign, number, Promotion.Kind.MANUAL)


@require_POST
@campaign_view(Role.ADMIN)
def model_rollback(request: HttpRequest, campaign: Campaign, number: int) -> HttpResponse:
    """Go back to a version that has been champion."""
    return _change(request, campaign, number, Promotion.Kind.ROLLBACK)


def _change(request: HttpRequest, campaign: Campaign, number: int, kind: Promotion.Kind) -> HttpResponse:
    assert isinstance(request.user, User)
    version = get_object_or_404(ModelVersion, campaign=campaign, number=number)
    evaluation = newest_evaluations([version]).get(version.pk)
    try:
        promotion_make(
            version=version,
            kind=kind,
            by=request.user,
            reason=_reason(kind, evaluation),
            evaluation=evaluation,
        )
    except PromotionError as error:
        messages.error(request, str(error))
    else:
        announce(predictions_run, version.pk)
        messages.success(
            request, f"Version {number} is the champion now. Its predictions are being made from stored features."
        )
    return redirect("models", campaign.slug)


def _reason(kind: Promotion.Kind, evaluation: Evaluation | None) -> str:
    """Return what the figures said when a person decided."""
    if kind == Promotion.Kind.ROLLBACK:
        return "Decided by an admin."
    if evaluation is None or evaluation.against is None:
        return "Decided by an admin, without a comparison."
    verdict = promotion_verdict(evaluation)
    return f"Decided by an admin; the rule {'agrees' if verdict.promote else 'does not agree'}: {verdict.reason}"


def _card(version: ModelVersion, evaluation: Evaluation | None, has_been_champion: bool) -> VersionCard:
    if evaluation is None:
        return VersionCard(version, None, [], "", has_been_champion)
    differences = {one.figure.name: one for one in measured(evaluation.differences)}
    return VersionCard(
        version=version,
        evaluation=evaluation,
        figures=[(one, differences.get(one.figure.name)) for one in measured(evaluation.metrics)],
        verdict=promotion_verdict(evaluation).reason if evaluation.against_id else "",
        can_return=has_been_champion,
    )
