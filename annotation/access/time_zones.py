"""The time zone of a user, for the times that a request shows."""

from contextlib import suppress
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from annotation.models import User


def time_zone_activate(user: User | AnonymousUser) -> None:
    """Use the time zone that the user has chosen until the end of the request; that of the site without a choice."""
    name = user.time_zone if isinstance(user, User) else ""
    if name:
        # A newer version of the time zone data may no longer have it.
        with suppress(ZoneInfoNotFoundError, ValueError):
            timezone.activate(ZoneInfo(name))
