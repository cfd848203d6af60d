"""How people rate: whether the prediction sways them, and whether they agree with themselves and with gold photos."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from annotation.access.permissions import campaign_view
from annotation.models import Campaign, Image, Role
from annotation.raters.anchoring import FEWEST_PHOTOS, AnchoringShift
from annotation.raters.attention import STRAIGHT_LINE_ANSWERS
from annotation.selectors import rater_quality
from annotation.services.queue_lanes import REPEAT_AFTER
from training.evaluation.findings import anchoring_finding, rater_finding
from training.selectors.anchoring import anchored_answers, anchoring_measure

# Room beyond the furthest mark of the picture, so that its label fits.
_MARGIN = 1.15


@campaign_view(Role.REVIEWER)
def rating_practice(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the anchoring experiment and a row for each annotator, with flags in words."""
    measured = anchoring_measure(campaign)
    annotators = rater_quality.rater_qualities(campaign)
    context: dict[str, Any] = {
        "campaign": campaign,
        "annotators": annotators,
        "practice_title": rater_finding(sum(bool(one.flags) for one in annotators), len(annotators)),
        "has_anchoring": campaign.anchoring_share > 0 and campaign.mode != Campaign.Mode.PRELABEL,
        "anchored": measured.anchored_answers if measured else anchored_answers(campaign).count(),
        "fewest_photos": FEWEST_PHOTOS,
        "gold_photos": campaign.images.filter(role=Image.Role.GOLD, problem="").count(),
        "gold_tolerance": rater_quality.gold_tolerance(campaign),
        "repeat_after": REPEAT_AFTER,
        "latest": rater_quality.LATEST,
        "fewest_for_a_flag": rater_quality.FEWEST_FOR_A_FLAG,
        "most_skipped": rater_quality.MOST_SKIPPED,
        "straight_line_answers": STRAIGHT_LINE_ANSWERS,
    }
    if measured:
        context |= {"measured": measured, "picture": _picture(measured), "anchoring_title": anchoring_finding(measured)}
    return render(request, "training/rating_practice.html", context)


def _picture(measured: AnchoringShift) -> dict[str, float]:
    """Return the places of the marks on a line from the prediction outwards, in percent of its length."""
    low, high = (measured.blind_distance - end for end in (measured.shift.high, measured.shift.low))
    low = max(0.0, low)
    longest = _MARGIN * max(measured.blind_distance, measured.anchored_distance, high, 0.1)
    start, length = 4, 92  # room for the outlined mark at the left edge

    def place(distance: float) -> float:
        return start + length * distance / longest

    return {
        "prediction": place(0),
        "blind": place(measured.blind_distance),
        "anchored": place(measured.anchored_distance),
        "low": place(low),
        "high": place(high),
    }
