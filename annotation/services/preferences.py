"""What users choose for themselves: time zone, theme and email address."""

from functools import cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import DataError, connection, transaction

from annotation.models import User


@cache
def time_zones() -> tuple[str, ...]:
    """Return the IANA names of the time zones that users can choose, in order."""
    return tuple(sorted(name for name in available_timezones() if name not in {"localtime", "Factory", "posixrules"}))


def preferences_set(*, user: User, time_zone: str, theme: str, email: str) -> None:
    """Set the preferences. Raises ValidationError, by field, for invalid values."""
    if time_zone and time_zone not in time_zones():
        raise ValidationError({"time_zone": f"There is no time zone {time_zone[:64]!r}."})
    if time_zone and not _known_to_database(time_zone):
        raise ValidationError({"time_zone": "The database does not know this time zone. Choose another one."})
    user.time_zone, user.theme, user.email = time_zone, theme, email
    fields = ["time_zone", "theme", "email"]
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
