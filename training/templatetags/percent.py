"""Template filters for percentages."""

from django import template

from annotation.measures.intervals import Interval

register = template.Library()


@register.filter
def percent(share: float) -> str:
    """Return a share in [0, 1] as whole percent, for example '27 %' with a no-break space."""
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


@register.filter
def percent_interval(estimate: Interval) -> str:
    """Return the interval of a share in percent, for example '15–58 %'."""
    return f"{100 * estimate.low:.0f}–{percent(estimate.high)}"
