"""The steps that recipes with a line have in common: inputs, corrected scores, and the line."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.learning.corrected_scores import Scores, corrected_scores
from training.learning.quality_data import QualityData
from training.learning.score_line import Inputs, ScoreLine, mean_line, score_line_fit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FittedLine:
    """A line with all that it was learned from."""

    inputs: Inputs
    of_photos: Floats
    """The weighted inputs [N, D]."""
    scores: Scores
    variance: Floats
    """Of the scores around the line [N]: of their errors, and of what features cannot explain."""
    line: ScoreLine


def line_fit(data: QualityData, *, decays: tuple[float, ...], most_prior: float, photo_variance: float) -> FittedLine:
    """Fit the line to the corrected scores of the photos. The arguments are settings of `RidgeConfig`.

    Where the network saw each photo in two sizes, it is the mean of two lines: on OASIS, the mean is better than one
    line on all features.
    """
    inputs = Inputs.of(data.features, data.prior.config)
    of_photos = inputs.of_photos(data.features)
    scores = corrected_scores(data.rated)
    variance = scores.variance + photo_variance * (data.bins - 1) ** 2
    lines = [
        score_line_fit(
            of_photos[:, view],
            scores.values,
            1 / variance,
            data.prior_mean,
            groups=data.rated.groups,
            decays=decays,
            most_prior=most_prior,
        )
        for view in inputs.views
    ]
    return FittedLine(inputs, of_photos, scores, variance, mean_line(lines))
