"""Practice, example and gold photos, and photos with a problem. Only for admins."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.forms import SpecialPhotoForm
from annotation.language.lazy import gettext_lazy
from annotation.models import LIVE, Campaign, Image, Role
from annotation.selectors.comments import comments_by_photo, open_comments_count
from annotation.selectors.opinions import opinion_of, special_counts
from annotation.services.special_photos import (
    PRACTICE_COUNT,
    Expected,
    LeavesEvaluation,
    SpecialPhotoError,
    practice_choose,
    problem_remove,
    special_photo_reset,
    special_photo_set,
)

PAGE_SIZE = 60
PROBLEM = "problem"
_NOW = {
    Image.Role.PRACTICE: gettext_lazy("%(name)s is now a practice photo."),
    Image.Role.EXAMPLE: gettext_lazy("%(name)s is now an example photo."),
    Image.Role.GOLD: gettext_lazy("%(name)s is now a gold photo."),
    Image.Role.RATED: gettext_lazy("%(name)s is an ordinary photo again."),
}
_SHOWN = {
    Image.Role.PRACTICE.value: gettext_lazy("Practice"),
    Image.Role.EXAMPLE.value: gettext_lazy("Examples"),
    Image.Role.GOLD.value: gettext_lazy("Gold"),
    PROBLEM: gettext_lazy("Problems"),
}


@require_safe
@campaign_view(Role.ADMIN)
def special_photos(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """List the photos of one kind (`?show=`): practice, example, gold, or those with a problem."""
    show = request.GET.get("show", "")
    show = show if show in _SHOWN else Image.Role.PRACTICE.value
    counts = special_counts(campaign)
    page = Paginator(_photos(campaign, show), PAGE_SIZE).get_page(request.GET.get("page"))
    if show == PROBLEM:  # what people wrote often says what is wrong
        comments = comments_by_photo(campaign, [image.pk for image in page])
        for image in page:
            image.shown_comments = comments.get(image.pk, [])  # type: ignore[attr-defined]
    context = {
        "campaign": campaign,
        "show": show,
        "tabs": [(kind, label, getattr(counts, kind)) for kind, label in _SHOWN.items()],
        "page": page,
        "open_comments": open_comments_count(campaign),
        "practice_count": PRACTICE_COUNT,
    }
    return render(request, "annotation/special_photos.html", context)


@require_http_methods(["GET", "POST"])
@campaign_view(Role.ADMIN)
def special_photo(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Set how one photo is used, and its expected answer."""
    image = row_or_404("photo", Image.objects.filter(LIVE).select_related("campaign"), campaign=campaign, pk=image_id)
    form = SpecialPhotoForm(request.POST) if request.method == "POST" else special_photo_form(image)
    must_confirm = False
    if request.method == "POST" and form.is_valid():
        try:
            return _save(request, image, **form.cleaned_data)
        except LeavesEvaluation as warning:
            form.add_error("leave_evaluation", str(warning))
            must_confirm = True
        except SpecialPhotoError as error:
            form.add_error(None, str(error))
    context = {"campaign": campaign, "image": image, "form": form, "must_confirm": must_confirm}
    return render(request, "annotation/special_photo.html", context, status=422 if form.errors else 200)


@require_POST
@campaign_view(Role.ADMIN)
def practice_photos_choose(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Choose the practice photos from the rated photos."""
    try:
        chosen = practice_choose(campaign=campaign)
    except SpecialPhotoError as error:
        messages.error(request, str(error))
    else:
        scores = ", ".join(str(image.expected_score) for image in chosen)
        messages.success(
            request,
            gettext("Chosen from worst to best, with the expected scores %(scores)s. Please check them.")
            % {"scores": scores},
        )
    return redirect("special-photos", campaign.slug)


@require_POST
@campaign_view(Role.ADMIN)
def photo_requeue(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Put a photo with a problem back into the queue."""
    try:
        image = problem_remove(image=row_or_404("photo", Image, campaign=campaign, pk=image_id))
    except SpecialPhotoError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, gettext("%(name)s is back in the queue.") % {"name": image.name})
    return redirect(f"{reverse('special-photos', args=[campaign.slug])}?show={PROBLEM}")


def special_photo_form(image: Image) -> SpecialPhotoForm:
    """Return the form of one photo. For an ordinary photo it proposes the answer of the annotators (one query)."""
    if image.role != Image.Role.RATED:
        initial: dict[str, Any] = {
            "role": image.role,
            "expected_watch": image.expected_watch,
            "expected_score": image.expected_score,
            "guidance": image.guidance,
        }
    else:
        opinion = opinion_of(image)
        initial = {"role": Image.Role.PRACTICE.value}
        if opinion is not None:
            initial |= {"expected_watch": opinion.watch, "expected_score": opinion.score}
    return SpecialPhotoForm(initial=initial)


def _save(
    request: HttpRequest,
    image: Image,
    *,
    role: str,
    expected_watch: str,
    expected_score: int | None,
    guidance: str,
    leave_evaluation: bool,
) -> HttpResponse:
    page = reverse("special-photos", args=[image.campaign.slug])
    if role == Image.Role.RATED:
        before = image.role
        special_photo_reset(image=image)
        messages.success(request, gettext("%(name)s is an ordinary photo again.") % {"name": image.name})
        return redirect(f"{page}?show={before}" if before in _SHOWN else page)
    expected = Expected(expected_watch, expected_score, guidance)
    special_photo_set(image=image, role=Image.Role(role), expected=expected, leave_evaluation=leave_evaluation)
    messages.success(request, _NOW[Image.Role(role)] % {"name": image.name})
    return redirect(f"{page}?show={role}")


def _photos(campaign: Campaign, show: str) -> QuerySet[Image]:
    if show == PROBLEM:
        return campaign.images.filter(LIVE).exclude(problem="").order_by("-pk")
    return campaign.images.filter(LIVE, role=show).order_by(F("expected_score").asc(nulls_last=True), "pk")
