"""The shipped prior and its recipe."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from annotation.measures.correlation import srcc
from inference.networks.checkpoint import heads_load
from inference.networks.config import EFFICIENTNET_LITE2, LITES, PRIOR_FOLDERS
from tests.conftest import photo_bytes
from training.recipes.prior import (
    PriorRecipe,
    Variant,
    degraded,
    panel_distribution,
    random_crop,
    recipe_for,
    train,
    variants,
)


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


@pytest.mark.parametrize("name", PRIOR_FOLDERS)
def test_the_card_of_a_shipped_prior_names_its_recipe_and_data(name: str) -> None:
    heads, card = heads_load(PRIOR_FOLDERS[name])
    assert (heads.config.bins, heads.config.backbone) == (10, name)
    assert heads.config.feature_size == LITES[name].feature_size
    assert {"recipe", "data", "figures", "licence", "limits"} <= set(card)
    # The number of variants may differ, because it decides only how long the training takes.
    counts = {"crops_per_photo", "singles_per_crop", "mixtures_per_crop", "epochs"}
    expected = recipe_for(LITES[name]).as_card() | {count: card["recipe"][count] for count in counts}
    assert card["recipe"] == expected, "the recipe has changed: make the prior again"


def test_the_number_of_stage_features_follows_the_backbone() -> None:
    assert [recipe_for(config).stage_features for config in LITES.values()] == [912, 912, 984]


def test_a_prior_of_another_backbone_learns_from_its_stage_features_only() -> None:
    config, rng = EFFICIENTNET_LITE2, np.random.default_rng(0)
    recipe = recipe_for(config, PriorRecipe(hidden=8, epochs=40, batch=32, dropout=0.0, input_noise=0.1))
    found = [Variant(number, 0, (("blur", number % 5),)) for number in range(100)]
    features = rng.normal(size=(100, config.feature_size)).astype(np.float32)
    features[:, :900] -= np.array([variant.degradations[0][1] for variant in found])[:, None]
    heads = train(found, features, recipe, config=config)
    changed = features.copy()
    changed[:, recipe.stage_features : config.pooled_stop] += 5

    def means(rows: np.ndarray) -> np.ndarray:
        distribution = heads(torch.from_numpy(rows)).quality_logits.softmax(1).detach().numpy()
        return distribution @ np.arange(1, 11)

    assert heads.config.backbone == config.name
    assert srcc(means(features), np.array([variant.mean(recipe) for variant in found])) > 0.9
    np.testing.assert_allclose(means(changed), means(features), atol=1e-5)
