"""The stored figures of the automatic choice of a recipe, in words for pages. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from annotation.language import gettext
from training.learning.registry import RECIPES


@dataclass(frozen=True)
class Choice:
    """How recipes predicted votes on photos of groups that they had not learned from."""

    rows: list[tuple[str, float, bool]]
    """Name of each recipe, its ranked probability score (RPS) per vote, and whether it was chosen; best first."""
    folds: int
    images: int
    groups: int
    nested_rps: float
    gain: float
    gain_low: float
    gain_high: float

    @classmethod
    def of(cls, figures: Mapping[str, Any]) -> Self | None:
        """Return the choice among a version's figures; None for a version of one given recipe."""
        stored = figures.get("comparison")
        if not stored:
            return None
        scores = sorted(stored["rps"].items(), key=lambda item: item[1])
        labels = {name: gettext(recipe.label) for name, recipe in RECIPES.items()}
        labels["overall"] = gettext("No recipe: all votes")
        return cls(
            rows=[(labels.get(name, name), score, name == stored["chosen"]) for name, score in scores],
            **{field: stored[field] for field in ("folds", "images", "groups", "nested_rps")},
            **{field: stored[field] for field in ("gain", "gain_low", "gain_high")},
        )

    @property
    def verdict(self) -> str:
        """Return what the gain says, as the end of a sentence."""
        if self.gain_low > 0:
            return gettext("so learning from the features pays")
        if self.gain_high < 0:
            return gettext("so learning from the features does harm here")
        return gettext("so these votes cannot tell whether learning from the features pays")
