"""The page on which people judge photos."""

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse

from annotation.models import Campaign, Role
from annotation.permissions import campaign_view

SCORE_BUTTONS = 12  # scales with more bins get a slider and a number field
SKIP_REASONS = [
    "I cannot judge this photo",
    "It does not load or is damaged",
    "It should not be here",
    "Another reason",
]
# What annotate.js imports, named so that the browser fetches all at once.
MODULES = ["annotate", "answer_log", "api", "keys", "leases", "outbox", "photo_deck", "reveal", "status_line"]


@campaign_view(Role.ANNOTATOR)
def annotate(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the page; its script leases the photos and sends the answers through the API."""
    return render(
        request,
        "annotation/annotate.html",
        {
            "campaign": campaign,
            "config": _config(campaign, request),
            "scores": campaign.scores if campaign.bins <= SCORE_BUTTONS else None,
            "score_buttons": [(score, score_keys(campaign).get(score, "")) for score in campaign.scores],
            "skip_reasons": SKIP_REASONS,
            "modules": [static(f"js/{name}.js") for name in MODULES],
        },
    )


def score_keys(campaign: Campaign) -> dict[int, str]:
    """Return the digit key of each score that has one: its own digit, and 0 for 10 where the scale starts above 0.

    On a scale too long for buttons digits spell numbers, so no score has a key.
    """
    if campaign.bins > SCORE_BUTTONS:
        return {}
    keys = {score: str(score) for score in campaign.scores if score <= 9}
    if campaign.scale_min > 0 and 10 in campaign.scores:
        keys[10] = "0"
    return keys


def _config(campaign: Campaign, request: HttpRequest) -> dict[str, Any]:
    return {
        "annotator": request.user.pk,
        "mode": campaign.mode,
        "lowest": campaign.scale_min,
        "highest": campaign.scale_max,
        "scoreKeys": {key: score for score, key in score_keys(campaign).items()},
        "leaseSeconds": campaign.lease_seconds,
        # Instructions that were changed are shown once more.
        "instructions": hashlib.sha256(campaign.instructions.encode()).hexdigest()[:12],
        "slug": campaign.slug,
        "api": f"{reverse('api-1:api-root')}campaigns/{campaign.slug}",
    }
