"""Words for the severity of a distortion. Loads no numeric library, because web processes read it."""

from annotation.language import gettext_noop

#: Smallest severity of each grade, 0 … 1, the worst grade first.
GRADES = (
    (0.6, gettext_noop("strong")),
    (0.3, gettext_noop("clear")),
    (0.05, gettext_noop("slight")),
    (0.0, gettext_noop("none")),
)


def grade_of(value: float) -> tuple[str, float]:
    """Return the grade of a severity in 0 … 1, and the smallest severity of this grade."""
    return next((word, least) for least, word in GRADES if value >= least)
