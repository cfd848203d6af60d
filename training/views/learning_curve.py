"""The learning curve of a campaign on the models page: start, progress and result."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.drawing.svg import Svg
from annotation.measures.figures_text import figures_read
from annotation.models import Campaign, HourlyUse, Role, User
from annotation.services.quotas import QuotaUsedUp, quota_take
from annotation.tasks import announce
from training.drawing.learning_curve import rps_chart, srcc_chart
from training.evaluation.curve_gain import CurveReport
from training.evaluation.curve_words import CurveWords, curve_words
from training.models import LearningCurve
from training.services.learning_curves import curve_request
from training.tasks import MESSAGE_SECONDS, learning_curve_measure
from training.views.runs import PATIENCE


@dataclass(frozen=True)
class CurvePart:
    """The newest curve, as the models page shows it."""

    live: LearningCurve | None
    """The curve that waits or is being measured."""
    waits_long: bool
    failed: LearningCurve | None
    """The newest attempt, if it failed."""
    done: LearningCurve | None
    """The newest result, or what is missing for one."""
    report: CurveReport | None
    words: CurveWords | None
    charts: list[tuple[str, Svg | None]]

    @property
    def percent(self) -> int:
        """Return the progress of the live curve in percent."""
        return round(100 * self.live.progress) if self.live else 0


def curve_part(campaign: Campaign) -> CurvePart:
    """Return the curves of a campaign for its page (one query)."""
    rows = list(LearningCurve.objects.filter(campaign=campaign)[:3])
    live = next((one for one in rows if one.state in LearningCurve.LIVE), None)
    ended = [one for one in rows if one.state not in LearningCurve.LIVE]
    failed = ended[0] if ended and ended[0].state == LearningCurve.State.FAILED else None
    done = next((one for one in ended if one.state == LearningCurve.State.DONE), None)
    report = figures_read(CurveReport, done.result) if done and done.result else None
    return CurvePart(
        live=live,
        waits_long=bool(
            live and live.state == LearningCurve.State.QUEUED and timezone.now() - live.created_at > PATIENCE
        ),
        failed=failed,
        done=done,
        report=report,
        words=curve_words(report, margin=campaign.promotion_margin) if report else None,
        charts=[
            (gettext("Rank correlation with the votes (SRCC)"), srcc_chart(report)),
            (gettext("RPS, lower is better"), rps_chart(report)),
        ]
        if report
        else [],
    )


@require_safe
@campaign_view(Role.REVIEWER)
def learning_curve_live(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the part of the models page with the curve."""
    return render(
        request, "training/_learning_curve.html", {"campaign": campaign, "learning_curve": curve_part(campaign)}
    )


@require_POST
@campaign_view(Role.ADMIN)
def learning_curve_start(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Let a worker measure the curve. It counts as a training run among those that one hour allows."""
    assert isinstance(request.user, User)
    if not LearningCurve.objects.filter(campaign=campaign, state__in=LearningCurve.LIVE).exists():
        try:
            quota_take(user=request.user, kind=HourlyUse.Kind.TRAINING_RUNS)
        except QuotaUsedUp as used_up:
            quota = used_up.quota
            messages.error(
                request,
                gettext(
                    "You have started %(limit)s training runs and learning curves in this hour, as many as are "
                    "allowed. You can start the next one at %(until_text)s."
                )
                % {"limit": quota.limit, "until_text": quota.until_text},
            )
            return redirect("models", campaign.slug)
    curve = curve_request(campaign=campaign, by=request.user)
    if curve.state == LearningCurve.State.QUEUED:
        announce(learning_curve_measure, curve.pk, expires=MESSAGE_SECONDS)
    return redirect("models", campaign.slug)
