"""Template filters for percentages."""

from django import template

from annotation.measures.group_shares import percents
from annotation.measures.intervals import Interval

register = template.Library()


@register.filter
def percent(share: float) -> str:
    """Return a share in [0, 1] in percent, for example '27 %' with a no-break space.

    It has digits only where 0 or 100 would be false.
    """
    return f"{percents([share])[0]}\N{NO-BREAK SPACE}%"


@register.filter
def percent_interval(estimate: Interval) -> str:
    """Return the interval of a share in percent, for example '15–58 %'."""
    low, high = percents([estimate.low, estimate.high])
    return f"{low}–{high}\N{NO-BREAK SPACE}%"
