"""Limits on attempts that could be guesses: log-ins, passwords, invitation links, API tokens.

An attempt is counted before anything is compared, in one statement. So many guesses at the same time cannot all pass,
and a refused one costs no password hash. A success is taken off the count again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from annotation.models import AttemptCount, User
from annotation.models.users import name_key

Kind = AttemptCount.Kind


@dataclass(frozen=True)
class Limit:
    """At most `most` attempts in a `period`, which begins with the first of them."""

    most: int
    period: timedelta


_QUARTER, _HOUR = timedelta(minutes=15), timedelta(hours=1)
#: Several people can have one address, for example in an office. They fail less often than somebody who guesses.
LIMITS = {
    Kind.LOGIN: Limit(5, _QUARTER),
    Kind.LOGIN_NAME: Limit(100, _HOUR),
    Kind.LOGIN_ADDRESS: Limit(50, _QUARTER),
    Kind.PASSWORD: Limit(5, _QUARTER),
    Kind.INVITATION: Limit(30, _QUARTER),
    Kind.ACCOUNT: Limit(200, _HOUR),
    Kind.TOKEN: Limit(30, _QUARTER),
}
_KEPT = timedelta(days=1)
_NAME_LENGTH = 150
_MOST_COUNTED = 1_000_000
#: Before the hash that is stored instead of a name without an account. No user name begins with it.
_UNKNOWN = "?"

_TAKE = """
INSERT INTO annotation_attemptcount AS held (kind, name, address, count, started_at)
VALUES (%(kind)s, %(name)s, %(address)s, 1, %(now)s)
ON CONFLICT (kind, name, address) DO UPDATE SET
    count = CASE WHEN held.started_at <= %(begin)s THEN 1 ELSE LEAST(held.count + 1, %(most)s) END,
    started_at = CASE WHEN held.started_at <= %(begin)s THEN EXCLUDED.started_at ELSE held.started_at END
RETURNING count, started_at
"""


class TooManyAttempts(Exception):
    """The limit is reached. The message says when the next attempt is possible, `seconds` how long that is."""

    def __init__(self, until: datetime, now: datetime) -> None:
        self.seconds = max(1, round((until - now).total_seconds()))
        minutes = -(-self.seconds // 60)
        super().__init__(
            ngettext(
                "Too many attempts. Try again in %(minutes)s minute, or ask an admin to lift the limit.",
                "Too many attempts. Try again in %(minutes)s minutes, or ask an admin to lift the limit.",
                minutes,
            )
            % {"minutes": minutes}
        )


def attempt_take(kind: AttemptCount.Kind, *, name: str = "", address: str = "", now: datetime | None = None) -> None:
    """Count an attempt. Raises TooManyAttempts when it is one too many."""
    limit, now = LIMITS[kind], now or timezone.now()
    values: dict[str, Any] = {
        "kind": kind.value,
        "name": _name(name),
        "address": address,
        "now": now,
        "begin": now - limit.period,
        "most": _MOST_COUNTED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        count, started_at = cursor.fetchone()
    if count > limit.most:
        raise TooManyAttempts(started_at + limit.period, now)


def attempt_return(kind: AttemptCount.Kind, *, name: str = "", address: str = "") -> None:
    """Take an attempt off the count, because it was no wrong guess."""
    held = AttemptCount.objects.filter(kind=kind, name=_name(name), address=address, count__gt=0)
    held.update(count=F("count") - 1)


def login_take(*, name: str, address: str) -> None:
    """Count an attempt to log in: for the name at this address, for the address, and for the name.

    Raises TooManyAttempts. Without an address, nothing is counted for it.
    """
    name = _counted_name(name)
    attempt_take(Kind.LOGIN, name=name, address=address)
    if address:
        attempt_take(Kind.LOGIN_ADDRESS, address=address)
    attempt_take(Kind.LOGIN_NAME, name=name)


def login_return(*, name: str, address: str, is_success: bool) -> None:
    """Take an attempt to log in off the counts. After a success, forget the earlier failures of the name there."""
    name = _counted_name(name)
    if is_success:
        AttemptCount.objects.filter(kind=Kind.LOGIN, name=_name(name), address=address).delete()
    else:
        attempt_return(Kind.LOGIN, name=name, address=address)
    attempt_return(Kind.LOGIN_ADDRESS, address=address)
    attempt_return(Kind.LOGIN_NAME, name=name)


@dataclass(frozen=True)
class Refusal:
    """Attempts that are refused at the moment."""

    row: AttemptCount
    until: datetime

    @property
    def name(self) -> str:
        """Return the user name in words."""
        return "a name without an account" if self.row.name.startswith(_UNKNOWN) else self.row.name


def refusals(now: datetime | None = None) -> list[Refusal]:
    """Return what is refused at the moment, the newest first."""
    now = now or timezone.now()
    condition = Q(pk=None)
    for kind, limit in LIMITS.items():
        condition |= Q(kind=kind, count__gte=limit.most, started_at__gt=now - limit.period)
    rows = AttemptCount.objects.filter(condition).order_by("-started_at")
    return [Refusal(row, row.started_at + LIMITS[Kind(row.kind)].period) for row in rows]


def refusal_lift(*, pk: int) -> bool:
    """Forget the attempts of a row. Return whether there was such a row."""
    deleted, _ = AttemptCount.objects.filter(pk=pk).delete()
    return bool(deleted)


def attempts_old_delete(now: datetime | None = None) -> int:
    """Delete the counts that began more than a day ago; return how many."""
    deleted, _ = AttemptCount.objects.filter(started_at__lt=(now or timezone.now()) - _KEPT).delete()
    return deleted


def _name(name: str) -> str:
    """Return a name as it is counted: different spellings of one name are one name."""
    return name_key(name).replace("\0", "")[:_NAME_LENGTH]


def _counted_name(name: str) -> str:
    """Return the name of an account, or a hash of any other text: people type passwords into the wrong field."""
    key = _name(name)
    if User.objects.filter(name_key=key).exists():
        return key
    return _UNKNOWN + salted_hmac("iqs.attempts", key).hexdigest()[:32]
