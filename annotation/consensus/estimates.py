"""A number from few answers, with how sure it is."""

from dataclasses import dataclass
from math import sqrt

_Z95 = 1.959963984540054  # the normal distribution's 97.5 % quantile


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval and the number of cases behind it."""

    value: float
    low: float
    high: float
    n: int


def share(hits: int, n: int) -> Estimate:
    """Return hits/n with Wilson's interval, which never leaves [0, 1].

    Source: Wilson (1927), 'Probable inference, the law of succession, and statistical inference'.
    Raises ValueError unless 0 ≤ hits ≤ n and n ≥ 1.
    """
    if not 0 <= hits <= n or n < 1:
        raise ValueError(f"{hits} of {n} is no share.")
    p, z2 = hits / n, _Z95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Estimate(p, max(0.0, min(centre - half, p)), min(1.0, max(centre + half, p)), n)
