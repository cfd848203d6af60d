"""The recipe `auto`: compares recipes on photos that they did not learn from, and uses the best."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from annotation.language import gettext_noop
from training.learning.calibrated_prior import CalibratedPrior
from training.learning.gaussian_process import GaussianProcess
from training.learning.prior_alone import PriorAlone
from training.learning.recipe import FittedHeads, Recipe, Report
from training.learning.ridge import Ridge

if TYPE_CHECKING:
    from training.learning.quality_data import QualityData


@dataclass(frozen=True)
class AutoConfig:
    """Settings of the recipe. Counts are of rated photos."""

    folds: int = 5
    """Of near-duplicate groups. Each photo is predicted by heads that learned from the other folds."""
    small_folds: int = 10
    """The same, with fewer photos than `small_below`: there each photo counts for the learning."""
    small_below: int = 200
    ridge_from: int = 20
    """From this number on, the ridge regression is compared too."""
    process_from: int = 300
    """From this number on, the Gaussian process is compared too."""


class Auto:
    """See `description`; the steps are in `training.learning.nested_choice`."""

    name = "auto"
    label = gettext_noop("Automatic choice")
    description = gettext_noop(
        "With fewer than 20 rated photos it keeps the prior, with more it uses the ridge regression, unless another "
        "recipe predicts the votes on other groups of near-duplicates clearly better. It compares the prior alone and "
        "calibrated, and from 300 rated photos on the Gaussian process."
    )
    version = 1
    config_class = AutoConfig

    def fit(self, data: "QualityData", *, config: AutoConfig, seed: int, report: Report) -> FittedHeads:
        """Choose a recipe and learn by it; see `Recipe.fit`."""
        from training.learning.nested_choice import nested_choice  # loads torch, which web processes must not load

        folds = config.small_folds if len(data) < config.small_below else config.folds
        found = candidates(len(data), config)
        favourite = next((recipe for recipe in found if recipe.name == Ridge.name), found[0])
        return nested_choice(data, found, favourite=favourite, folds=folds, seed=seed, report=report)


def candidates(rated: int, config: AutoConfig) -> list[Recipe]:
    """Return the recipes that are compared for a number of rated photos, the simplest first."""
    found: list[Recipe] = [PriorAlone(), CalibratedPrior()]
    if rated >= config.ridge_from:
        found.append(Ridge())
    if rated >= config.process_from:
        found.append(GaussianProcess())
    return found
