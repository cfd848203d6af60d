"""The page on which people rate photos."""

import hashlib
from typing import Any, cast

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.http import require_POST

from annotation.access.permissions import campaign_view
from annotation.models import Annotation, Campaign, Image, Role, ScreeningDecision, User
from annotation.selectors.progress import has_practised
from annotation.selectors.screening import reread_request
from annotation.services.comments import COMMENT_LENGTH
from annotation.services.key_bindings import ACTION_NAMES, key_bindings_of, key_name
from annotation.services.screening import reread_confirm

SCORE_BUTTONS = 12  # a scale with more bins has a slider and a number field
SKIP_REASONS = [
    gettext_noop("I cannot judge this photo"),
    gettext_noop("It does not load or is damaged"),
    gettext_noop("It should not be here"),
    gettext_noop("Another reason"),
]
# The modules of static/js/annotate/. The page names all of them, so that the browser loads them at once.
MODULES = [
    "annotate",
    "answer",
    "answer_bar",
    "answer_file",
    "answer_hints",
    "answer_log",
    "api",
    "break_clock",
    "comment_box",
    "controls",
    "end_screen",
    "gestures",
    "glance",
    "help_dialog",
    "key_settings",
    "keys",
    "last_answers",
    "leases",
    "note",
    "outbox",
    "pace",
    "photo_buffer",
    "photo_deck",
    "practice",
    "practice_scale",
    "presence",
    "progress_panel",
    "reveal",
    "safety_panel",
    "session",
    "skip_menu",
    "stage_card",
    "status_line",
    "swipe",
    "zoom",
    "zoom_controls",
]
# What each key does, as the help dialog says it.
_PURPOSES = {
    "watch_yes": gettext_lazy("Watch"),
    "watch_no": gettext_lazy("No watch"),
    "watch_unsure": gettext_lazy("Unsure (“maybe”)"),
    "skip": gettext_lazy("Skip the photo and give a reason"),
    "undo": gettext_lazy("Go back to the previous photo"),
    "keep": gettext_lazy("Keep an earlier answer"),
    "zoom": gettext_lazy("Zoom to 100 % and back. Arrow keys pan"),
    "last": gettext_lazy("The last answers, to give one again"),
    "comment": gettext_lazy("Write to the campaign's admins about this photo"),
    "progress": gettext_lazy("Your session: goal, photos left, photos to load ahead"),
    "help": gettext_lazy("Show this help"),
}


@campaign_view(Role.ANNOTATOR)
def annotate(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the page. Its script leases photos and sends answers through the API."""
    user = cast(User, request.user)  # campaign_view requires a login
    user.refresh_from_db(fields=["key_bindings", "session_goal"])  # together, instead of one query each
    shown_photos = list(
        campaign.images.filter(role__in=Image.TAUGHT, problem="").order_by(
            F("expected_score").asc(nulls_last=True), "pk"
        )
    )
    has_practice = any(image.role == Image.Role.PRACTICE for image in shown_photos)
    bindings = key_bindings_of(user)
    reread = reread_request(campaign, user)
    config = {
        **_config(campaign, user, reread),
        "keyBindings": bindings,
        "practise": has_practice and not has_practised(campaign, user),
    }
    return render(
        request,
        "annotation/annotate.html",
        {
            "campaign": campaign,
            "config": config,
            "scores": campaign.scores if campaign.bins <= SCORE_BUTTONS else None,
            "score_buttons": [(score, score_keys(campaign).get(score, "")) for score in campaign.scores],
            "skip_reasons": SKIP_REASONS,
            "other_reason": SKIP_REASONS[-1],
            "comment_length": COMMENT_LENGTH,
            "examples": [
                (image, dict(Annotation.Watch.choices).get(image.expected_watch, ""))
                for image in shown_photos
                if image.role == Image.Role.EXAMPLE
            ],
            "has_practice": has_practice,
            "reread": reread if reread and reread.read_at is None else None,
            "keys": {action: key_name(key) for action, key in bindings.items()},
            "key_actions": [
                (action, ACTION_NAMES[action], key_name(bindings[action]), purpose)
                for action, purpose in _PURPOSES.items()
            ],
            "modules": [static(f"js/annotate/{name}.js") for name in MODULES],
        },
    )


@require_POST
@campaign_view(Role.ANNOTATOR)
def instructions_read(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Store that the user has read the instructions again, as a reviewer asked."""
    reread_confirm(campaign=campaign, annotator=cast(User, request.user))
    return redirect("annotate", campaign.slug)


def score_keys(campaign: Campaign) -> dict[int, str]:
    """Return {score: digit key}: the score's own digit, and 0 for score 10 if the scale starts above 0.

    Empty for a scale that is too long for buttons: there people type the score as a number.
    """
    if campaign.bins > SCORE_BUTTONS:
        return {}
    keys = {score: str(score) for score in campaign.scores if score <= 9}
    if campaign.scale_min > 0 and 10 in campaign.scores:
        keys[10] = "0"
    return keys


def _config(campaign: Campaign, user: User, reread: ScreeningDecision | None) -> dict[str, Any]:
    # A digest: the page shows the instructions again after a change, and once after a request to read them.
    instructions = f"{campaign.instructions}{reread.pk if reread else ''}"
    return {
        "annotator": user.pk,
        "mode": campaign.mode,
        "lowest": campaign.scale_min,
        "highest": campaign.scale_max,
        "scoreKeys": {key: score for score, key in score_keys(campaign).items()},
        "leaseSeconds": campaign.lease_seconds,
        "breakMinutes": campaign.break_minutes,
        "sessionGoal": user.session_goal,
        "keysUrl": reverse("api-1:me-keys"),
        "goalUrl": reverse("api-1:me-session-goal"),
        "workUrl": reverse("api-1:me-work"),
        "ownWorkUrl": reverse("own-work", args=[campaign.slug]),
        "instructions": hashlib.sha256(instructions.encode()).hexdigest()[:12],
        "campaign": campaign.pk,
        "api": f"{reverse('api-1:api-root')}campaigns/{campaign.slug}",
    }
