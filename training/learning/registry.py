"""The learning recipes by name, and what a run is told. No torch here.

To add a recipe, write a class as `training.learning.recipe.Recipe` says and add it to `_RECIPES`.
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
    """What a run is told; stored with the run, so that anyone can repeat it."""

    recipe: Recipe
    config: Any
    """An instance of the recipe's `config_class`."""
    exposed_answers: bool = False
    """Whether to learn also from answers that were given after the annotator had seen a prediction."""

    @classmethod
    def of(cls, name: str = DEFAULT_RECIPE, *, exposed_answers: bool = False) -> "LearningPlan":
        """Return the plan of a recipe with its default config."""
        recipe = RECIPES[name]
        return cls(recipe, recipe.config_class(), exposed_answers)

    def as_json(self) -> dict[str, Any]:
        """Return the recipe's name and version, the switch, and the fields of the config, as JSON holds them."""
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
        """Return the plan that `as_json` gave.

        Runs of before there was a registry name no recipe: theirs is the default one. Raises ValueError
        for a recipe that is not known or has another version, and for settings that are not known.
        """
        settings = dict(stored)
        name = settings.pop("recipe", DEFAULT_RECIPE)
        if name not in RECIPES:
            raise ValueError(f"There is no recipe {name!r}; there are: {', '.join(RECIPES)}.")
        recipe = RECIPES[name]
        version = settings.pop("recipe_version", None)
        if version != recipe.version:
            raise ValueError(f"The recipe has version {version}; this program follows version {recipe.version}.")
        exposed_answers = settings.pop("exposed_answers", False)
        unknown = sorted(set(settings) - set(recipe.config_class.__dataclass_fields__))
        if unknown:
            raise ValueError(f"The recipe has settings that are not known: {', '.join(unknown)}.")
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
        return cls(recipe, recipe.config_class(**values), exposed_answers)
