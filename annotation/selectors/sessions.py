"""The sessions of a user, for the account page."""

from collections.abc import Sequence

from django.utils import timezone

from annotation.models import User, UserSession


def own_sessions(user: User) -> Sequence[UserSession]:
    """Return the sessions that have not expired, the newest use first (one query)."""
    return list(UserSession.objects.filter(user=user, session__expire_date__gt=timezone.now()))
