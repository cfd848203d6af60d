"""The shipped prior and its recipe."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inference.networks.checkpoint import heads_load
from inference.networks.config import PRIOR_FOLDER
from tests.conftest import photo_bytes
from training.recipes.prior import PriorRecipe, Variant, degraded, panel_distribution, random_crop, variants


@given(st.floats(1.05, 9.95))
def test_a_panel_distribution_has_the_given_mean_and_spread(mean: float) -> None:
    distribution = panel_distribution(mean, sos=0.22)
    scores = np.arange(1, 11)
    assert distribution.sum() == pytest.approx(1)
    assert distribution @ scores == pytest.approx(mean)
    assert distribution @ scores**2 - mean**2 == pytest.approx(0.22 * (mean - 1) * (10 - mean))


def test_variants_have_zero_one_or_two_degradations() -> None:
    recipe = PriorRecipe(crops_per_photo=2, singles_per_crop=0, mixtures_per_crop=3)
    found = list(variants(0, recipe, np.random.default_rng(0)))
    assert [len([one for one in found if len(one.degradations) == count]) for count in (0, 1, 2)] == [2, 2 * 28, 6]


def test_worse_grades_and_more_degradations_score_lower() -> None:
    recipe = PriorRecipe()
    means = [Variant(0, 0, (("blur", grade),)).mean(recipe) for grade in range(5)]
    assert means == sorted(means, reverse=True)
    assert Variant(0, 0, (("blur", 3), ("noise", 3))).mean(recipe) < means[3]


def test_crops_are_not_enlarged_and_degraded_crops_keep_their_size() -> None:
    rng = np.random.default_rng(0)
    photo = Image.open(io.BytesIO(photo_bytes(1, width=640, height=480))).convert("RGB")
    for _ in range(10):
        crop = random_crop(photo, PriorRecipe(), rng)
        assert max(crop.size) <= 640
        assert degraded(crop, [("noise", 2), ("blur", 1)], rng).size == crop.size


def test_the_card_of_the_shipped_prior_names_its_recipe_and_data() -> None:
    heads, card = heads_load(PRIOR_FOLDER)
    assert heads.config.bins == 10
    assert {"recipe", "data", "figures", "licence", "limits"} <= set(card)
    assert card["recipe"] == PriorRecipe().as_card(), "the recipe has changed: make the prior again"
