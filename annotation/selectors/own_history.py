"""The list of one annotator's own answers and skips, newest first, with filters.

Hidden repeats are left out, and gold photos look like all others, because a list that marked them would reveal them.
"""

from dataclasses import dataclass
from datetime import date

from django.db.models import Avg, Count, Exists, OuterRef, Subquery

from annotation.models import Annotation, AnnotationQuerySet, Campaign, Image, PhotoComment, User
from annotation.selectors.own_work import others_shown
from annotation.selectors.votes import own_standing

#: A value of `HistoryFilter.answer` besides the watch labels.
SKIPPED = "skipped"


@dataclass(frozen=True)
class HistoryFilter:
    """Which of the own answers to list. Every part may be empty; an answer must fit all parts."""

    name: str = ""
    """Part of the photo's name."""
    answer: str = ""
    """A watch label, or `SKIPPED`."""
    lowest: int | None = None
    highest: int | None = None
    """Opinion scores, both included."""
    since: date | None = None
    until: date | None = None
    """Days in the time zone of the page, both included."""
    is_changed: bool = False
    """Only answers that replaced an earlier one."""
    has_comment: bool = False
    """Only photos with an own comment."""

    @property
    def is_empty(self) -> bool:
        """Return whether it selects everything."""
        return self == HistoryFilter()


def own_history(
    campaign: Campaign,
    annotator: User,
    *,
    before: int | None = None,
    count: int,
    chosen: HistoryFilter | None = None,
) -> tuple[list[Annotation], bool]:
    """Return up to `count` answers and skips, newest first, and whether there are more (one query).

    Withdrawn photos are left out.

    `before` is the id of the last annotation of the previous page. Each row has its photo, `others_mean` and
    `others_votes`. Both are None for skips, for photos that nobody else answered, and where the annotator may not see
    them.
    """
    rows = with_others(_filtered(campaign, annotator, chosen or HistoryFilter()), campaign, annotator)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.select_related("image", "supersedes").order_by("-pk")[: count + 1])
    for row in found:
        others_hide(row, campaign)
    return found[:count], len(found) > count


def own_history_count(campaign: Campaign, annotator: User, chosen: HistoryFilter) -> int:
    """Return how many answers and skips fit the filter (one query)."""
    return _filtered(campaign, annotator, chosen).count()


def last_answers(campaign: Campaign, annotator: User, *, count: int) -> list[Annotation]:
    """Return the annotator's last answers and skips that can be given again, newest first (one query)."""
    if campaign.state == Campaign.State.CLOSED:
        return []
    rows = _filtered(campaign, annotator, HistoryFilter()).exclude(image__role__in=Image.TAUGHT)
    return list(rows.filter(image__original_deleted_at=None).select_related("image").order_by("-pk")[:count])


def with_others(rows: AnnotationQuerySet, campaign: Campaign, annotator: User) -> AnnotationQuerySet:
    """Add `others_mean` and `others_votes` to the rows, where the annotator may see them. See also `others_hide`."""
    if not others_shown(campaign):
        return rows
    others = (
        Annotation.objects.filter(image=OuterRef("image"))
        .counted_votes()
        .exclude(annotator=annotator)
        .order_by()
        .values("image")
    )
    return rows.annotate(
        others_mean=Subquery(others.annotate(mean=Avg("score")).values("mean")),
        others_votes=Subquery(others.annotate(votes=Count("pk")).values("votes")),
    )


def others_hide(row: Annotation, campaign: Campaign) -> None:
    """Set `others_mean` and `others_votes` to None in a row where the annotator may not see them."""
    if row.skip_reason or not others_shown(campaign):
        row.others_mean = row.others_votes = None  # type: ignore[attr-defined]


def _filtered(campaign: Campaign, annotator: User, chosen: HistoryFilter) -> AnnotationQuerySet:
    rows = own_standing(campaign, annotator).filter(image__withdrawn_at=None)
    if chosen.name:
        rows = rows.filter(image__name__icontains=chosen.name)
    if chosen.answer == SKIPPED:
        rows = rows.exclude(skip_reason="")
    elif chosen.answer:
        rows = rows.filter(watch=chosen.answer)
    if chosen.lowest is not None:
        rows = rows.filter(score__gte=chosen.lowest)
    if chosen.highest is not None:
        rows = rows.filter(score__lte=chosen.highest)
    if chosen.since is not None:
        rows = rows.filter(created_at__date__gte=chosen.since)
    if chosen.until is not None:
        rows = rows.filter(created_at__date__lte=chosen.until)
    if chosen.is_changed:
        rows = rows.filter(supersedes__isnull=False)
    if chosen.has_comment:
        comments = PhotoComment.objects.filter(image=OuterRef("image"), author=annotator).exclude(text="")
        rows = rows.filter(Exists(comments))
    return rows
