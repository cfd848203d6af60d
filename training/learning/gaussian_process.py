"""The recipe `gaussian_process`: the line of `ridge`, plus a Gaussian process on what it leaves over."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from annotation.language import gettext_noop
from training.learning.recipe import FittedHeads, Report
from training.learning.ridge import RidgeConfig, line_figures

if TYPE_CHECKING:
    from training.learning.quality_data import QualityData


@dataclass(frozen=True)
class GaussianProcessConfig(RidgeConfig):
    """Settings of the recipe; those of its line are the settings of `ridge`."""

    directions: int = 64
    """Similarity is measured along this number of feature directions, those with the most variance."""


class GaussianProcess:
    """See `description`."""

    name = "gaussian_process"
    label = gettext_noop("Gaussian process")
    description = gettext_noop(
        "It learns the line of the ridge regression, and what the line leaves over from photos that look alike. "
        "Thresholds give the distribution."
    )
    version = 1
    config_class = GaussianProcessConfig

    def fit(self, data: "QualityData", *, config: GaussianProcessConfig, seed: int, report: Report) -> FittedHeads:
        """Learn the line, the process and the thresholds; see `Recipe.fit`."""
        import numpy as np

        from training.learning.line_fitting import line_fit  # loads torch, which web processes must not load
        from training.learning.quality_heads import heads_with_line
        from training.learning.sampling import principal_directions
        from training.learning.score_thresholds import thresholds_fit
        from training.learning.similarity import similarity_fit

        report("Learning quality", 0.0, [])
        fitted = line_fit(
            data, decays=config.decays, most_prior=config.most_prior, photo_variance=config.photo_variance
        )
        centred = (fitted.of_photos - fitted.of_photos.mean(axis=0)).astype(np.float32)
        directions = principal_directions(centred, count=config.directions, seed=seed)
        report("Learning what the line leaves over", 0.3, [])
        left_out, similarity = fitted.line.left_out, None
        if directions.shape[1]:  # none for photos that are all alike
            similarity = similarity_fit(
                fitted.of_photos,
                directions.astype(np.float64),
                # The photos as the line sees them without their own group: a fitted line would leave too little over.
                fitted.scores.values - left_out,
                fitted.variance,
                groups=data.rated.groups,
                seed=seed,
            )
            left_out = left_out + similarity.left_out
        thresholds = thresholds_fit(left_out, data.rated.histograms)
        heads = heads_with_line(data.prior, fitted.inputs, fitted.line, thresholds, similarity)
        return FittedHeads(heads, {"line": line_figures(fitted.line, thresholds)}, [])
