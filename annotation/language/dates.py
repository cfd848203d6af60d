"""Days in the language of the reader, for charts."""

from datetime import date

from django.utils.formats import date_format


def day_shown(day: date) -> str:
    """Return a day without its year, such as '5 Mar'."""
    return date_format(day, "j M")
