"""Numbers with a typographic minus, as wide as a plus."""

import re

from annotation.language import gettext


def minus(text: object) -> str:
    """Return the text of a number with a typographic minus: '−0.35' for '-0.35', and '0.0' for '-0.0'."""
    rounded_to_zero = re.fullmatch(r"-(0\.?0*)", str(text))
    return rounded_to_zero[1] if rounded_to_zero else str(text).replace("-", "−")


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign: '+0.35' or '−0.35'."""
    return minus(f"{value:+.{digits}f}")


def ends(low: str, high: str) -> str:
    """Return the ends of an interval: '0.62–0.79', or '−0.90 to +0.10' where an end begins with a sign or is a word."""
    return f"{low}–{high}" if low[:1].isdigit() and high[:1].isdigit() else f"{minus(low)} to {minus(high)}"


def ends_shown(low: str, high: str) -> str:
    """Return `ends` in the language of the reader, for what a page shows and nothing stores."""
    if low[:1].isdigit() and high[:1].isdigit():
        return f"{low}–{high}"
    return span_shown(minus(low), minus(high))


def span_shown(low: str, high: str) -> str:
    """Return '+0.10 to +0.90' in the language of the reader, whatever the ends begin with."""
    return gettext("%(low)s to %(high)s") % {"low": low, "high": high}
