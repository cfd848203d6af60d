"""Words for the severity of a distortion. Loads no other module, because web processes read it."""

#: Smallest severity of each grade, 0 … 1, the worst grade first.
GRADES = ((0.6, "strong"), (0.3, "clear"), (0.05, "slight"), (0.0, "none"))


def grade_of(value: float) -> tuple[str, float]:
    """Return the grade of a severity in 0 … 1, and the smallest severity of this grade."""
    return next((word, least) for least, word in GRADES if value >= least)
