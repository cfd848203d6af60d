"""Training runs: start, progress page, cancel."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from os import SEEK_END
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.models import Campaign, HourlyUse, Role, User
from annotation.services.counts import counts_of
from annotation.services.quotas import QuotaUsedUp, quota_take
from annotation.tasks import announce, counts_announce
from training.drawing.loss_curve import loss_curve
from training.evaluation.measured import measured_pairs
from training.learning.choice import Choice
from training.learning.network_gain import NetworkGain
from training.learning.registry import DEFAULT_RECIPE, OLDEST_RECIPE, RECIPES
from training.models import Evaluation, TrainingRun
from training.selectors.runs import exposed_answers_on, live_run
from training.selectors.stored_texts import verdict_words
from training.selectors.verdicts import inverted_names, verdict_of
from training.services.counts import changed_since_kept
from training.services.runs import run_cancel, run_request
from training.tasks import MESSAGE_SECONDS, run_execute

_LOG_LINES, _LOG_BYTES = 30, 16_384  # of the log on the page
PATIENCE = timedelta(seconds=10)  # after this wait in the queue, the page explains how to start a worker


@require_safe
@campaign_view(Role.REVIEWER)
def run_page(request: HttpRequest, campaign: Campaign, run_id: int) -> HttpResponse:
    """Show a run. The live part of the page is updated until the run ends."""
    return render(request, "training/run.html", _context(request, campaign, run_id))


@require_safe
@campaign_view(Role.REVIEWER)
def run_live(request: HttpRequest, campaign: Campaign, run_id: int) -> HttpResponse:
    """Show the live part of a run's page."""
    return render(request, "training/_run.html", _context(request, campaign, run_id))


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
        messages.error(
            request, gettext("There is no recipe “%(recipe)s”. Choose one of the list.") % {"recipe": recipe[:40]}
        )
        return redirect("models", campaign.slug)
    if live_run(campaign) is None:
        try:
            quota_take(user=request.user, kind=HourlyUse.Kind.TRAINING_RUNS)
        except QuotaUsedUp as used_up:
            quota = used_up.quota
            messages.error(
                request,
                gettext(
                    "You have started %(limit)s training runs in this hour, as many as are allowed. You can "
                    "start the next one at %(until_text)s."
                )
                % {"limit": quota.limit, "until_text": quota.until_text},
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
    run = row_or_404(gettext("training run"), TrainingRun, campaign=campaign, pk=run_id)
    if run.state in TrainingRun.LIVE:
        run_cancel(run=run, by=request.user)
    else:
        messages.info(
            request,
            gettext("Run %(number)s has already ended: %(get_state_display)s.")
            % {"number": run.number, "get_state_display": run.get_state_display()},
        )
    return redirect("run", campaign.slug, run.pk)


@require_safe
@campaign_view(Role.ADMIN)
def run_log(request: HttpRequest, campaign: Campaign, run_id: int) -> FileResponse:
    """Return the whole log of the newest attempt. Only for admins: it can name folders of the server."""
    run = row_or_404(gettext("training run"), TrainingRun, campaign=campaign, pk=run_id)
    if not run.log.exists():
        raise Http404(gettext("This run has no log. Runs of the command line write to its terminal."))
    return FileResponse(
        run.log.open("rb"),
        as_attachment=True,
        filename=f"{campaign.slug}-run-{run.number}.log",
        content_type="text/plain; charset=utf-8",
    )


@dataclass(frozen=True)
class Step:
    """One step of a run."""

    name: str
    began: datetime
    took: timedelta
    """Until the next step, or until the end of the run or now."""
    is_now: bool


def _steps(run: TrainingRun) -> list[Step]:
    began = [datetime.fromisoformat(step["at"]) for step in run.steps]
    ends = [*began[1:], run.finished_at or timezone.now()]
    live = run.state == TrainingRun.State.RUNNING
    return [
        Step(step["name"], at, max(end - at, timedelta(0)), live and place == len(began) - 1)
        for place, (step, at, end) in enumerate(zip(run.steps, began, ends, strict=False))
    ]


def _log_end(run: TrainingRun) -> list[str]:
    """Return the last lines of the log; [] without one."""
    try:
        with run.log.open("rb") as file:
            file.seek(0, SEEK_END)
            file.seek(max(0, file.tell() - _LOG_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return text.splitlines()[-_LOG_LINES:]


def _context(request: HttpRequest, campaign: Campaign, run_id: int) -> dict[str, Any]:
    run = row_or_404(
        gettext("training run"),
        TrainingRun.objects.select_related("challenger", "requested_by"),
        campaign=campaign,
        pk=run_id,
    )
    evaluation = None
    if run.state == TrainingRun.State.DONE and run.challenger is not None:
        evaluation = (
            Evaluation.objects.filter(run=run, model_version=run.challenger)
            .select_related("against", "look", "model_version__campaign")
            .first()
        )
    kept = counts_of(campaign)
    outdated = changed_since_kept(evaluation, kept) if evaluation else ""
    counts_announce(kept)
    return {
        "campaign": campaign,
        "run": run,
        "live": run.state in TrainingRun.LIVE,
        "percent": round(100 * run.progress),
        "steps": _steps(run),
        "log": _log_end(run) if request.campaign_role == Role.ADMIN else [],  # type: ignore[attr-defined]  # by campaign_view
        "waits_long": run.state == TrainingRun.State.QUEUED and timezone.now() - run.created_at > PATIENCE,
        "curve": loss_curve(run.history),
        "evaluation": evaluation,
        "figures": measured_pairs(evaluation.metrics, evaluation.differences) if evaluation else [],
        "verdict": verdict_of(evaluation) if evaluation else None,
        "verdict_words": verdict_words([evaluation]),
        "inverted": inverted_names(evaluation) if evaluation else [],
        "outdated": outdated,
        "recipe": RECIPES.get(run.recipe.get("recipe", OLDEST_RECIPE)),
        "choice": Choice.of(run.challenger.figures) if run.challenger else None,
        "network": NetworkGain.of(run.challenger.figures) if run.challenger else None,
        "exposed_answers": exposed_answers_on(run),
    }
