"""Answers of the last days, by campaign."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from annotation.models import Annotation

DAYS = 14
#: At most so many of the newest answers of the site are read. With more in this time, the first days are left out.
MOST_ANSWERS = 100_000


@dataclass(frozen=True)
class DayOfAnswers:
    """What people answered on one day."""

    day: date
    answers: int = 0
    annotators: int = 0


def daily_answers(campaign_ids: Collection[int]) -> dict[int, list[DayOfAnswers]]:
    """Return {campaign id: its last `DAYS` days, oldest first} in the present time zone (two queries).

    Answers and corrections count on the day they were given; skips, hidden repeats and imported votes do not.
    """
    today = timezone.localdate()
    days = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
    before = Annotation.objects.order_by("-pk").values_list("pk", "created_at")[MOST_ANSWERS : MOST_ANSWERS + 1].first()
    newer_than = 0
    if before is not None:
        newer_than = before[0]
        days = [day for day in days if day > timezone.localtime(before[1]).date()] or days[-1:]
    since = timezone.make_aware(datetime.combine(days[0], time.min))
    rows = (
        Annotation.objects.filter(
            pk__gt=newer_than,
            created_at__gte=since,
            campaign__in=list(campaign_ids),
            skip_reason="",
            is_repeat=False,
            vote_import=None,
        )
        .order_by()
        .annotate(day=TruncDate("created_at"))
        .values_list("campaign_id", "day")
        .annotate(Count("pk"), Count("annotator", distinct=True))
    )
    found = {(campaign, day): (answers, annotators) for campaign, day, answers, annotators in rows}
    return {campaign: [DayOfAnswers(day, *found.get((campaign, day), ())) for day in days] for campaign in campaign_ids}
