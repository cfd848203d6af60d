"""The learning recipes by name, and the learning plan of a run. Imports no torch.

To add a recipe, write a class with the interface `training.learning.recipe.Recipe` and add it to `_RECIPES`.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from annotation.language import gettext_noop
from training.learning.auto import Auto
from training.learning.calibrated_prior import CalibratedPrior
from training.learning.config import WatchConfig
from training.learning.dirichlet_multinomial import DirichletMultinomial
from training.learning.gaussian_process import GaussianProcess
from training.learning.prior_alone import PriorAlone
from training.learning.prior_residual import PriorResidual
from training.learning.recipe import Recipe
from training.learning.ridge import Ridge
from training.learning.whole_network import WholeNetwork

_RECIPES: tuple[Recipe, ...] = (
    Auto(),
    PriorAlone(),
    CalibratedPrior(),
    Ridge(),
    GaussianProcess(),
    DirichletMultinomial(),
    PriorResidual(),
    WholeNetwork(),
)
RECIPES = {recipe.name: recipe for recipe in _RECIPES}
DEFAULT_RECIPE = Auto.name
# Of runs from before the registry, which store no name.
OLDEST_RECIPE = PriorResidual.name

EXPOSED_ANSWERS_LABEL = gettext_noop("Also learn from answers given after seeing a prediction")


@dataclass(frozen=True)
class LearningPlan:
    """How a run learns. It is stored with the run, so that the run can be repeated."""

    recipe: Recipe
    config: Any
    """An instance of the recipe's `config_class`."""
    exposed_answers: bool = False
    """Whether to learn also from answers given after seeing a prediction."""
    watch: WatchConfig = field(default_factory=WatchConfig)

    @classmethod
    def of(cls, name: str = DEFAULT_RECIPE, *, exposed_answers: bool = False) -> "LearningPlan":
        """Return the plan of a recipe with its default config."""
        recipe = RECIPES[name]
        return cls(recipe, recipe.config_class(), exposed_answers)

    def as_json(self) -> dict[str, Any]:
        """Return the recipe's name and version, `exposed_answers` and the fields of the config as JSON values."""
        stored: dict[str, Any] = {
            "recipe": self.recipe.name,
            "recipe_version": self.recipe.version,
            "exposed_answers": self.exposed_answers,
            "watch": _listed(self.watch),
        }
        return stored | _listed(self.config)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "LearningPlan":
        """Return the plan that `as_json` stored.

        Old runs, from before the registry, name no recipe: they used the default one. Raises ValueError for
        an unknown recipe, another version of a recipe, and unknown settings.
        """
        settings = dict(stored)
        name = settings.pop("recipe", OLDEST_RECIPE)
        if name not in RECIPES:
            raise ValueError(f"There is no recipe {name!r}. Known recipes: {', '.join(RECIPES)}.")
        recipe = RECIPES[name]
        version = settings.pop("recipe_version", None)
        if version != recipe.version:
            raise ValueError(
                f"The run was made for version {version} of the recipe; this program has version {recipe.version}."
            )
        exposed_answers = settings.pop("exposed_answers", False)
        watch = _config_from(WatchConfig, settings.pop("watch", {}))
        return cls(recipe, _config_from(recipe.config_class, settings), exposed_answers, watch)


def _listed(config: Any) -> dict[str, Any]:
    """Return the fields of a config as JSON values."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(config).items()}


def _config_from(config_class: type[Any], stored: dict[str, Any]) -> Any:
    """Return the config that `_listed` stored. Raises ValueError for unknown fields."""
    unknown = sorted(set(stored) - set(config_class.__dataclass_fields__))
    if unknown:
        raise ValueError(f"The recipe has unknown settings: {', '.join(unknown)}.")
    return config_class(**{name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()})
