"""Which members are active in a campaign now, for its admins."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Aggregate, Count, DateTimeField, FloatField, Max, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotation.models import Annotation, Assignment, Campaign, Membership

_MIN_PAUSE = timedelta(seconds=60)


@dataclass(frozen=True)
class Activity:
    """Recent activity of one member."""

    membership: Membership
    seen_at: datetime
    """Time of the last answer, or of the last heartbeat by which the annotate page renewed its leases."""
    is_active: bool
    """Seen within the last half lease. The page sends a heartbeat every third of a lease."""
    answers_last_hour: int
    """Answers without skips and hidden repeats, corrections included."""
    seconds_per_answer: float | None
    """Median time from showing the photo to the answer; None when it is unknown."""
    held: int
    """Live leases."""
    held_until: datetime | None


class Median(Aggregate):
    """The middle value, or the mean of the two middle ones; None without values."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


def members_active(campaign: Campaign, *, now: datetime | None = None) -> list[Activity]:
    """Return the members who ever answered or have leases, most recently seen first (three queries).

    A lease expires `campaign.lease_seconds` after the heartbeat that renewed it, so its expiry gives the time of the
    heartbeat.
    """
    now = now or timezone.now()
    longest_pause = max(_MIN_PAUSE, timedelta(seconds=campaign.lease_seconds / 2))
    last = Annotation.objects.filter(campaign=campaign, annotator=OuterRef("user")).order_by("-pk")
    members = campaign.memberships.select_related("user").annotate(
        answered_at=Subquery(last.values("created_at")[:1], output_field=DateTimeField())
    )
    held = {
        row["annotator"]: row
        for row in Assignment.objects.filter(campaign=campaign, state=Assignment.State.LEASED)
        .values("annotator")
        .annotate(count=Count("pk"), until=Max("expires_at"))
    }
    recent = _last_hour(campaign, now)
    active = []
    for member in members:
        lease = held.get(member.user_id)
        heartbeat = min(lease["until"] - timedelta(seconds=campaign.lease_seconds), now) if lease else None
        seen = [time for time in (member.answered_at, heartbeat) if time is not None]
        if not seen:
            continue
        answers, seconds = recent.get(member.user_id, (0, None))
        active.append(
            Activity(
                membership=member,
                seen_at=max(seen),
                is_active=max(seen) > now - longest_pause,
                answers_last_hour=answers,
                seconds_per_answer=seconds,
                held=lease["count"] if lease else 0,
                held_until=lease["until"] if lease else None,
            )
        )
    return sorted(active, key=lambda one: (one.seen_at, one.membership.pk), reverse=True)


def _last_hour(campaign: Campaign, now: datetime) -> dict[int, tuple[int, float | None]]:
    """Return {annotator: (answers, median seconds)} of the last hour.

    Rows are never changed, so the rows of the last hour are those after the newest older row. The primary key finds
    that row from its end, so the time does not depend on the number of rows.
    """
    hour_ago = now - timedelta(hours=1)
    older = Annotation.objects.filter(created_at__lt=hour_ago).order_by("-pk").values("pk")[:1]
    rows = (
        Annotation.objects.filter(pk__gt=Coalesce(Subquery(older), 0), created_at__gte=hour_ago)
        .filter(campaign=campaign, skip_reason="", is_repeat=False)
        .order_by()
        .values("annotator")
        .annotate(count=Count("pk"), median=Median("milliseconds"))
    )
    return {row["annotator"]: (row["count"], None if row["median"] is None else row["median"] / 1000) for row in rows}
