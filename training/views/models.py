"""The models page: metrics of the versions, promotion and rollback, and the audit trail."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.models import Campaign, Role, User
from annotation.services.counts import counts_of
from annotation.tasks import announce, counts_announce
from inference.models import ModelVersion
from inference.selectors import champion, features_misfit, synsets_text, version_misfit
from inference.serving.model_check import site_problems, version_problem, version_weights_problem
from inference.tasks import predictions_run
from training.evaluation.measured import MeasuredMetric, measured_pairs
from training.evaluation.promotion_rule import Verdict
from training.evaluation.registry import METRICS, Metric
from training.learning.recipe import Recipe
from training.learning.registry import DEFAULT_RECIPE, EXPOSED_ANSWERS_LABEL, RECIPES
from training.models import Evaluation, EvaluationRequest, Promotion, TrainingRun
from training.selectors.backbone_change import backbone_change
from training.selectors.runs import exposed_answers_on, last_learned
from training.selectors.stored_texts import verdict_words
from training.selectors.verdicts import holdout_use, inverted_names, rule_of, verdict_of
from training.selectors.versions import (
    newest_evaluations,
    past_champions,
    promotions,
    rollback_target,
    same_holdout,
    same_settings,
)
from training.services.counts import ANSWERS, changed_since_kept
from training.services.evaluation_requests import evaluations_request
from training.services.promotions import REASON_LENGTH, PromotionError, promotion_by_admin
from training.services.schedules import schedule_of
from training.tasks import MESSAGE_SECONDS, versions_evaluate
from training.views.drift import drift_part
from training.views.learning_curve import curve_part
from training.views.schedule import schedule_form
from training.views.version_table import COLUMNS, VersionRow, version_rows
from training.views.version_trend import headline_trends, stored_trend

_VERSIONS = 20  # on one page
_RUNS = 8
_PROMOTIONS = 30
# The metrics shown before the details are opened.
_HEADLINES = ("quality_rps", "quality_srcc", "quality_rmse", "watch_f1")


@dataclass(frozen=True)
class VersionCard:
    """One version as the page shows it."""

    version: ModelVersion
    evaluation: Evaluation | None
    figures: list[tuple[MeasuredMetric, MeasuredMetric | None]]
    """Each metric with its difference from the champion of that time."""
    verdict: Verdict | None
    """What the promotion rule says; None without a comparison, and for versions older than the champion of then."""
    inverted: list[str]
    """User names of annotators whose holdout scores run against those of the others."""
    not_comparable: str
    """Why its metrics cannot be compared with the champion's, '' if they can."""
    classes: str
    """The names of the classes that it counts as a watch, '' if unknown."""
    misfit: str
    """Why it cannot become champion with the campaign's present scale and classes, '' if it can."""
    file_problem: str
    """What is wrong with its files, '' if nothing is."""
    can_return: bool
    """Whether it is a former champion, so that a rollback to it is possible."""
    recipe_label: str
    """The recipe that made its quality head, '' if unknown."""

    @property
    def headlines(self) -> list[tuple[MeasuredMetric, MeasuredMetric | None]]:
        """Return the metrics that are shown before the details are opened."""
        return [pair for pair in self.figures if pair[0].metric.name in _HEADLINES]


@require_safe
@campaign_view(Role.REVIEWER)
def models_page(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the versions with their metrics, the answers available for training, the last runs and the audit trail."""
    page = Paginator(ModelVersion.objects.filter(campaign=campaign), _VERSIONS).get_page(request.GET.get("page"))
    current_champion = champion(campaign)
    evaluations = newest_evaluations([*page.object_list, *([current_champion] if current_champion else [])])
    reference = evaluations.get(current_champion.pk) if current_champion else None
    past = past_champions(campaign)
    last = last_learned(campaign)
    changes = list(promotions(campaign)[:_PROMOTIONS])
    runs = list(TrainingRun.objects.filter(campaign=campaign).select_related("challenger", "requested_by")[:_RUNS])
    exposed_answers = exposed_answers_on(runs[0] if runs else None)  # the newest
    since = last.last_annotation_id if last else 0
    kept = counts_of(campaign)
    answers = kept.get(ANSWERS, since=since, exposed_answers=exposed_answers)
    outdated = changed_since_kept(reference, kept) if reference else ""
    counts_announce(kept)
    cards = [
        _card(version, campaign, evaluations.get(version.pk), reference, has_been_champion=version.pk in past)
        for version in page.object_list
    ]
    rows = version_rows(
        campaign,
        [card.version for card in cards],
        evaluations,
        champion=current_champion,
        rollback=rollback_target(campaign),
        cannot={card.version.pk: card.misfit for card in cards},
    )
    schedule = schedule_of(campaign)
    by_votes = request.GET.get("by") == "votes"
    trend = stored_trend(campaign) if page.paginator.count > 1 else None
    context: dict[str, Any] = {
        "campaign": campaign,
        "page": page,
        "cards": cards,
        "rows": rows,
        "columns": _columns(rows),
        "elsewhere": sum(row.evaluation is not None and not row.is_common for row in rows),
        "unmeasured": sum(row.evaluation is None for row in rows),
        "trend": trend,
        "trends": headline_trends(trend.value.figures if trend and trend.value else None, by_votes=by_votes),
        "by_votes": by_votes,
        "schedule": schedule,
        "schedule_next": schedule.next_at(timezone.now()) if schedule else None,
        "schedule_form": schedule_form(campaign, schedule),
        "reason_length": REASON_LENGTH,
        "champion": current_champion,
        "reference": reference,
        "outdated": _in_sentence(outdated),
        "backbone_change": backbone_change(campaign, current_champion),
        "champion_misfit": _champion_misfit(current_champion, campaign),
        "evaluation_request": EvaluationRequest.objects.filter(campaign=campaign).first(),
        # No run is requested while another one is live, so it is the newest.
        "live_run": runs[0] if runs and runs[0].state in TrainingRun.LIVE else None,
        "last_learned": last,
        "last_misfit": version_misfit(last.challenger, campaign) if last and last.challenger else "",
        "answers": answers,
        "counts": kept,
        "exposed_answers": exposed_answers,
        "exposed_answers_label": gettext(EXPOSED_ANSWERS_LABEL),
        "recipes": list(RECIPES.values()),
        "default_recipe": DEFAULT_RECIPE,
        "promotion_rule": rule_of(campaign).description,
        "holdout_use": holdout_use(current_champion) if current_champion else None,
        "drift": drift_part(campaign),
        "learning_curve": curve_part(campaign),
        "runs": runs,
        "promotions": changes,
        "verdict_words": verdict_words(one.evaluation for one in changes),
        "site_problems": site_problems(),
        "champion_problem": version_problem(current_champion) if current_champion else "",
    }
    return render(request, "training/models.html", context)


@require_POST
@campaign_view(Role.ADMIN)
def models_evaluate(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Let a worker evaluate all versions on the present holdout votes."""
    evaluations_request(campaign=campaign)
    announce(versions_evaluate, campaign.pk, expires=MESSAGE_SECONDS)
    messages.success(
        request,
        gettext(
            "A worker is evaluating all versions on the current holdout votes. Reload this page to see the results."
        ),
    )
    return redirect("models", campaign.slug)


@require_POST
@campaign_view(Role.ADMIN)
def model_promote(request: HttpRequest, campaign: Campaign, number: int) -> HttpResponse:
    """Make a version the champion. The form has the `reason`, which is needed when the promotion rule disagrees."""
    return _change_champion(request, campaign, number, Promotion.Kind.MANUAL)


@require_POST
@campaign_view(Role.ADMIN)
def model_rollback(request: HttpRequest, campaign: Campaign, number: int) -> HttpResponse:
    """Roll back to a former champion."""
    return _change_champion(request, campaign, number, Promotion.Kind.ROLLBACK)


def _change_champion(request: HttpRequest, campaign: Campaign, number: int, kind: Promotion.Kind) -> HttpResponse:
    assert isinstance(request.user, User)
    version = row_or_404(gettext("model version"), ModelVersion, campaign=campaign, number=number)
    try:
        promotion_by_admin(
            version=version, kind=kind, by=request.user, reason=request.POST.get("reason", ""), must_explain=True
        )
    except PromotionError as error:
        messages.error(request, str(error))
    else:
        announce(predictions_run, version.pk)
        messages.success(
            request, gettext("Version %(number)s is now the champion. Updating predictions…") % {"number": number}
        )
    return redirect("models", campaign.slug)


def _in_sentence(text: str) -> str:
    """Return a sentence as a part of another one."""
    return f"{text[:1].lower()}{text[1:]}"


def _columns(rows: list[VersionRow]) -> list[tuple[Metric, int | None]]:
    """Return the metrics of the table with their number of photos on the common holdout; None if nothing is on it."""
    common = next((row for row in rows if row.is_common), None)
    figures = [own for own, _ in common.cells] if common else [None] * len(COLUMNS)
    return [(METRICS[name], one.n if one else None) for name, one in zip(COLUMNS, figures, strict=True)]


def _champion_misfit(version: ModelVersion | None, campaign: Campaign) -> str:
    return (version_misfit(version, campaign) or features_misfit(version)) if version else ""


def _card(
    version: ModelVersion,
    campaign: Campaign,
    evaluation: Evaluation | None,
    reference: Evaluation | None,
    *,
    has_been_champion: bool,
) -> VersionCard:
    """Return the card; `reference` is the champion's newest evaluation."""
    return VersionCard(
        version=version,
        evaluation=evaluation,
        figures=measured_pairs(evaluation.metrics, evaluation.differences) if evaluation else [],
        verdict=verdict_of(evaluation) if evaluation else None,
        inverted=inverted_names(evaluation) if evaluation else [],
        not_comparable=_not_comparable(evaluation, reference) if evaluation else "",
        classes=synsets_text(version.synsets),
        misfit=version_misfit(version, campaign),
        file_problem=version_problem(version) or version_weights_problem(version),
        can_return=has_been_champion,
        recipe_label=gettext(recipe.label) if (recipe := _recipe_used(version)) else "",
    )


def _recipe_used(version: ModelVersion) -> Recipe | None:
    """Return the recipe that made the quality head; of the automatic choice, the one that it chose."""
    figures = version.figures
    return RECIPES.get(figures.get("comparison", {}).get("chosen") or figures.get("recipe", ""))


def _not_comparable(evaluation: Evaluation, reference: Evaluation | None) -> str:
    if reference is None:
        return gettext("The champion has not been evaluated, so there is nothing to compare with.")
    if same_holdout(evaluation, reference):
        return ""
    if evaluation.fingerprint != reference.fingerprint:
        how = gettext("on other votes")
    else:
        how = gettext("on other photos") if same_settings(evaluation, reference) else gettext("with other settings")
    return gettext("Measured %(how)s than the champion (version %(number)s): not comparable.") % {
        "how": how,
        "number": reference.model_version.number,
    }
