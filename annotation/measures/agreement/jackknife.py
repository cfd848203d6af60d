"""Interval of an estimate by leaving out parts of the photos.

Source: Tukey (1958), 'Bias and confidence in not quite large samples'. A bootstrap needs hundreds of estimates; ranks
and variance components of many votes take too long for that.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from annotation.measures.intervals import CONFIDENCE

PARTS = 20
"""Into how many parts the photos are put; also the fewest photos for an interval."""


def jackknife(
    estimate: Callable[[NDArray[np.bool_]], float],
    photo: NDArray[np.int64],
    value: float,
    *,
    scale: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    back: Callable[[float], float],
) -> tuple[float, float] | None:
    """Return the 95 % interval around `value`, the estimate from all rows; None if a part makes it undefined.

    `estimate` takes which rows are kept. `photo` [V] is the place of each row's photo: part p has the photos at the
    places p, p + 20, p + 40, … The interval is symmetric on `scale`, and `back` is its inverse; Student's t with 19
    degrees of freedom.
    """
    from scipy.special import stdtrit

    left = np.array([estimate(photo % PARTS != part) for part in range(PARTS)])
    if np.isnan(left).any():
        return None
    places = scale(left)
    error = float(np.sqrt((PARTS - 1) / PARTS * ((places - places.mean()) ** 2).sum()))
    half = float(stdtrit(PARTS - 1, (1 + CONFIDENCE) / 2)) * error
    centre = float(scale(np.array([value]))[0])
    return float(back(centre - half)), float(back(centre + half))
