"""A member's own work: how much, how fast, in agreement with whom, and every answer with the way to correct it."""

from typing import Any
from uuid import uuid4

import numpy as np
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from numpy.typing import NDArray

from annotation.access.permissions import campaign_view
from annotation.forms import CorrectionForm
from annotation.models import Campaign, Role, User
from annotation.selectors.own_work import (
    correction_refused,
    others_shown,
    own_comparison,
    own_days,
    own_history,
    own_repeats,
)
from annotation.selectors.progress import own_progress
from annotation.selectors.votes import own_standing
from annotation.services.annotations import AnnotationError, annotation_record
from annotation.views.annotate import SCORE_BUTTONS

PAGE_SIZE = 30
#: Photos that a comparison needs before it says more about the person than about the photos.
COMPARED_AT_LEAST = 5
_LABELS_AT_MOST = 12
_VIEWING = {"page": "own-work"}  # a correction is not given under the conditions of the annotate page


@require_safe
@campaign_view(Role.ANNOTATOR)
def own_work(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the asker's own work; `?before=` continues the history after the annotation of this number."""
    user = _asker(request)
    asked = request.GET.get("before", "")
    before = int(asked) if asked.isdecimal() and len(asked) < 19 else None
    history, more = own_history(campaign, user, before=before, count=PAGE_SIZE)
    days = own_days(campaign, user)
    comparison = own_comparison(campaign, user) if others_shown(campaign) else None
    context = {
        "campaign": campaign,
        "progress": own_progress(campaign, user),
        "days": days,
        "days_chart": _chart([[day.answers for day in days]], [f"{day.day:%-d}" for day in days]),
        "most_in_a_day": max(day.answers for day in days),
        "repeats": own_repeats(campaign, user),
        "comparison": comparison,
        "compared_at_least": COMPARED_AT_LEAST,
        "scores_chart": _scores_chart(campaign, comparison.own_histogram, comparison.others_histogram)
        if comparison
        else None,
        "history": history,
        "is_first_page": before is None,
        "older": history[-1].pk if more else None,
    }
    return render(request, "annotation/own_work.html", context)


@require_http_methods(["GET", "POST"])
@campaign_view(Role.ANNOTATOR)
def own_answer(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Correct one's own answer to a photo: a new revision, which supersedes the one before it."""
    user = _asker(request)
    answer = own_standing(campaign, user).filter(image=image_id).select_related("image__campaign").first()
    if answer is None:
        raise Http404("You have not answered this photo.")
    refused = correction_refused(answer.image)
    form = CorrectionForm(
        request.POST or None,
        campaign=campaign,
        buttons=campaign.bins <= SCORE_BUTTONS,
        initial={"client_id": uuid4(), "watch": answer.watch, "score": answer.score},
    )
    if request.method == "POST" and not refused and form.is_valid():
        try:
            annotation_record(
                campaign=campaign, annotator=user, image_id=image_id, viewing=_VIEWING, **form.cleaned_data
            )
        except AnnotationError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Your answer to {answer.image.name} is corrected.")
            return redirect(f"{reverse('own-work', args=[campaign.slug])}#history")
    context = {"campaign": campaign, "answer": answer, "image": answer.image, "form": form, "refused": refused}
    failed = bool(form.errors) or (request.method == "POST" and bool(refused))
    return render(request, "annotation/own_answer.html", context, status=422 if failed else 200)


def _asker(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # campaign_view lets nobody else through
    return request.user


def _scores_chart(campaign: Campaign, own: NDArray[np.int64], others: NDArray[np.int64]) -> dict[str, Any]:
    """Own scores beside the others', each in percent of its own sum: three others are not three times as tall."""
    shares = [(100 * counts / max(counts.sum(), 1)).tolist() for counts in (own, others)]
    return _chart(shares, [str(score) for score in campaign.scores])


def _chart(series: list[list[float]], labels: list[str]) -> dict[str, Any]:
    """Return columns of one or two series in a drawing 10 wide per label and 100 high, for `_columns.html`."""
    highest = max((value for values in series for value in values), default=0) or 1
    every = -(-len(labels) // _LABELS_AT_MOST)
    width = 8 / len(series)
    return {
        "width": 10 * len(labels),
        "columns": [
            {
                "series": number,
                "x": 10 * place + 1 + width * number,
                "y": round(100 - 100 * value / highest, 2),
                "width": width,
                "height": round(100 * value / highest, 2),
            }
            for number, values in enumerate(series)
            for place, value in enumerate(values)
            if value
        ],
        "labels": [label if place % every == 0 else "" for place, label in enumerate(labels)],
        "rows": list(zip(labels, *series, strict=True)),
        "highest": highest,
    }
