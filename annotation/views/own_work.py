"""The page "Your work": number of the user's answers, agreement, and the list of all answers with filters."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from annotation.access.permissions import campaign_view
from annotation.drawing.axis import Tick, axis_end
from annotation.drawing.columns import Series, columns
from annotation.drawing.svg import Svg
from annotation.language.dates import day_shown
from annotation.models import Annotation, Campaign, Role
from annotation.own_work_forms import HistoryForm
from annotation.selectors.comments import comments_by_photo
from annotation.selectors.own_history import own_history, own_history_count
from annotation.selectors.own_work import Comparison, OwnDay, others_shown, own_comparison, own_days, own_repeats
from annotation.selectors.progress import own_progress
from annotation.services.key_bindings import key_bindings_of, key_name
from annotation.views.own_answers import current_user

PAGE_SIZE = 30
#: Photos needed for a comparison; with fewer, it says more about the photos than about the person.
COMPARED_AT_LEAST = 5
_CHART_HEIGHT = 120  # pixels


@require_safe
@campaign_view(Role.ANNOTATOR)
def own_work(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the user's own answers that fit the filters; `?before=` lists those older than the answer with this id.

    For htmx: only the list.
    """
    user = current_user(request)
    text = request.GET.get("before", "")
    before = int(text) if text.isdecimal() and len(text) < 19 else None
    form = HistoryForm(request.GET, campaign=campaign)
    chosen = form.chosen()
    history, more = own_history(campaign, user, before=before, count=PAGE_SIZE, chosen=chosen)
    comments = comments_by_photo(campaign, [answer.image_id for answer in history], user)
    context = {
        "campaign": campaign,
        "rows": [(answer, comments.get(answer.image_id, [])) for answer in history],
        "history": history,
        "form": form,
        "is_filtered": not chosen.is_empty,
        "matching": own_history_count(campaign, user, chosen),
        "is_first_page": before is None,
        "older": _older(request, history) if more else None,
    }
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return render(request, "annotation/_own_history.html", context)
    days = own_days(campaign, user)
    comparison = own_comparison(campaign, user) if others_shown(campaign) else None
    scores = _scores_rows(campaign, comparison) if comparison else []
    bindings = key_bindings_of(user)
    context |= {
        "progress": own_progress(campaign, user),
        "days": days,
        "days_chart": _days_chart(days),
        "most_in_a_day": max(day.answers for day in days),
        "repeats": own_repeats(campaign, user),
        "comparison": comparison,
        "compared_at_least": COMPARED_AT_LEAST,
        "scores": scores,
        "scores_chart": _scores_chart(scores) if scores else "",
        "keys": {action: key_name(key) for action, key in bindings.items()},
        "key_bindings": bindings,
    }
    return render(request, "annotation/own_work.html", context)


def _older(request: HttpRequest, history: Sequence[Annotation]) -> str:
    """Return the query of the next page, with the same filters."""
    query = request.GET.copy()
    query["before"] = str(history[-1].pk)
    return query.urlencode()


def _days_chart(days: Sequence[OwnDay]) -> Svg:
    """Draw the number of answers of each day."""
    end = axis_end(max(2, *(day.answers for day in days)))
    return columns(
        name=gettext("Answers per day; the table below has the numbers"),
        series=[Series("people", [day.answers for day in days])],
        end=end,
        labels=[f"{day.day:%-d}" for day in days],
        ticks=[Tick(end * part, f"{end * part:,.0f}") for part in (0, 0.5, 1)],
        titles=[f"{day_shown(day.day)}: {day.answers:,}" for day in days],
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
        name=gettext("How often you and others gave each score; the table below has the numbers"),
        series=[Series("people", [own for _, own, _ in rows]), Series("others", [others for _, _, others in rows])],
        end=end,
        labels=[str(score) for score, _, _ in rows],
        ticks=[Tick(end * part, f"{end * part:g} %") for part in (0, 0.5, 1)],
        titles=[
            gettext("Score %(score)s: you %(own)s %%, others %(others)s %%")
            % {"score": score, "own": f"{own:.0f}", "others": f"{others:.0f}"}
            for score, own, others in rows
        ],
        beside=True,
        height=_CHART_HEIGHT,
    )
