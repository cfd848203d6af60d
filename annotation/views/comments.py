"""What annotators wrote about photos, for the admins of the campaign."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.models import Campaign, PhotoComment, Role
from annotation.selectors.comments import campaign_comments, open_comments_count
from annotation.services.comments import comment_done_set, comments_done
from annotation.views.own_answers import current_user

PAGE_SIZE = 50
DONE = "done"


@require_safe
@campaign_view(Role.ADMIN)
def comments(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """List the open comments, or with `?show=done` those that an admin marked as done."""
    is_done = request.GET.get("show") == DONE
    page = Paginator(campaign_comments(campaign, is_done=is_done), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "campaign": campaign,
        "page": page,
        "is_done": is_done,
        "open_count": page.paginator.count if not is_done else open_comments_count(campaign),
        "newest": max((comment.pk for comment in page.object_list), default=0),
    }
    return render(request, "annotation/comments.html", context)


@require_POST
@campaign_view(Role.ADMIN)
def comment_change(request: HttpRequest, campaign: Campaign, comment_id: int) -> HttpResponse:
    """Mark one comment as done (`done=yes`), or open it again."""
    comment = row_or_404("comment", PhotoComment, campaign=campaign, pk=comment_id)
    is_done = request.POST.get("done") == "yes"
    comment_done_set(comment=comment, by=current_user(request), is_done=is_done)
    return _back(campaign, was_done=not is_done)


@require_POST
@campaign_view(Role.ADMIN)
def comments_all_done(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Mark every open comment as done, up to the newest one that the page showed."""
    newest = request.POST.get("newest", "")
    if newest.isdecimal() and len(newest) < 19:
        comments_done(campaign=campaign, by=current_user(request), up_to=int(newest))
    return _back(campaign, was_done=False)


def _back(campaign: Campaign, *, was_done: bool) -> HttpResponse:
    page = reverse("comments", args=[campaign.slug])
    return redirect(f"{page}?show={DONE}" if was_done else page)
