"""A template filter for plural forms: `{% blocktranslate count n=photos|how_many %}`. Builtin."""

from typing import Any

from django import template

register = template.Library()


@register.filter
def how_many(value: Any) -> int:
    """Return 1 for 1 and for a list with one entry, 0 for nothing, and a number that is not 1 for 1.5 and other values."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return len(value) if hasattr(value, "__len__") and not isinstance(value, str) else 0
    return int(number) if number.is_integer() else 2
