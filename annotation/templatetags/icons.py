"""The icons and the mark of IQS: `{% icon "photos" %}`, `{% mark %}`. Builtin tags, so no page needs `{% load %}`.

The SVG is in the page itself: it needs no request, has the colour of the text around it, and prints. An icon stands
beside words, or in a control with an accessible name, so screen readers skip it.
"""

import re
from functools import cache
from pathlib import Path

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

# People are filled and the model is outlined, as their marks on every page.
_MARK = (
    '<svg class="mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">'
    '<circle class="mark-of-people" cx="12" cy="16" r="9"/><circle class="mark-of-model" cx="21" cy="16" r="8"/></svg>'
)


@cache
def icons() -> dict[str, str]:
    """Return {name of an icon: its markup}, from `icons.svg` beside this module."""
    text = Path(__file__).with_name("icons.svg").read_text()
    return dict(re.findall(r'<symbol id="([a-z-]+)" [^>]*>(.*)</symbol>', text))


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return an icon as SVG. Raises KeyError for a name that does not exist."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">{}</svg>',
        mark_safe(icons()[name]),  # noqa: S308  # a file of this package
    )


@register.simple_tag
def mark() -> SafeString:
    """Return the mark of IQS as SVG: two circles that overlap, people filled and the model outlined."""
    return mark_safe(_MARK)  # noqa: S308  # a constant of this module
