"""Photos that were withdrawn. For reviewers and admins."""

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.forms import WithdrawalForm
from annotation.models import Campaign, Image, Role, User, Withdrawal
from annotation.services import withdrawals

_ON_A_PAGE = 100


@require_safe
@campaign_view(Role.REVIEWER)
def withdrawn_photos(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """List the withdrawn photos, newest first, with the reasons."""
    rows = Withdrawal.objects.filter(image__campaign=campaign).select_related("image", "by")
    page = Paginator(rows, _ON_A_PAGE).get_page(request.GET.get("page"))
    keep = timedelta(days=settings.IQS_WITHDRAWN_DAYS)
    context = {
        "campaign": campaign,
        "page": page,
        "photos": [(row, row.at + keep) for row in page],
        "can_restore": any(row.files_deleted_at is None for row in page),
        "days": settings.IQS_WITHDRAWN_DAYS,
    }
    return render(request, "annotation/withdrawn_photos.html", context)


@require_POST
@campaign_view(Role.REVIEWER)
def photo_withdraw(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Withdraw a photo for a `reason`."""
    image = row_or_404("photo", Image, campaign=campaign, pk=image_id)
    form = WithdrawalForm(request.POST)
    try:
        if not form.is_valid():
            raise withdrawals.WithdrawalError(
                gettext("Enter a reason of at most %(reason_length)s characters.")
                % {"reason_length": withdrawals.REASON_LENGTH}
            )
        withdrawals.photo_withdraw(image=image, reason=form.cleaned_data["reason"], by=_current_user(request))
    except withdrawals.WithdrawalError as error:
        messages.error(request, str(error))
        return redirect("photo", campaign.slug, image.pk)
    messages.success(request, gettext("%(name)s was withdrawn.") % {"name": image.name})
    return redirect("withdrawn-photos", campaign.slug)


@require_POST
@campaign_view(Role.REVIEWER)
def withdrawal_undo(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Put a withdrawn photo back."""
    image = row_or_404("photo", Image, campaign=campaign, pk=image_id)
    try:
        withdrawals.photo_withdrawal_undo(image=image, by=_current_user(request))
    except withdrawals.WithdrawalError as error:
        messages.error(request, str(error))
        return redirect("withdrawn-photos", campaign.slug)
    messages.success(request, gettext("%(name)s is back.") % {"name": image.name})
    return redirect("photo", campaign.slug, image.pk)


def _current_user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # campaign_view requires a login
    return request.user
