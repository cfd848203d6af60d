"""Every recipe on generated photos: it learns, is exactly repeatable, and its heads are served as they were learned."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from annotation.measures import correlation
from annotation.measures.distribution import rps
from inference.networks.checkpoint import heads_load, heads_save
from inference.networks.export import heads_to_onnx
from inference.networks.heads import Heads
from inference.scoring.predictor import HeadsPredictor
from tests.training.learning.recipe_data import rated_photos, small_prior, with_shuffled_votes
from training.learning.auto import Auto, AutoConfig, candidates
from training.learning.config import PriorResidualConfig
from training.learning.dataset import RatedImages
from training.learning.dirichlet_multinomial import DirichletMultinomialConfig
from training.learning.quality_data import QualityData, predicted
from training.learning.recipe import FittedHeads
from training.learning.registry import RECIPES
from training.learning.ridge import Ridge

LEARNING = sorted(set(RECIPES) - {"prior", "calibrated_prior"})
# Fewer steps and candidates than by default, which would take ten times as long.
QUICK = {"epochs": 60, "directions": 32, "folds": 3, "residual_decays": (0.1, 0.01), "learning_rate": 0.05}
CONFIGS = {
    "prior_residual": PriorResidualConfig(**QUICK),  # type: ignore[arg-type]
    "dirichlet_multinomial": DirichletMultinomialConfig(**QUICK),  # type: ignore[arg-type]
}


def learned(name: str, data: QualityData, seed: int = 1) -> FittedHeads:
    recipe = RECIPES[name]
    config = CONFIGS.get(name, recipe.config_class())
    return recipe.fit(data, config=config, seed=seed, report=lambda stage, share, history: None)


def means(fitted: FittedHeads, features: np.ndarray) -> np.ndarray:
    distribution = predicted(fitted.heads, features)
    return distribution @ np.arange(distribution.shape[1])


@pytest.mark.parametrize("name", LEARNING)
@pytest.mark.parametrize("bins", [10, 5])
def test_recipes_learn_the_true_quality(name: str, bins: int) -> None:
    data, _ = rated_photos(160, bins=bins)
    fresh, quality = rated_photos(200, bins=bins, seed=9)
    before = correlation.srcc(means(learned("prior", data), fresh.features), quality)
    after = correlation.srcc(means(learned(name, data), fresh.features), quality)
    assert after > 0.6
    assert after > before + 0.2


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_the_distributions_add_up_to_one(name: str) -> None:
    data, _ = rated_photos(60)
    distribution = predicted(learned(name, data).heads, data.features)
    np.testing.assert_allclose(distribution.sum(1), 1, atol=1e-5)
    assert distribution.min() >= 0


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_is_exactly_repeatable_and_leaves_the_prior_alone(name: str) -> None:
    data, _ = rated_photos(40)
    first, second = (learned(name, data).heads.state_dict() for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)
    fresh = small_prior().state_dict()
    assert all(torch.equal(fresh[key], value) for key, value in data.prior.state_dict().items())


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_the_served_file_predicts_what_was_learned(name: str, tmp_path: Path) -> None:
    data, _ = rated_photos(60)
    fitted = learned(name, data)
    heads_save(tmp_path, fitted.heads, {})
    stored, _card = heads_load(tmp_path)
    heads_to_onnx(stored, tmp_path / "heads.onnx")
    served = HeadsPredictor(tmp_path / "heads.onnx").predict(data.features).distribution
    np.testing.assert_allclose(served, predicted(stored, data.features), atol=1e-5)
    np.testing.assert_allclose(served, predicted(fitted.heads, data.features), atol=0.02)  # weights are rounded


@pytest.mark.parametrize("name", sorted(RECIPES))
@pytest.mark.parametrize("count", [1, 2, 5])
def test_one_to_five_rated_photos_are_enough_to_run(name: str, count: int) -> None:
    data, _ = rated_photos(count)
    assert np.isfinite(predicted(learned(name, data).heads, data.features)).all()


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_equal_votes_and_equal_photos_are_no_obstacle(name: str) -> None:
    data, _ = rated_photos(30)
    same = RatedImages(
        **{
            **{field: getattr(data.rated, field) for field in ("image_ids", "groups", "watch_yes", "watch_no")},
            "histograms": np.tile(np.eye(10, dtype=np.float32)[3] * 2, (30, 1)),
            "votes": None,
        }
    )
    equal = QualityData(data.prior, np.tile(data.features[:1], (30, 1)), same)
    distribution = predicted(learned(name, equal).heads, equal.features)
    assert np.isfinite(distribution).all()
    if name not in {"prior", "calibrated_prior", "prior_residual", "dirichlet_multinomial", "auto"}:
        assert distribution[:, 2:5].sum(1).min() > 0.8


def test_the_ridge_predicts_votes_better_than_the_prior_and_than_the_mean_opinion() -> None:
    data, _ = rated_photos(120)
    fresh, _ = rated_photos(200, seed=9)
    votes = fresh.rated.histograms
    overall = np.tile(data.rated.histograms.sum(0) / data.rated.histograms.sum(), (200, 1))
    ours, prior = (
        rps(predicted(learned(name, data).heads, fresh.features), votes).mean() for name in ("ridge", "prior")
    )
    assert ours < 0.9 * rps(overall, votes).mean()
    assert ours < 0.9 * prior


def test_random_clickers_harm_the_ridge_less_than_a_regression_on_plain_means() -> None:
    fresh, quality = rated_photos(300, seed=9)
    gains = []
    for seed in range(6):
        data, _ = rated_photos(120, seed=20 + seed, clickers=3)
        plain = QualityData(data.prior, data.features, RatedImages(**{**vars(data.rated), "votes": None}))
        corrected, uncorrected = (means(learned("ridge", one), fresh.features) for one in (data, plain))
        gains.append(correlation.srcc(corrected, quality) - correlation.srcc(uncorrected, quality))
    assert np.mean(gains) > 0


def test_shuffled_votes_leave_nothing_to_gain() -> None:
    """No interval lies above zero, and the mean of the gains is small against that of the true votes (0.2)."""
    gains, claimed = [], 0
    for seed in range(5):
        data, _ = rated_photos(40, seed=seed)
        comparison = learned("auto", with_shuffled_votes(data, seed)).figures["comparison"]
        gains.append(comparison["gain"])
        claimed += comparison["gain_low"] > 0
    assert claimed == 0
    assert np.mean(gains) < 0.03


def test_a_real_gain_is_found_with_its_interval() -> None:
    data, _ = rated_photos(150)
    comparison = learned("auto", data).figures["comparison"]
    assert comparison["chosen"] == "ridge"
    assert 0 < comparison["gain_low"] < comparison["gain"] < comparison["gain_high"]
    assert comparison["images"] == 150


def test_the_number_of_photos_decides_what_is_compared() -> None:
    config = AutoConfig()
    names = {count: [recipe.name for recipe in candidates(count, config)] for count in (19, 20, 299, 300)}
    assert names[19] == ["prior", "calibrated_prior"]
    assert names[20] == names[299] == ["prior", "calibrated_prior", "ridge"]
    assert names[300] == [*names[299], "gaussian_process"]


def test_copies_of_a_photo_are_not_evidence() -> None:
    """Five copies of each of 12 photos: only the groups that are left out show that features say nothing."""
    data, _ = rated_photos(60, group=5, seed=3)
    rng = np.random.default_rng(1)
    noise = np.repeat(rng.normal(size=(12, data.features.shape[1])), 5, axis=0).astype(np.float32)
    of_noise = QualityData(data.prior, noise, data.rated)
    alone = QualityData(data.prior, noise, RatedImages(**{**vars(data.rated), "groups": np.arange(60).astype("U36")}))
    spread = {
        name: means(learned("ridge", one), noise).std() for name, one in (("grouped", of_noise), ("alone", alone))
    }
    assert spread["grouped"] < 0.8 * spread["alone"]


def test_cancelling_stops_the_comparison() -> None:
    data, _ = rated_photos(40)

    def stop(stage: str, share: float, history: list[dict[str, float]]) -> None:
        if share > 0.3:
            raise KeyboardInterrupt(stage)

    with pytest.raises(KeyboardInterrupt, match="Comparing recipes"):
        Auto().fit(data, config=AutoConfig(), seed=1, report=stop)


def test_the_progress_of_the_comparison_never_decreases() -> None:
    data, _ = rated_photos(40)
    shares: list[float] = []
    Auto().fit(data, config=AutoConfig(), seed=1, report=lambda stage, share, history: shares.append(share))
    assert shares == sorted(shares)
    assert Ridge.name == "ridge"


@pytest.mark.parametrize("name", ["ridge", "gaussian_process"])
def test_what_only_the_larger_picture_shows_is_learned(name: str, tmp_path: Path) -> None:
    data, quality = rated_photos(300)
    own = data.prior.config
    config = replace(own, feature_size=own.feature_size + own.pooled_start, second_size=own.pooled_start)
    prior = Heads(config, data.prior.classifier).eval()
    prior.load_state_dict(data.prior.state_dict())
    # The smaller picture says nothing; the larger one has the stages that decide.
    nothing = np.random.default_rng(1).normal(size=data.features.shape)
    features = np.hstack([nothing, data.features[:, : own.pooled_start]]).astype(np.float32)
    both = replace(data, prior=prior, features=features)
    tested = np.arange(300) >= 200
    fitted = learned(name, both.part(~tested))
    heads_save(tmp_path, fitted.heads, {})
    heads_to_onnx(heads_load(tmp_path)[0], tmp_path / "heads.onnx")
    served = HeadsPredictor(tmp_path / "heads.onnx").predict(features[tested]).distribution
    assert correlation.srcc(served @ np.arange(served.shape[1]), quality[tested]) > 0.6
