"""Shares as people read them."""

from django import template

register = template.Library()


@register.filter
def percent(share: float) -> str:
    """Return a share in [0, 1] as whole percent, '27 %' with a space that does not break."""
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"
