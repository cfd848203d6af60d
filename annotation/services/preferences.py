"""What users choose for themselves: time zone, theme, language, email address and session goal."""

from functools import cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import DataError, connection, transaction
from django.utils.translation import gettext

from annotation.models import User

MOST_GOAL = 1_000  # photos in one session; more takes hours


@cache
def time_zones() -> tuple[str, ...]:
    """Return the IANA names of the time zones that users can choose, in order."""
    return tuple(sorted(name for name in available_timezones() if name not in {"localtime", "Factory", "posixrules"}))


def preferences_set(*, user: User, time_zone: str, theme: str, language: str, email: str, session_goal: int) -> None:
    """Set the preferences. Raises ValidationError, by field, for invalid values."""
    if not 0 <= session_goal <= MOST_GOAL:
        raise ValidationError(
            {
                "session_goal": gettext("The goal must be from 0 to %(most_goal)s photos.")
                % {"most_goal": f"{MOST_GOAL:,}"}
            }
        )
    if time_zone and time_zone not in time_zones():
        raise ValidationError(
            {"time_zone": gettext("There is no time zone %(time_zone)s.") % {"time_zone": f"{time_zone[:64]!r}"}}
        )
    if time_zone and not _known_to_database(time_zone):
        raise ValidationError({"time_zone": gettext("The database does not know this time zone. Choose another one.")})
    if language not in User.Language.values:
        raise ValidationError(
            {"language": gettext("There is no language %(language)s.") % {"language": f"{language[:10]!r}"}}
        )
    user.time_zone, user.theme, user.language = time_zone, theme, language
    user.email, user.session_goal = email, session_goal
    fields = ["time_zone", "theme", "language", "email", "session_goal"]
    user.clean_fields(exclude={field.name for field in User._meta.fields} - set(fields))
    user.save(update_fields=fields)


def _known_to_database(time_zone: str) -> bool:
    """Return whether PostgreSQL, which has its own time zone data, can compute days in this time zone."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT now() AT TIME ZONE %s", [time_zone])
    except DataError:
        return False
    return True


def theme_set(*, user: User, theme: User.Theme) -> None:
    """Set the theme of all pages."""
    user.theme = theme
    user.save(update_fields=["theme"])


def session_goal_set(*, user: User, photos: int) -> None:
    """Set how many photos the user wants to rate in one session; 0 for no goal. Raises ValueError beyond the limits."""
    if not 0 <= photos <= MOST_GOAL:
        raise ValueError(gettext("The goal must be from 0 to %(most_goal)s photos.") % {"most_goal": f"{MOST_GOAL:,}"})
    user.session_goal = photos
    user.save(update_fields=["session_goal"])
