"""The sessions of a user, for the account page."""

from collections.abc import Sequence

from django.utils import timezone

from annotation.access.browsers import browser_name
from annotation.models import User, UserSession


def own_sessions(user: User) -> Sequence[tuple[UserSession, str]]:
    """Return the sessions that have not expired, the newest use first, each with the name of its browser."""
    sessions = UserSession.objects.filter(user=user, session__expire_date__gt=timezone.now())
    return [(session, browser_name(session.browser)) for session in sessions]
