"""Limits for one user and hour. The database counts, so a restart forgets nothing and all processes share the count.

An hour is a clock hour: what was used before 15:00 does not count from 15:00 on.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from annotation.models import HourlyUse, User

Kind = HourlyUse.Kind
_HOUR = timedelta(hours=1)
_KEPT = timedelta(days=1)
_SETTINGS = {
    Kind.SCORED_PHOTOS: "IQS_SCORED_PHOTOS_PER_HOUR",
    Kind.SCORING_SECONDS: "IQS_SCORING_SECONDS_PER_HOUR",
    Kind.IMPORTS: "IQS_IMPORTS_PER_HOUR",
    Kind.TRAINING_RUNS: "IQS_TRAINING_RUNS_PER_HOUR",
}

# One statement, so that two requests at the same time cannot both take the rest. The condition keeps the row as it is
# when the amount does not fit.
_TAKE = """
INSERT INTO annotation_hourlyuse AS used (user_id, kind, hour, amount)
SELECT %(user)s, %(kind)s, %(hour)s, %(amount)s WHERE %(amount)s <= %(limit)s
ON CONFLICT (user_id, kind, hour) DO UPDATE SET amount = used.amount + EXCLUDED.amount
WHERE used.amount + EXCLUDED.amount <= %(limit)s
"""


@dataclass(frozen=True)
class Quota:
    """A limit of a user in the present hour."""

    limit: int
    used: float
    until: datetime
    """Start of the next hour."""
    now: datetime

    @property
    def left(self) -> int:
        """Return how much is left, 0 or more."""
        return max(0, math.floor(self.limit - self.used))

    @property
    def retry_after(self) -> int:
        """Return the whole seconds until the next hour, at least 1."""
        return max(1, math.ceil((self.until - self.now).total_seconds()))

    @property
    def until_text(self) -> str:
        """Return the start of the next hour as a clock time, such as 15:00 (UTC), in the time zone of the page."""
        until = timezone.localtime(self.until)
        return f"{until:%H:%M} ({until.tzname()})"


class QuotaUsedUp(Exception):
    """The user has used what one hour allows, or asks for more than is left. `quota` says how much that is."""

    def __init__(self, quota: Quota) -> None:
        super().__init__(f"{quota.left} of {quota.limit} are left until {quota.until_text}.")
        self.quota = quota


def quota_find(*, user: User, kind: HourlyUse.Kind, now: datetime | None = None) -> Quota | None:
    """Return a user's limit and its use in the present hour; None when the setting is 0: no limit."""
    limit: int = getattr(settings, _SETTINGS[kind])
    if not limit:
        return None
    now = now or timezone.now()
    hour = _hour(now)
    used = HourlyUse.objects.filter(user=user, kind=kind, hour=hour).values_list("amount", flat=True).first()
    return Quota(limit, used or 0.0, hour + _HOUR, now)


def quota_take(*, user: User, kind: HourlyUse.Kind, amount: int = 1, now: datetime | None = None) -> None:
    """Use up an amount. Raises QuotaUsedUp, without using anything, when less than `amount` is left."""
    limit: int = getattr(settings, _SETTINGS[kind])
    now = now or timezone.now()
    if not limit:
        return
    values: dict[str, Any] = {
        "user": user.pk, "kind": str(kind), "hour": _hour(now), "amount": float(amount), "limit": limit
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        if cursor.rowcount:
            return
    quota = quota_find(user=user, kind=kind, now=now)
    assert quota is not None
    raise QuotaUsedUp(quota)


def quota_add(*, user_id: int, kind: HourlyUse.Kind, amount: float, now: datetime | None = None) -> None:
    """Add what was used, even beyond the limit: for amounts that are known only afterwards.

    A user who does not exist any more is ignored.
    """
    if not User.objects.filter(pk=user_id).exists():
        return
    values: dict[str, Any] = {
        "user": user_id,
        "kind": str(kind),
        "hour": _hour(now or timezone.now()),
        "amount": amount,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values | {"limit": math.inf})


def uses_old_delete() -> int:
    """Delete the counts of hours that ended more than a day ago; return how many."""
    deleted, _ = HourlyUse.objects.filter(hour__lt=timezone.now() - _KEPT).delete()
    return deleted


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
