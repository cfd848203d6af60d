"""Sending photos for more votes, and taking it back. For reviewers."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, gettext_noop, ngettext
from django.views.decorators.http import require_POST

from annotation.access.permissions import campaign_view
from annotation.models import Campaign, Role, User
from annotation.selectors.adjudications import predictions_hidden
from annotation.services.vote_requests import MORE_VOTES, VoteRequestError, votes_request, votes_request_undo


@require_POST
@campaign_view(Role.REVIEWER)
def votes_more(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Ask for more votes on the posted photos `image`, and go back to the page `next`.

    Photos whose predictions are hidden from the reviewer are left out: who sends them could know from the answer that
    people and model disagree.
    """
    assert isinstance(request.user, User)  # campaign_view refuses anonymous users
    hidden = {row["image_id"] for row in predictions_hidden(campaign, request.user)}
    chosen = {int(text) for text in request.POST.getlist("image") if text.isdecimal() and len(text) < 18}
    reason = request.POST.get("reason", "").strip() or gettext_noop("a reviewer asked for more votes")
    try:
        sent = votes_request(campaign=campaign, image_ids=chosen - hidden, by=request.user, reason=reason)
    except VoteRequestError as refused:
        messages.error(request, str(refused))
    else:
        if sent.photos:
            messages.success(
                request,
                gettext("Sent %(photos)s for %(more_votes)s more votes each.")
                % {"photos": _photos(sent.photos), "more_votes": MORE_VOTES},
            )
        if sent.waiting:
            messages.info(
                request,
                gettext("Sent before and still waiting for votes: %(waiting)s.") % {"waiting": _photos(sent.waiting)},
            )
        if sent.left_out:
            messages.warning(
                request,
                gettext("Not sent, because no longer in the queue: %(left_out)s.")
                % {"left_out": _photos(sent.left_out)},
            )
    return _back(request, campaign)


@require_POST
@campaign_view(Role.REVIEWER)
def votes_more_undo(request: HttpRequest, campaign: Campaign, batch: uuid.UUID) -> HttpResponse:
    """Take a request back, and go back to the page `next`."""
    count = len(votes_request_undo(campaign=campaign, batch=batch, by=request.user))  # type: ignore[arg-type]  # as above
    if count:
        messages.success(
            request,
            gettext("Undone for %(count)s. Votes that have come in the meantime stay.") % {"count": _photos(count)},
        )
    else:
        messages.info(request, gettext("This was undone before."))
    return _back(request, campaign)


def _back(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Go to the page that the form came from, or to the disputed photos."""
    place = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(place, allowed_hosts=None):
        place = reverse("adjudications", args=[campaign.slug])
    return redirect(place)


def _photos(count: int) -> str:
    return ngettext("%(count)s photo", "%(count)s photos", count) % {"count": f"{count:,}"}
