"""The limits of the three quality classes on a scale.

A photo is rejected up to one mean score, pending up to another, and accepted above it. On the scale 1-10 the limits are
5 and 6. On another scale they are at the same share of the range. Score k of K covers the k-th of K equal parts of the
range, so the scale 1-10 reaches from 0.5 to 10.5, and 0-100 from -0.5 to 100.5.
"""

REJECT_AT, PENDING_AT = 5.0, 6.0  # on the scale 1-10
_DECIMALS = 6  # so that 4.9 does not become 4.8999999999999995


def class_limits(lowest: int, highest: int) -> tuple[float, float]:
    """Return the default limits (rejected up to, pending up to) on the scale from `lowest` to `highest`.

    Both are on the scale if it has two scores or more.
    """
    return limit_moved(REJECT_AT, (1, 10), (lowest, highest)), limit_moved(PENDING_AT, (1, 10), (lowest, highest))


def limit_moved(limit: float, old: tuple[int, int], new: tuple[int, int]) -> float:
    """Return the score of a new scale at the same share of the range as `limit` on the old one.

    old, new: lowest and highest score. A limit on the old scale can be up to half a score outside of a coarser one;
    then the end of the new scale is returned.
    """
    share = (limit - old[0] + 0.5) / (old[1] - old[0] + 1)
    moved = new[0] - 0.5 + share * (new[1] - new[0] + 1)
    return round(min(max(moved, new[0]), new[1]), _DECIMALS)
