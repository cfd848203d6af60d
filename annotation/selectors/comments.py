"""Comments of annotators, for the admins of a campaign and for their authors."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, F, OuterRef, QuerySet, Subquery

from annotation.models import Annotation, Campaign, PhotoComment, User


def campaign_comments(campaign: Campaign, *, is_done: bool) -> QuerySet[PhotoComment]:
    """Return the open or done comments, newest first, with photo, author and `skip_reason` (one query).

    `skip_reason` is the reason of the author's standing skip of the photo, or None. Comments on withdrawn photos and
    of anonymised people, whose text is gone, are left out.
    """
    skip = Annotation.objects.filter(image=OuterRef("image"), annotator=OuterRef("author")).skips()
    comments = PhotoComment.objects.filter(campaign=campaign, done_at__isnull=not is_done, image__withdrawn_at=None)
    return (
        comments.exclude(text="")
        .select_related("image", "author", "done_by")
        .annotate(skip_reason=Subquery(skip.values("skip_reason")[:1]))
        .order_by(F("done_at").desc() if is_done else F("pk").desc(), "-pk")
    )


@dataclass(frozen=True)
class CommentCounts:
    """How many comments wait for an admin."""

    open: int
    with_skip: int
    """Of `open`: comments of people who have also skipped the photo."""


def comment_counts(campaign: Campaign) -> CommentCounts:
    """Count the open comments (one query)."""
    rows = campaign_comments(campaign, is_done=False).order_by()
    return CommentCounts(**rows.aggregate(open=Count("pk"), with_skip=Count("skip_reason")))


def open_comments_count(campaign: Campaign) -> int:
    """Return how many comments wait for an admin (one query)."""
    return campaign_comments(campaign, is_done=False).values("pk").count()


def open_comments_counts(campaigns: Collection[Campaign]) -> list[tuple[Campaign, int]]:
    """Return the campaigns that have open comments, with how many wait for an admin (one query; none for no campaign).

    They count as in `campaign_comments`.
    """
    if not campaigns:
        return []
    waiting = PhotoComment.objects.filter(campaign__in=[one.pk for one in campaigns], done_at=None)
    shown = waiting.filter(image__withdrawn_at=None).exclude(text="").order_by()
    found = dict(shown.values_list("campaign").annotate(Count("pk")))
    return [(one, found[one.pk]) for one in campaigns if one.pk in found]


def comments_by_photo(
    campaign: Campaign, image_ids: Collection[int], author: User | None = None
) -> dict[int, list[PhotoComment]]:
    """Return {photo id: comments, oldest first} of these photos, of one author or of all (one query)."""
    comments = PhotoComment.objects.filter(campaign=campaign, image__in=image_ids).exclude(text="")
    if author is not None:
        comments = comments.filter(author=author)
    found: dict[int, list[PhotoComment]] = {}
    for comment in comments.select_related("author").order_by("pk"):
        found.setdefault(comment.image_id, []).append(comment)
    return found
