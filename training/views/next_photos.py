"""The page Next photos: what people will be asked next and why, whether the choice pays, and when to stop."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from annotation.access.permissions import campaign_view
from annotation.drawing.intervals import interval_row
from annotation.drawing.svg import Svg
from annotation.exchange.rows import csv_pieces
from annotation.measures.figures_text import figures_read
from annotation.measures.signs import ends_shown
from annotation.models import AuditKind, Campaign, Role, User
from annotation.selectors.adjudications import predictions_hidden
from annotation.services.audit import audit_record
from annotation.tasks import announce
from annotation.views.downloads import EXCEL
from inference.gallery.decisions import deciding
from inference.gallery.next_photos import NextPhotos, next_photos
from inference.models import ModelVersion
from inference.selectors import champion, fits_scale, shown_threshold
from training.drawing.order_curve import order_chart, shown_error
from training.evaluation.choice_words import VotesNeeded, Words, choice_title, order_words, stop_words
from training.evaluation.curve_gain import CurveReport
from training.evaluation.order_curve import OrderCurve, OrderTask
from training.models import LearningCurve, StoredChoice
from training.selectors.choice import RATED_PER_CLUSTER, ChoiceFigures
from training.selectors.lane_mix import LaneMix, lane_mix
from training.services.stored_choices import CHOICE
from training.tasks import MESSAGE_SECONDS, stored_choice_make

#: The title of the lanes names this many of those that differ most; the table has all.
_NAMED_LANES = 2


@dataclass(frozen=True)
class OrderPart:
    """The comparison of both orders for one task, as the page shows it."""

    curve: OrderCurve
    words: Words
    label: str
    """What is drawn, with its unit."""
    chart: Svg | None
    rows: list[tuple[float, str, str]]
    """(answers, in the order of the queue, at random) with intervals; '' where it was not measured."""


class NextRow(NamedTuple):
    """One of the next photos. What the model says is empty where it is hidden from the reader."""

    place: int
    image: int
    file: str
    lane: str
    reason: str
    chance: float
    """That it is among the next twenty new photos."""
    votes: int
    votes_needed: int
    watch_probability: float | None
    predicted_mean: float | None


@require_safe
@campaign_view(Role.REVIEWER)
def next_photos_page(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the page. While a worker computes its figures, htmx loads it again and again."""
    stored = CHOICE.request(campaign=campaign)
    if stored.row.state == StoredChoice.State.QUEUED:
        announce(stored_choice_make, stored.row.pk, expires=MESSAGE_SECONDS)
    version = champion(campaign)
    found, mix = _next(request, campaign, version), lane_mix(campaign)
    context: dict[str, Any] = {
        "campaign": campaign,
        "stored": stored,
        "version": version,
        "next": found,
        "next_title": _next_title(found),
        "decided_text": _decided_text(campaign, found),
        "mix": mix,
        "mix_title": _mix_title(mix),
        "mix_rows": _mix_rows(mix),
    }
    figures: ChoiceFigures | None = stored.value
    if figures is not None:
        context |= _figures(campaign, figures)
    return render(request, "training/next_photos.html", context)


@require_safe
@campaign_view(Role.REVIEWER)
def next_photos_csv(request: HttpRequest, campaign: Campaign) -> StreamingHttpResponse:
    """Send the next photos as a CSV file, and record the export. `?excel=1` adds a byte order mark."""
    found = _next(request, campaign, champion(campaign))
    name = f"{campaign.slug}-next-photos.csv"
    audit_record(kind=AuditKind.EXPORT, campaign=campaign, what=name)
    pieces = csv_pieces(NextRow._fields, _rows(found), byte_order_mark=bool(request.GET.get(EXCEL)))
    return StreamingHttpResponse(
        (piece.encode() for piece in pieces),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _next(request: HttpRequest, campaign: Campaign, version: ModelVersion | None) -> NextPhotos:
    assert isinstance(request.user, User)  # campaign_view refuses anonymous users
    hidden = predictions_hidden(campaign, request.user)
    shown = version if version and fits_scale(version, campaign) else None
    return next_photos(campaign, shown, hidden, shown_threshold(campaign, version))


def _rows(found: NextPhotos) -> Iterator[NextRow]:
    for place, one in enumerate(found.photos, start=1):
        facts = one.facts
        yield NextRow(
            place=place,
            image=one.image.pk,
            file=one.image.name,
            lane=one.lane,
            reason=one.reason,
            chance=one.chance,
            votes=facts.votes,
            votes_needed=facts.votes_needed,
            watch_probability=facts.watch_probability,
            predicted_mean=facts.quality_mean,
        )


def _next_title(found: NextPhotos) -> str:
    if not found.photos:
        return gettext("Nothing is left to ask")
    if found.is_random_only:
        return gettext("The queue draws all photos at random; nothing chooses yet")
    at_random = sum(one.lane == "random" for one in found.photos)
    return gettext("Of the next %(count)s photos, about %(chosen)s are chosen and %(random)s drawn at random") % {
        "count": len(found.photos),
        "chosen": len(found.photos) - at_random,
        "random": at_random,
    }


def _decided_text(campaign: Campaign, found: NextPhotos) -> str:
    """Return what the model has decided and what this saves; '' if it decides nothing (up to three queries)."""
    saved = found.decided
    limits = deciding(campaign).limits if saved.photos else None
    if limits is None:
        return ""
    return gettext(
        "The model has decided %(photos)s photos that lack votes. They come in the random lane only, so people save up "
        "to %(votes)s votes. Its limits rest on %(audited)s audit photos."
    ) % {"photos": f"{saved.photos:,}", "votes": f"{saved.votes:,}", "audited": f"{limits.calibrated_on:,}"}


def _mix_title(mix: LaneMix) -> str:
    if not mix.answers:
        return gettext("No answers yet")
    if not mix.differing:
        return gettext("The last %(answers)s answers came from the lanes as wanted") % {"answers": mix.answers}
    widest = sorted(mix.differing, key=lambda one: -abs(one.given.value - one.wanted))[:_NAMED_LANES]
    return gettext("The last %(answers)s answers did not come from the lanes as wanted: %(lanes)s") % {
        "answers": mix.answers,
        "lanes": ", ".join(
            gettext("%(label)s %(given)s %% instead of %(wanted)s %%")
            % {"label": one.label, "given": f"{100 * one.given.value:.0f}", "wanted": f"{100 * one.wanted:.0f}"}
            for one in widest
        ),
    }


def _mix_rows(mix: LaneMix) -> list[dict[str, Any]]:
    if not mix.lanes:
        return []
    most = max(max(one.given.high, one.wanted) for one in mix.lanes)
    return [
        {
            "lane": one,
            "wanted": 100 * one.wanted,
            "given": 100 * one.given.value,
            "ends": ends_shown(f"{100 * one.given.low:.0f}", f"{100 * one.given.high:.0f}"),
            "picture": interval_row(
                value=one.given.value,
                low=one.given.low,
                high=one.given.high,
                axis=(0.0, most),
                reference=one.wanted,
                kind="people",
            ),
        }
        for one in mix.lanes
    ]


def _figures(campaign: Campaign, figures: ChoiceFigures) -> dict[str, Any]:
    """Return what the worker has computed, and the verdicts."""
    curve = LearningCurve.objects.filter(campaign=campaign, state=LearningCurve.State.DONE).exclude(result="").first()
    report = figures_read(CurveReport, curve.result) if curve else None
    seconds = figures.forecast.seconds_per_answer
    parts = [_order_part(one, seconds) for one in (figures.score, figures.watch) if one is not None]
    missing = [
        (label, text)
        for label, text in (
            (gettext("Scores"), figures.score_missing),
            (gettext("Watches"), figures.watch_missing),
        )
        if text
    ]
    forecast = figures.forecast
    needed = VotesNeeded(
        votes=forecast.votes,
        hours=forecast.hours,
        photos=figures.missing_photos,
        half_width=campaign.target_half_width,
        watch=campaign.target_watch,
    )
    return {
        "figures": figures,
        "orders": parts,
        "orders_missing": missing[:1] if len({text for _, text in missing}) == 1 else missing,
        "choice_title": choice_title([part.words for part in parts]),
        "stop": stop_words(needed, report, margin=campaign.promotion_margin),
        "curve": curve if report else None,
        "rated_per_cluster": RATED_PER_CLUSTER,
        "coverage_title": _coverage_title(figures),
    }


def _order_part(curve: OrderCurve, seconds: float | None) -> OrderPart:
    of_score = curve.task == OrderTask.SCORE
    label = (
        gettext("Typical error of a predicted score, points (RMSE)")
        if of_score
        else gettext("Brier score of the watch")
    )
    random = {point.answers: _error_text(point, curve.task) for point in curve.at_random}
    words = order_words(curve, seconds_per_answer=seconds)
    return OrderPart(
        curve=curve,
        words=words,
        label=label,
        chart=order_chart(curve, name=f"{label}. {words.title}. {words.sentences[0]}"),
        rows=[
            (point.answers, _error_text(point, curve.task), random.get(point.answers, "")) for point in curve.in_order
        ],
    )


def _error_text(point: Any, task: OrderTask) -> str:
    value, low, high = shown_error(point, task)
    digits = 2 if task == OrderTask.SCORE else 3
    return f"{value:.{digits}f} ({ends_shown(f'{low:.{digits}f}', f'{high:.{digits}f}')})"


def _coverage_title(figures: ChoiceFigures) -> str:
    found = figures.coverage
    if found is None:
        return gettext("Coverage cannot be measured yet")
    words = gettext("%(share)s %% of the photos are near a rated one") % {"share": f"{100 * found.share:.0f}"}
    if not figures.clusters:
        return words
    return gettext("%(words)s, and %(covered)s of %(clusters)s groups of like photos have enough rated photos") % {
        "words": words,
        "covered": figures.covered_clusters,
        "clusters": len(figures.clusters),
    }
