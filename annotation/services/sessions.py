"""Sessions: end them, and delete those that have expired."""

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotation.models import AuditKind, User, UserSession
from annotation.services.audit import audit_record

#: Expired sessions are deleted when the first of them expired this long ago, so about once in this time.
CLEAR_EVERY = timedelta(days=1)


@transaction.atomic
def sessions_end(*, user: User, keep: str | None = None) -> int:
    """End the sessions of a user, except the one with the key `keep`. Return their number."""
    own = UserSession.objects.filter(user=user).exclude(session=keep or "")
    return _end(user, Session.objects.filter(pk__in=own.values("session")))


@transaction.atomic
def session_end(*, user: User, session_id: int) -> bool:
    """End one session of the user: the one of the row `session_id` of UserSession. False when there is none."""
    own = UserSession.objects.filter(user=user, pk=session_id)
    return bool(_end(user, Session.objects.filter(pk__in=own.values("session"))))


def sessions_clear() -> int:
    """Delete the expired sessions, about once a day, and return how many there were. The sweep calls it."""
    now = timezone.now()
    if not Session.objects.filter(expire_date__lt=now - CLEAR_EVERY).exists():
        return 0
    _rows, by_table = Session.objects.filter(expire_date__lt=now).delete()
    return by_table.get(Session._meta.label, 0)


def _end(user: User, sessions: QuerySet[Session]) -> int:
    _rows, by_table = sessions.delete()
    ended = by_table.get(Session._meta.label, 0)
    if ended:
        audit_record(kind=AuditKind.SESSIONS_ENDED, user=user, what=f"{ended} session{'s' if ended > 1 else ''}")
    return ended
