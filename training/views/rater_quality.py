"""The page Annotator quality: the anchoring experiment, and how consistently each annotator rates."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from annotation.access.permissions import campaign_view
from annotation.drawing.lines import LineMark, marks_on_line
from annotation.drawing.svg import Svg
from annotation.models import Campaign, Image, Role
from annotation.raters.anchoring import FEWEST_PHOTOS, AnchoringShift
from annotation.raters.attention import STRAIGHT_LINE_ANSWERS
from annotation.selectors import rater_quality as selectors
from annotation.services.queue_lanes import REPEAT_AFTER
from training.evaluation.findings import anchoring_finding, rater_finding
from training.selectors.anchoring import anchored_answers, anchoring_measure


@campaign_view(Role.REVIEWER)
def rater_quality(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the anchoring experiment, and a table with one row per annotator and the issues found."""
    measured = anchoring_measure(campaign)
    annotators = selectors.rater_qualities(campaign)
    context: dict[str, Any] = {
        "campaign": campaign,
        "annotators": annotators,
        "annotators_title": rater_finding(sum(bool(one.flags) for one in annotators), len(annotators)),
        "has_anchoring": campaign.anchoring_share > 0 and campaign.mode != Campaign.Mode.PRELABEL,
        "anchored": measured.anchored_answers if measured else anchored_answers(campaign).count(),
        "fewest_photos": FEWEST_PHOTOS,
        "gold_photos": campaign.images.filter(role=Image.Role.GOLD, problem="").count(),
        "gold_tolerance": selectors.gold_tolerance(campaign),
        "repeat_after": REPEAT_AFTER,
        "latest": selectors.LATEST,
        "fewest_for_a_flag": selectors.FEWEST_FOR_A_FLAG,
        "most_skipped": selectors.MOST_SKIPPED,
        "straight_line_answers": STRAIGHT_LINE_ANSWERS,
    }
    if measured:
        context |= {
            "measured": measured,
            "distances": _distances(measured),
            "anchoring_title": anchoring_finding(measured),
        }
    return render(request, "training/rater_quality.html", context)


def _distances(measured: AnchoringShift) -> Svg:
    """Draw the mean distance of blind and of anchored answers from the prediction, with the interval of the shift."""
    blind, anchored = measured.blind_distance, measured.anchored_distance
    return marks_on_line(
        name=f"Mean distance from the prediction: blind answers {blind:.2f} points, "
        f"answers after seeing the prediction {anchored:.2f} points.",
        marks=[
            LineMark("model", 0, "prediction"),
            LineMark("people faint", blind, f"blind {blind:.2f}"),
            LineMark("people", anchored, f"shown first {anchored:.2f}", is_above=False),
        ],
        interval=(blind - measured.shift.high, blind - measured.shift.low),
    )
