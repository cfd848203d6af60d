"""Numbers that can be negative, and intervals of numbers."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from annotation.measures import signs

register = template.Library()


@register.filter
def minus(number: object) -> str:
    """Return a number as text with a typographic minus: '−0.35' for '-0.35'. Use it after `floatformat`."""
    return signs.minus(number)


@register.simple_tag
def ends(low: float, high: float, digits: int = 2) -> str:
    """Return the ends of an interval as text, such as '0.62–0.79' or '−0.90 to 0.10'."""
    return signs.ends_shown(f"{low:.{digits}f}", f"{high:.{digits}f}")


@register.filter
def whole_interval(text: str) -> str | SafeString:
    """Let a line of a narrow column end before the interval of a figure, never inside it: '0.62 (0.55–0.69)'."""
    value, bracket, interval = text.partition(" (")
    return format_html('{} <span class="nowrap">({}</span>', value, interval) if bracket else text
