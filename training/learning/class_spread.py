"""How far predicted means must be stretched to be as spread as mean opinion scores, for the quality classes.

A regression pulls its predictions towards the middle, as far as it cannot tell photos apart. Cut at the class limits,
they put nearly every photo into the middle class.
"""

import numpy as np
from numpy.typing import ArrayLike

from training.learning.corrected_scores import corrected_scores
from training.learning.dataset import RatedImages

# With fewer photos, a spread is a guess.
_FEWEST_PHOTOS = 20
# Predictions that hardly differ say nothing, however far they are stretched.
_MOST_STRETCH = 3.0


def class_spread(predicted_means: ArrayLike, rated: RatedImages, *, lowest: int) -> tuple[float, float]:
    """Return (stretch, shift): stretch·m + shift is as spread as the scores that people gave, and has their mean.

    `predicted_means` [M]: on the scale, of photos that the model has not learned from. `rated`: those that it has. The
    scores of people are corrected for their bias and gain; their noise stays in the spread, because the class is that
    of a mean of a few votes. (1, 0) with few photos, and where predictions are spread as far.
    """
    means = np.asarray(predicted_means, dtype=np.float64)
    if min(len(means), len(rated)) < _FEWEST_PHOTOS:
        return 1.0, 0.0
    scores = corrected_scores(rated)
    weights = 1 / (scores.variance + 1)
    centre = lowest + float(np.average(scores.values, weights=weights))
    stretch = min(float(scores.values.std() / max(float(means.std()), 1e-6)), _MOST_STRETCH)
    if stretch <= 1:
        return 1.0, 0.0
    return stretch, centre - stretch * float(means.mean())
