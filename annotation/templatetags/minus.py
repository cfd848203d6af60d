"""A template filter for numbers that can be negative."""

from django import template

from annotation.measures import signs

register = template.Library()


@register.filter
def minus(number: object) -> str:
    """Return a number as text with a typographic minus: '−0.35' for '-0.35'. Use it after `floatformat`."""
    return signs.minus(number)
