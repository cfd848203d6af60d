"""The page "Your work": number and pace of the user's answers, agreement, and every answer with a form to edit it."""

from collections.abc import Sequence
from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from annotation.access.permissions import campaign_view
from annotation.drawing.axis import Tick, axis_end
from annotation.drawing.columns import Series, columns
from annotation.drawing.svg import Svg
from annotation.forms import CorrectionForm
from annotation.models import Campaign, Role, User
from annotation.selectors.own_work import (
    Comparison,
    OwnDay,
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
#: Photos needed for a comparison; with fewer, it says more about the photos than about the person.
COMPARED_AT_LEAST = 5
_CHART_HEIGHT = 120  # pixels
_VIEWING = {"page": "own-work"}  # marks answers that were not given on the annotate page


@require_safe
@campaign_view(Role.ANNOTATOR)
def own_work(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the user's own answers; `?before=` lists those older than the annotation with this id."""
    user = _current_user(request)
    text = request.GET.get("before", "")
    before = int(text) if text.isdecimal() and len(text) < 19 else None
    history, more = own_history(campaign, user, before=before, count=PAGE_SIZE)
    days = own_days(campaign, user)
    comparison = own_comparison(campaign, user) if others_shown(campaign) else None
    scores = _scores_rows(campaign, comparison) if comparison else []
    context = {
        "campaign": campaign,
        "progress": own_progress(campaign, user),
        "days": days,
        "days_chart": _days_chart(days),
        "most_in_a_day": max(day.answers for day in days),
        "repeats": own_repeats(campaign, user),
        "comparison": comparison,
        "compared_at_least": COMPARED_AT_LEAST,
        "scores": scores,
        "scores_chart": _scores_chart(scores) if scores else "",
        "history": history,
        "is_first_page": before is None,
        "older": history[-1].pk if more else None,
    }
    return render(request, "annotation/own_work.html", context)


@require_http_methods(["GET", "POST"])
@campaign_view(Role.ANNOTATOR)
def own_answer(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Edit the user's own answer to a photo: record a new revision that supersedes the old one."""
    user = _current_user(request)
    answer = (
        own_standing(campaign, user)
        .filter(image=image_id, image__withdrawn_at=None)
        .select_related("image__campaign")
        .first()
    )
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
            messages.success(request, f"Your answer to {answer.image.name} was updated.")
            return redirect(f"{reverse('own-work', args=[campaign.slug])}#history")
    context = {"campaign": campaign, "answer": answer, "image": answer.image, "form": form, "refused": refused}
    failed = bool(form.errors) or (request.method == "POST" and bool(refused))
    return render(request, "annotation/own_answer.html", context, status=422 if failed else 200)


def _current_user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # campaign_view requires a login
    return request.user


def _days_chart(days: Sequence[OwnDay]) -> Svg:
    """Draw the number of answers of each day."""
    end = axis_end(max(2, *(day.answers for day in days)))
    return columns(
        name="Answers per day; the table below has the numbers",
        series=[Series("people", [day.answers for day in days])],
        end=end,
        labels=[f"{day.day:%-d}" for day in days],
        ticks=[Tick(end * part, f"{end * part:,.0f}") for part in (0, 0.5, 1)],
        titles=[f"{day.day:%-d %b}: {day.answers:,}" for day in days],
        beside=True,
        height=_CHART_HEIGHT,
    )


def _scores_rows(campaign: Campaign, comparison: Comparison) -> list[tuple[int, float, float]]:
    """Return (score, percent of the user's answers, percent of the others' answers) for each score.

    Percentages make the user comparable with any number of others.
    """
    own, others = (
        (100 * counts / max(counts.sum(), 1)).tolist()
        for counts in (comparison.own_histogram, comparison.others_histogram)
    )
    return list(zip(campaign.scores, own, others, strict=True))


def _scores_chart(rows: Sequence[tuple[int, float, float]]) -> Svg:
    """Draw for each score the percentage of the user beside that of the others."""
    end = axis_end(max(1, *(max(own, others) for _score, own, others in rows)))
    return columns(
        name="How often you and others gave each score; the table below has the numbers",
        series=[Series("people", [own for _, own, _ in rows]), Series("others", [others for _, _, others in rows])],
        end=end,
        labels=[str(score) for score, _, _ in rows],
        ticks=[Tick(end * part, f"{end * part:g} %") for part in (0, 0.5, 1)],
        titles=[f"Score {score}: you {own:.0f} %, others {others:.0f} %" for score, own, others in rows],
        beside=True,
        height=_CHART_HEIGHT,
    )
