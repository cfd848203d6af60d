"""The learning recipes by name, and the learning plan of a run. Imports no torch.

To add a recipe, write a class with the interface `training.learning.recipe.Recipe` and add it to `_RECIPES`.
"""

from dataclasses import asdict, dataclass
from typing import Any

from training.learning.prior_residual import PriorResidual
from training.learning.recipe import Recipe

_RECIPES: tuple[Recipe, ...] = (PriorResidual(),)
RECIPES = {recipe.name: recipe for recipe in _RECIPES}
DEFAULT_RECIPE = PriorResidual.name

EXPOSED_ANSWERS_LABEL = "Also learn from answers given after seeing a prediction"


@dataclass(frozen=True)
class LearningPlan:
    """How a run learns. It is stored with the run, so that the run can be repeated."""

    recipe: Recipe
    config: Any
    """An instance of the recipe's `config_class`."""
    exposed_answers: bool = False
    """Whether to learn also from answers given after seeing a prediction."""

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
        }
        for name, value in asdict(self.config).items():
            stored[name] = list(value) if isinstance(value, tuple) else value
        return stored

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "LearningPlan":
        """Return the plan that `as_json` stored.

        Old runs, from before the registry, name no recipe: they used the default one. Raises ValueError for
        an unknown recipe, another version of a recipe, and unknown settings.
        """
        settings = dict(stored)
        name = settings.pop("recipe", DEFAULT_RECIPE)
        if name not in RECIPES:
            raise ValueError(f"There is no recipe {name!r}. Known recipes: {', '.join(RECIPES)}.")
        recipe = RECIPES[name]
        version = settings.pop("recipe_version", None)
        if version != recipe.version:
            raise ValueError(
                f"The run was made for version {version} of the recipe; this program has version {recipe.version}."
            )
        exposed_answers = settings.pop("exposed_answers", False)
        unknown = sorted(set(settings) - set(recipe.config_class.__dataclass_fields__))
        if unknown:
            raise ValueError(f"The recipe has unknown settings: {', '.join(unknown)}.")
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
        return cls(recipe, recipe.config_class(**values), exposed_answers)
