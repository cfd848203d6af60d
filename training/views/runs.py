"""Training runs: start, progress page, cancel."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.models import Campaign, HourlyUse, Role, User
from annotation.services.quotas import QuotaUsedUp, quota_take
from annotation.tasks import announce
from training.drawing.loss_curve import loss_curve
from training.evaluation.measured import measured_pairs
from training.learning.choice import Choice
from training.learning.network_gain import NetworkGain
from training.learning.registry import DEFAULT_RECIPE, OLDEST_RECIPE, RECIPES
from training.models import Evaluation, TrainingRun
from training.selectors.runs import exposed_answers_on, live_run
from training.selectors.verdicts import inverted_names, verdict_of
from training.selectors.versions import changed_since
from training.services.runs import run_cancel, run_request
from training.tasks import MESSAGE_SECONDS, run_execute

PATIENCE = timedelta(seconds=10)  # after this wait in the queue, the page explains how to start a worker


@require_safe
@campaign_view(Role.REVIEWER)
def run_page(request: HttpRequest, campaign: Campaign, run_id: int) -> HttpResponse:
    """Show a run. The live part of the page is updated until the run ends."""
    return render(request, "training/run.html", _context(campaign, run_id))


@require_safe
@campaign_view(Role.REVIEWER)
def run_live(request: HttpRequest, campaign: Campaign, run_id: int) -> HttpResponse:
    """Show the live part of a run's page."""
    return render(request, "training/_run.html", _context(campaign, run_id))


@require_POST
@campaign_view(Role.ADMIN)
def run_start(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Request a run and redirect to its page. If a run is already live, redirect to that one.

    When the user has started as many runs as one hour allows, or names an unknown recipe, redirect to the models with a
    message.
    """
    assert isinstance(request.user, User)
    recipe = request.POST.get("recipe", DEFAULT_RECIPE)
    if recipe not in RECIPES:
        messages.error(request, f"There is no recipe “{recipe[:40]}”. Choose one of the list.")
        return redirect("models", campaign.slug)
    if live_run(campaign) is None:
        try:
            quota_take(user=request.user, kind=HourlyUse.Kind.TRAINING_RUNS)
        except QuotaUsedUp as used_up:
            quota = used_up.quota
            messages.error(
                request,
                f"You have started {quota.limit} training runs in this hour, as many as are allowed. "
                f"You can start the next one at {quota.until_text}.",
            )
            return redirect("models", campaign.slug)
    run = run_request(
        campaign=campaign,
        trigger=TrainingRun.Trigger.BUTTON,
        by=request.user,
        exposed_answers="exposed_answers" in request.POST,
        recipe=recipe,
    )
    if run.state == TrainingRun.State.QUEUED:
        announce(run_execute, run.pk, expires=MESSAGE_SECONDS)
    return redirect("run", campaign.slug, run.pk)


@require_POST
@campaign_view(Role.ADMIN)
def run_stop(request: HttpRequest, campaign: Campaign, run_id: int) -> HttpResponse:
    """Cancel a queued or running run."""
    assert isinstance(request.user, User)
    run = row_or_404("training run", TrainingRun, campaign=campaign, pk=run_id)
    if run.state in TrainingRun.LIVE:
        run_cancel(run=run, by=request.user)
    else:
        messages.info(request, f"Run {run.pk} has already ended: {run.get_state_display()}.")
    return redirect("run", campaign.slug, run.pk)


def _context(campaign: Campaign, run_id: int) -> dict[str, Any]:
    run = row_or_404(
        "training run", TrainingRun.objects.select_related("challenger", "requested_by"), campaign=campaign, pk=run_id
    )
    evaluation = None
    if run.state == TrainingRun.State.DONE and run.challenger is not None:
        evaluation = (
            Evaluation.objects.filter(run=run, model_version=run.challenger)
            .select_related("against", "look", "model_version__campaign")
            .first()
        )
    return {
        "campaign": campaign,
        "run": run,
        "live": run.state in TrainingRun.LIVE,
        "percent": round(100 * run.progress),
        "waits_long": run.state == TrainingRun.State.QUEUED and timezone.now() - run.created_at > PATIENCE,
        "curve": loss_curve(run.history),
        "evaluation": evaluation,
        "figures": measured_pairs(evaluation.metrics, evaluation.differences) if evaluation else [],
        "verdict": verdict_of(evaluation) if evaluation else None,
        "inverted": inverted_names(evaluation) if evaluation else [],
        "outdated": changed_since(evaluation) if evaluation else "",
        "recipe": RECIPES.get(run.recipe.get("recipe", OLDEST_RECIPE)),
        "choice": Choice.of(run.challenger.figures) if run.challenger else None,
        "network": NetworkGain.of(run.challenger.figures) if run.challenger else None,
        "exposed_answers": exposed_answers_on(run),
    }
