"""A template filter for plural forms: `{% blocktranslate count n=photos|how_many %}`. Builtin."""

from typing import Any

from django import template

register = template.Library()


@register.filter
def how_many(value: Any) -> int:
    """Return the length of a list, 0 for nothing, and 2 for broken numbers such as 1.5."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return len(value) if hasattr(value, "__len__") and not isinstance(value, str) else 0
    return int(number) if number.is_integer() else 2
