"""The queue of photos on which the annotators disagree, and the page of one decision. For reviewers."""

from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.models import LIVE, Annotation, Campaign, Image, PhotoConsensus, Role, User
from annotation.selectors.adjudications import (
    DisputedPhotos,
    adjudication_of,
    blind_decision_before,
    is_prediction_hidden,
    photos_disputed,
)
from annotation.services.adjudications import COMMENT_LENGTH, AdjudicationError, adjudication_record, adjudication_undo
from annotation.services.counts import DISPUTED, counts_of
from annotation.tasks import counts_announce

PHOTOS_SHOWN = 60


@require_safe
@campaign_view(Role.REVIEWER)
def adjudications(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """List the photos to decide about, and the newest decisions."""
    assert isinstance(request.user, User)  # campaign_view refuses anonymous users
    kept, among = counts_of(campaign), None
    if kept.is_large:  # to find them in a request takes almost a second with a million photos
        among = kept.get(DISPUTED) or DisputedPhotos(0, [])
        counts_announce(kept)
    count, disputed = photos_disputed(campaign, limit=PHOTOS_SHOWN, viewer=request.user, among=among)
    decided = campaign.adjudications.filter(undone_at=None).select_related("image", "reviewer")
    context = {
        "campaign": campaign,
        "count": count,
        "disputed": disputed,
        "decided": decided[:PHOTOS_SHOWN],
        "counts": kept,
    }
    return render(request, "annotation/adjudications.html", context)


@require_http_methods(["GET", "POST"])
@campaign_view(Role.REVIEWER)
def adjudication(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Show one photo with all its votes, and store the reviewer's decision. Predictions follow the own answer."""
    images = Image.objects.filter(LIVE).select_related("campaign")
    image = row_or_404("photo", images, campaign=campaign, pk=image_id)
    error = ""
    if request.method == "POST":
        score = request.POST.get("score", "")
        try:
            adjudication_record(
                image=image,
                by=request.user,  # type: ignore[arg-type]  # campaign_view refuses anonymous users
                watch=request.POST.get("watch", ""),
                score=int(score) if score.isdecimal() and len(score) < 9 else -1,
                comment=request.POST.get("comment", ""),
            )
        except AdjudicationError as refused:
            error = str(refused)
        else:
            messages.success(request, gettext("Your decision about %(name)s is stored.") % {"name": image.name})
            return redirect("adjudication", campaign.slug, image.pk)
    votes = Annotation.objects.filter(image=image).standing().select_related("annotator").order_by("pk")
    decision = adjudication_of(image)
    is_own = decision is not None and decision.reviewer == request.user
    context = {
        "campaign": campaign,
        "image": image,
        "votes": votes.annotate(seconds=F("milliseconds") / 1000.0),
        "consensus": PhotoConsensus.objects.filter(pk=image.pk).first(),
        "decision": decision,
        "is_own": is_own,
        "changed_from": blind_decision_before(decision) if decision and decision.saw_prediction else None,
        "is_hidden": decision is None and is_prediction_hidden(image, request.user),  # type: ignore[arg-type]  # as above
        "error": error,
        "choices": Annotation.Watch.choices,
        "comment_length": COMMENT_LENGTH,
    }
    return render(request, "annotation/adjudication.html", context, status=422 if error else 200)


@require_POST
@campaign_view(Role.REVIEWER)
def adjudication_end(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Undo the decision about a photo."""
    image = row_or_404("photo", Image.objects.select_related("campaign"), campaign=campaign, pk=image_id)
    if adjudication_undo(image=image, by=request.user):  # type: ignore[arg-type]  # as above
        messages.success(request, gettext("The decision about %(name)s is undone.") % {"name": image.name})
    return redirect("adjudication", campaign.slug, image.pk)
