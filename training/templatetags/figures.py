"""Template filters for figures with their intervals, and for thresholds."""

from django import template

from annotation.measures.intervals import Interval
from training.evaluation.calibration import titles

register = template.Library()


@register.filter
def figure(found: Interval, digits: int = 2) -> str:
    """Return '0.71 (0.62–0.79)', only the value where the interval is unknown, and '–' for NaN."""
    return titles.interval_text(found, digits)


@register.filter
def signed_figure(found: Interval, digits: int = 1) -> str:
    """Return a difference with signs: '−0.4 (−0.9 to +0.1)'."""
    return titles.signed_text(found, digits)


@register.filter
def percent_figure(found: Interval) -> str:
    """Return a share in percent: '83 % (64–93 %)'."""
    return titles.percent_text(found)


@register.filter
def threshold(value: float) -> str:
    """Return a threshold with as many decimals as it needs near 0 and 1."""
    return titles.threshold_text(value)
