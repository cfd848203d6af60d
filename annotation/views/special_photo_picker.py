"""A grid of photos to choose practice, example and gold photos from, each with the answer that people gave."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from annotation.access.permissions import campaign_view
from annotation.models import HAS_ORIGINAL, Annotation, Campaign, Image, PhotoConsensus, Role
from annotation.services.special_photos import Expected, SpecialPhotoError, special_photo_set

PAGE_SIZE = 48
_FEW_VOTES = 2  # a MOS of fewer votes is no known answer
ORDERS = {
    "spread": gettext_lazy("a few from worst to best"),
    "agreed": gettext_lazy("people agree most"),
    "best": gettext_lazy("best first"),
    "worst": gettext_lazy("worst first"),
    "newest": gettext_lazy("newest first"),
}
#: For each kind: its name, which order helps to choose, and what to look for.
KINDS = {
    Image.Role.PRACTICE.value: (
        gettext_lazy("practice photos"),
        "spread",
        gettext_lazy("Choose about five, from the worst to the best."),
    ),
    Image.Role.EXAMPLE.value: (
        gettext_lazy("example photos"),
        "spread",
        gettext_lazy("Choose photos with low, middle and high scores."),
    ),
    Image.Role.GOLD.value: (
        gettext_lazy("gold photos"),
        "agreed",
        gettext_lazy("Choose photos with an obvious answer."),
    ),
}


@dataclass(frozen=True)
class Candidate:
    """One photo, with the answer to propose."""

    image: Image
    consensus: PhotoConsensus | None
    score: int | None
    watch: str

    @property
    def few_votes(self) -> bool:
        """Return whether the proposal rests on hardly any votes."""
        return self.consensus is None or self.consensus.votes < _FEW_VOTES


@require_http_methods(["GET", "POST"])
@campaign_view(Role.ADMIN)
def special_photos_pick(request: HttpRequest, campaign: Campaign, kind: str) -> HttpResponse:
    """Show photos to choose from (`?order=`, `?q=`), or give the chosen ones their role and expected answers."""
    if kind not in KINDS:
        raise Http404(gettext("There is no such kind of photo."))
    name, best_order, advice = KINDS[kind]
    if request.method == "POST":
        refused = _set(request, campaign, kind)
        if not refused:
            return redirect(f"{reverse('special-photos', args=[campaign.slug])}?show={kind}")
        for sentence in refused:
            messages.error(request, sentence)
    order = request.GET.get("order", best_order)
    order = order if order in ORDERS else best_order
    query = request.GET.get("q", "").strip()[:200]
    page = Paginator(_photos(campaign, order, query), PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "campaign": campaign,
        "kind": kind,
        "name": name,
        "advice": advice,
        "order": order,
        "orders": ORDERS.items(),
        "query": query,
        "page": page,
        "candidates": [_candidate(image) for image in page],
        "watches": Annotation.Watch.choices[:2] if kind == Image.Role.GOLD else Annotation.Watch.choices,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "annotation/special_photo_picker.html", context, status=status)


def _photos(campaign: Campaign, order: str, query: str) -> QuerySet[Image]:
    photos = campaign.images.filter(HAS_ORIGINAL, role=Image.Role.RATED, problem="").select_related("consensus")
    if query:
        photos = photos.filter(name__icontains=query)
    if order == "newest":
        return photos.order_by("-pk")
    photos = photos.filter(consensus__isnull=False)
    enough = photos.filter(consensus__votes__gte=_FEW_VOTES)
    if order == "agreed":
        return enough.order_by(F("consensus__half_width").asc(nulls_last=True), "pk")
    if order == "spread":
        every = max(1, -(-enough.count() // PAGE_SIZE))
        place = Window(RowNumber(), order_by=["consensus__mos", "pk"])
        return enough.annotate(place=place - 1).filter(place__in=range(0, every * PAGE_SIZE, every)).order_by("place")
    return photos.order_by("-consensus__mos" if order == "best" else "consensus__mos", "pk")


def _candidate(image: Image) -> Candidate:
    consensus = getattr(image, "consensus", None)
    if consensus is None:
        return Candidate(image, None, None, "")
    no = consensus.watch_votes - consensus.watch_yes
    watch = "" if consensus.watch_yes == no else "yes" if consensus.watch_yes > no else "no"
    return Candidate(image, consensus, int(consensus.mos + 0.5), watch)


def _set(request: HttpRequest, campaign: Campaign, kind: str) -> list[str]:
    """Give the chosen photos their role; return why others did not get it."""
    ids = [int(one) for one in request.POST.getlist("photo") if one.isdecimal() and len(one) < 19]
    if not ids:
        return [gettext("Choose at least one photo.")]
    refused, done = [], 0
    for image in campaign.images.filter(HAS_ORIGINAL, pk__in=ids).select_related("campaign").order_by("pk"):
        score = request.POST.get(f"score-{image.pk}", "")
        expected = Expected(
            request.POST.get(f"watch-{image.pk}", ""),
            int(score) if score.isdecimal() and len(score) < 4 else None,
            request.POST.get(f"guidance-{image.pk}", ""),
        )
        try:
            special_photo_set(
                image=image,
                role=Image.Role(kind),
                expected=expected,
                leave_evaluation="leave_evaluation" in request.POST,
            )
            done += 1
        except SpecialPhotoError as error:
            refused.append(f"{image.name}: {error}")
    if done:
        messages.success(request, ngettext("%(n)s photo added.", "%(n)s photos added.", done) % {"n": done})
    return refused
