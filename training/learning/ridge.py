"""The recipe `ridge`: a ridge regression on corrected scores with the prior as offset, and thresholds on its line."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annotation.language import gettext_noop
from training.learning.recipe import FittedHeads, Report

if TYPE_CHECKING:
    from training.learning.quality_data import QualityData
    from training.learning.score_line import ScoreLine
    from training.learning.score_thresholds import Thresholds


@dataclass(frozen=True)
class RidgeConfig:
    """Settings of the recipe."""

    decays: tuple[float, ...] = tuple(float(f"{10 ** (step / 4):.4g}") for step in range(-12, 13))
    """Candidates for the decay of the weights, in units of a typical photo's squared length."""
    most_prior: float = 1.25
    """The prior's mean score gets a weight from 0 to this number."""
    photo_variance: float = 0.006
    """Variance of what features cannot explain, in squared widths of the scale: more votes than it says are useless."""


class Ridge:
    """See `description`."""

    name = "ridge"
    label = gettext_noop("Ridge regression")
    description = gettext_noop(
        "It learns a line from features to the mean scores, corrected for each annotator's bias and noise, with the "
        "prior's mean score as offset. Groups of near-duplicates that are left out choose the decay and the weight of "
        "the prior. Thresholds on the line give the distribution."
    )
    version = 1
    config_class = RidgeConfig

    def fit(self, data: "QualityData", *, config: RidgeConfig, seed: int, report: Report) -> FittedHeads:
        """Learn the line and the thresholds; see `Recipe.fit`."""
        from training.learning.line_fitting import line_fit  # loads torch, which web processes must not load
        from training.learning.quality_heads import heads_with_line
        from training.learning.score_thresholds import thresholds_fit

        report("Learning quality", 0.0, [])
        fitted = line_fit(
            data, decays=config.decays, most_prior=config.most_prior, photo_variance=config.photo_variance
        )
        thresholds = thresholds_fit(fitted.line.left_out, data.rated.histograms)
        heads = heads_with_line(data.prior, fitted.inputs, fitted.line, thresholds)
        return FittedHeads(heads, {"line": line_figures(fitted.line, thresholds)}, [])


def line_figures(line: "ScoreLine", thresholds: "Thresholds") -> dict[str, Any]:
    """Return the figures of a line that are stored with the version."""
    return {"decay": line.decay, "prior_weight": line.prior_weight, "spread_of_votes": thresholds.spread}
