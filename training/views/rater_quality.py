"""The page Annotator quality: verdicts about annotators, decisions of reviewers, and the anchoring experiment."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.drawing.axis import Tick, round_ticks
from annotation.drawing.lines import Line, LineMark, lines, marks_on_line
from annotation.drawing.svg import Svg
from annotation.measures.signs import signed
from annotation.models import Campaign, Image, Role, ScreeningDecision, StoredFigures, User
from annotation.raters.anchoring import FEWEST_PHOTOS, AnchoringShift
from annotation.raters.attention import STRAIGHT_LINE_ANSWERS
from annotation.raters.screening import FEWEST_SHOWN, LEAST_GOLD, LEAST_INFORMATION, MOST_SKIPPED, Verdict
from annotation.selectors import panel
from annotation.selectors import rater_quality as selectors
from annotation.services.queue_lanes import REPEAT_AFTER
from annotation.services.screening import (
    DEFAULT_WEIGHT,
    LEAST_WEIGHT,
    MOST_WEIGHT,
    REASON_LENGTH,
    ScreeningError,
    screening_decide,
    screening_undo,
)
from annotation.views.stored_figures import figures_for_page
from training.evaluation.findings import anchoring_finding, rater_finding
from training.selectors.anchoring import anchored_answers, anchoring_measure

_LISTED = 50  # annotators on one page, those to look at first
_ORDER = [Verdict.FLAGGED, Verdict.UNKNOWN, Verdict.FINE]


@campaign_view(Role.REVIEWER)
def rater_quality(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the verdict about each annotator with its evidence and the live decisions, and the anchoring experiment."""
    stored = figures_for_page(campaign, StoredFigures.Kind.RATERS)
    if stored.value is None:
        return render(request, "training/rater_quality.html", {"campaign": campaign, "stored": stored})
    measured = anchoring_measure(campaign)
    annotators = sorted(selectors.rater_qualities(campaign, stored.value), key=lambda one: _ORDER.index(one.verdict))
    verdicts = [one.verdict for one in annotators]
    page = Paginator(annotators, _LISTED).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "campaign": campaign,
        "stored": stored,
        "annotators": page,
        "rows": [(one, _drift_drawing(one)) for one in page],
        "annotators_title": rater_finding(
            verdicts.count(Verdict.FLAGGED), verdicts.count(Verdict.UNKNOWN), len(annotators)
        ),
        "decisions": ScreeningDecision.Decision.choices,
        "reason_length": REASON_LENGTH,
        "weight_percent": {
            "least": round(100 * LEAST_WEIGHT),
            "most": round(100 * MOST_WEIGHT),
            "usual": round(100 * DEFAULT_WEIGHT),
        },
        "fewest_shown": FEWEST_SHOWN,
        "panel_votes": panel.VOTES,
        "least_gold": LEAST_GOLD,
        "least_information": LEAST_INFORMATION,
        "has_anchoring": campaign.anchoring_share > 0 and campaign.mode != Campaign.Mode.PRELABEL,
        "anchored": measured.anchored_answers if measured else anchored_answers(campaign).count(),
        "fewest_photos": FEWEST_PHOTOS,
        "gold_photos": campaign.images.filter(role=Image.Role.GOLD, problem="").count(),
        "gold_tolerance": selectors.gold_tolerance(campaign),
        "repeat_after": REPEAT_AFTER,
        "latest": selectors.LATEST,
        "most_skipped": MOST_SKIPPED,
        "straight_line_answers": STRAIGHT_LINE_ANSWERS,
    }
    if measured:
        context |= {
            "measured": measured,
            "distances": _distances(measured),
            "anchoring_title": anchoring_finding(measured),
        }
    return render(request, "training/rater_quality.html", context)


@require_POST
@campaign_view(Role.REVIEWER)
def rater_decide(request: HttpRequest, campaign: Campaign, user_id: int) -> HttpResponse:
    """Store a decision about an annotator: `decision`, `reason`, and with 'down-weight' the `weight` in percent."""
    annotator = row_or_404("annotator", User, pk=user_id)
    assert isinstance(request.user, User)  # campaign_view requires a login
    try:
        made = screening_decide(
            campaign=campaign,
            annotator=annotator,
            decision=request.POST.get("decision", ""),
            reason=request.POST.get("reason", ""),
            weight=_weight(request.POST.get("weight", "")),
            by=request.user,
        )
    except ScreeningError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{annotator.username}: {made.summary}.")
    return redirect("rater-quality", campaign.slug)


def _weight(percent: str) -> float | None:
    """Return the weight from a number of percent; None for an empty text, NaN for one that is no number."""
    try:
        return float(percent) / 100 if percent.strip() else None
    except ValueError:
        return float("nan")


@require_POST
@campaign_view(Role.REVIEWER)
def rater_undo(request: HttpRequest, campaign: Campaign, decision_id: int) -> HttpResponse:
    """End a decision about an annotator."""
    decision = row_or_404("decision", campaign.screening_decisions.select_related("annotator"), pk=decision_id)
    assert isinstance(request.user, User)  # campaign_view requires a login
    try:
        if screening_undo(decision=decision, by=request.user):
            messages.success(
                request,
                gettext("The decision about %(username)s was undone.") % {"username": decision.annotator.username},
            )
        else:
            messages.info(request, gettext("This decision was already undone or replaced."))
    except ScreeningError as error:
        messages.error(request, str(error))
    return redirect("rater-quality", campaign.slug)


def _drift_drawing(one: selectors.RaterQuality) -> Svg | str:
    """Draw the mean difference from the others over the annotator's answers, with its interval; "" if it is unknown."""
    parts = one.panel.drift if one.panel is not None else []
    if not parts:
        return ""
    xs = [(part.first + part.last) / 2 for part in parts]
    means, low, high = ([getattr(part, name) for part in parts] for name in ("mean", "low", "high"))
    ends = min(-0.1, *low), max(0.1, *high)
    return lines(
        name=gettext(
            "%(username)s: mean difference from the others over %(answers)s answers, from %(first)s points in the "
            "first part to %(last)s in the last, with 95 %% intervals"
        )
        % {
            "username": one.username,
            "answers": parts[-1].last,
            "first": signed(means[0]),
            "last": signed(means[-1]),
        },
        lines=[
            Line("axis", [xs[0], xs[-1]], [0.0, 0.0]),
            Line("validation", xs, means),
            Line("train", xs, low),
            Line("train", xs, high),
        ],
        x_range=(xs[0], xs[-1]),
        y_range=ends,
        x_ticks=[Tick(xs[0], f"{parts[0].first}"), Tick(xs[-1], f"{parts[-1].last}")],
        y_ticks=round_ticks(*ends, at_most=5),
        x_label=gettext("answer"),
        height=100,
    )


def _distances(measured: AnchoringShift) -> Svg:
    """Draw the mean distance of blind and of anchored answers from the prediction, with the interval of the shift."""
    blind, anchored = measured.blind_distance, measured.anchored_distance
    return marks_on_line(
        name=gettext(
            "Mean distance from the prediction: blind answers %(blind)s points, answers after seeing the prediction "
            "%(anchored)s points."
        )
        % {"blind": f"{blind:.2f}", "anchored": f"{anchored:.2f}"},
        marks=[
            LineMark("model", 0, gettext("prediction")),
            LineMark("people faint", blind, gettext("blind %(points)s") % {"points": f"{blind:.2f}"}),
            LineMark(
                "people", anchored, gettext("shown first %(points)s") % {"points": f"{anchored:.2f}"}, is_above=False
            ),
        ],
        interval=(blind - measured.shift.high, blind - measured.shift.low),
    )
