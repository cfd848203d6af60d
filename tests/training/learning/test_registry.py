"""The recipes by name, and the stored form of a learning plan."""

from dataclasses import dataclass
from typing import Any

import pytest

from training.learning import registry
from training.learning.config import PriorResidualConfig
from training.learning.registry import RECIPES, LearningPlan


def test_a_stored_plan_can_be_loaded() -> None:
    recipe = RECIPES["prior_residual"]
    plan = LearningPlan(recipe, PriorResidualConfig(folds=3, full_decays=(0.5,)), exposed_answers=True)
    stored = plan.as_json()
    assert (stored["recipe"], stored["recipe_version"], stored["exposed_answers"]) == ("prior_residual", 2, True)
    assert (stored["folds"], stored["full_decays"]) == (3, [0.5])
    assert LearningPlan.from_json(stored) == plan


def test_answers_given_after_seeing_a_prediction_are_left_out_by_default() -> None:
    assert not LearningPlan.of().exposed_answers
    assert not LearningPlan.from_json({"recipe": "ridge", "recipe_version": 1}).exposed_answers  # stored without it


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({}, "version None of the recipe; this program has version 2"),
        ({**LearningPlan.of().as_json(), "depth": 3}, "unknown settings: depth"),
        ({**LearningPlan.of().as_json(), "watch": {"depth": 3}}, "unknown settings: depth"),
        ({"recipe": "boosting"}, "no recipe 'boosting'. Known recipes: auto, prior"),
    ],
)
def test_an_unknown_recipe_version_or_setting_is_refused(stored: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LearningPlan.from_json(stored)


def test_every_recipe_has_texts_and_a_config_with_defaults() -> None:
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        assert recipe.label
        assert recipe.description.endswith(".")
        assert LearningPlan.from_json(LearningPlan.of(name).as_json()) == LearningPlan.of(name)


def test_a_new_recipe_needs_one_class_and_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class RidgeConfig:
        penalty: float = 1.0

    class Ridge:
        name, label, description, version = "ridge", "Ridge", "Ridge regression.", 4
        config_class = RidgeConfig

        def fit(self, *args: Any, **options: Any) -> Any:
            raise NotImplementedError

    monkeypatch.setitem(registry.RECIPES, "ridge", Ridge())
    assert LearningPlan.of("ridge").as_json() == {
        "recipe": "ridge",
        "recipe_version": 4,
        "exposed_answers": False,
        "watch": LearningPlan.of().as_json()["watch"],
        "penalty": 1.0,
    }
