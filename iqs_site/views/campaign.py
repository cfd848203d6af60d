"""The overview of a campaign, with its live part, and the notices about workers."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.models import Campaign, Role
from annotation.tasks import announce
from inference.networks.config import WeightsMissing
from inference.selectors import WorkQueue, distortions_queue, features_queue
from inference.services.backlog import work_cancel, work_resume, work_retry
from inference.tasks import sweep
from iqs_site import overview

_QUEUES: dict[str, Callable[[Campaign], WorkQueue[Any]]] = {
    "features": lambda campaign: features_queue(campaign.backbone),
    "distortions": lambda campaign: distortions_queue(),
}
_ACTIONS: dict[str, Callable[..., int]] = {"cancel": work_cancel, "resume": work_resume, "retry": work_retry}


@require_safe
def worker_notices(request: HttpRequest) -> HttpResponse:
    """Show problems with the broker or the workers; empty when there are none. For pages that wait for a worker."""
    return render(request, "iqs_site/_worker_notices.html", {"models": overview.workers_status()})


@campaign_view(Role.ANNOTATOR)
def campaign_home(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the overview of a campaign."""
    status, digest = _status(request, campaign)
    return render(request, "iqs_site/campaign.html", {"campaign": campaign, "status_html": status, "digest": digest})


@campaign_view(Role.ANNOTATOR)
def campaign_status(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Return the live part of the overview, or 204 when it is the same as in `?seen=`.

    Unchanged content is not replaced, so that open tables stay open and the focus is kept.
    """
    status, digest = _status(request, campaign)
    if request.GET.get("seen") == digest:
        return HttpResponse(status=204)
    return render(
        request,
        "iqs_site/_campaign_status.html",
        {"campaign": campaign, "status_html": status, "digest": digest},
    )


@require_POST
@campaign_view(Role.ADMIN)
def campaign_work(request: HttpRequest, campaign: Campaign, queue: str, action: str) -> HttpResponse:
    """Cancel the waiting photos of a queue, resume the cancelled ones, or retry the failed ones.

    Returns the updated live part of the overview.
    """
    if queue not in _QUEUES or action not in _ACTIONS:
        raise Http404(gettext("No such queue or action."))
    with suppress(WeightsMissing):  # the live part shows what is missing
        _ACTIONS[action](queue=_QUEUES[queue](campaign), campaign=campaign)
        announce(sweep)
    overview.work_counts_forget(campaign)
    if not request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return redirect("campaign", campaign.slug)
    status, digest = _status(request, campaign)
    return render(
        request, "iqs_site/_campaign_status.html", {"campaign": campaign, "status_html": status, "digest": digest}
    )


def _status(request: HttpRequest, campaign: Campaign) -> tuple[str, str]:
    """Return the live part as HTML, and a digest of it."""
    role: Role = request.campaign_role  # type: ignore[attr-defined]  # set by campaign_view
    status = overview.campaign_status(campaign, request.user, role)  # type: ignore[arg-type]
    html = render_to_string(
        "iqs_site/_campaign_status_content.html", {"campaign": campaign, "role": role, "status": status}
    )
    return html, hashlib.sha256(html.encode()).hexdigest()[:16]
