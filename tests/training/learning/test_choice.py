"""The words of the automatic choice, and the page that lists the recipes."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from training.learning.choice import Choice
from training.learning.registry import RECIPES

FIGURES = {
    "chosen": "ridge",
    "favourite": "ridge",
    "folds": 5,
    "images": 200,
    "groups": 85,
    "rps": {"prior": 1.1, "ridge": 0.98, "overall": 1.04},
    "nested_rps": 0.98,
    "gain": 0.06,
    "gain_low": 0.03,
    "gain_high": 0.09,
}


def test_the_recipes_are_listed_with_the_best_first() -> None:
    choice = Choice.of({"comparison": FIGURES})
    assert choice is not None
    assert [(label, chosen) for label, _, chosen in choice.rows] == [
        ("Ridge regression", True),
        ("No recipe: all votes", False),
        ("Prior alone", False),
    ]


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.01, 0.1, "pays"), (-0.1, -0.01, "does harm"), (-0.1, 0.1, "cannot tell")]
)
def test_the_verdict_follows_the_interval(low: float, high: float, verdict: str) -> None:
    choice = Choice.of({"comparison": {**FIGURES, "gain_low": low, "gain_high": high}})
    assert choice is not None
    assert verdict in choice.verdict


def test_versions_of_one_given_recipe_have_no_choice() -> None:
    assert Choice.of({"recipe": "ridge"}) is None
    assert Choice.of({}) is None


def test_the_reference_page_has_a_row_for_each_recipe() -> None:
    page = (Path(settings.BASE_DIR) / "docs/reference/recipes.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    assert rows == [(name, recipe.label, recipe.description) for name, recipe in RECIPES.items()]
