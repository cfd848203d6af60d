"""Fitting small heads on generated features with a known true quality."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from annotation.measures import correlation, distribution
from inference.networks.heads import Heads, HeadsConfig
from training.learning.config import PriorResidualConfig, WatchConfig
from training.learning.dataset import RatedImages
from training.learning.fitting import _watch_put, heads_fit
from training.learning.prior_residual import PriorResidual
from training.learning.quality_heads import heads_with_logits
from training.learning.recipe import FittedHeads, Report
from training.learning.residual import Calibration, Residual, calibration_fit
from training.learning.residual_steps import HeadCapacity, head_capacity
from training.learning.watch import WatchFit
from training.learning.watch_thresholds import WatchAim

CONFIG = PriorResidualConfig(epochs=30, patience=10, directions=32, folds=3, learning_rate=0.05, residual_below=120)
FEATURES, POOLED, CLASSES = 48, 16, 8


def prior(hidden: int = 6, bins: int = 10, quality_input: str = "all") -> Heads:
    generator = torch.Generator().manual_seed(3)
    config = HeadsConfig(FEATURES, FEATURES - POOLED, FEATURES, bins, hidden, 0.0, (1, 4), quality_input=quality_input)
    classifier = (torch.randn(CLASSES, POOLED, generator=generator), torch.zeros(CLASSES))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return Heads(config, classifier).eval()


def generated_data(
    count: int, *, bins: int = 10, votes: int = 4, seed: int = 0
) -> tuple[np.ndarray, RatedImages, np.ndarray]:
    """Return features, votes and the true quality. A few features determine quality and watch label."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, FEATURES)).astype(np.float32)
    quality = (bins - 1) / 2 + 1.6 * bins / 10 * features[:, :3].sum(axis=1) / np.sqrt(3)
    histograms = np.zeros((count, bins), dtype=np.float32)
    for _ in range(votes):
        scores = np.clip(np.round(quality + rng.normal(0, 1.0, count)), 0, bins - 1).astype(int)
        histograms[np.arange(count), scores] += 1
    is_watch = features[:, -1] + features[:, -2] > 0
    rated = RatedImages(
        image_ids=np.arange(count),
        groups=np.arange(count).astype("U36"),
        histograms=histograms,
        watch_yes=np.where(is_watch, votes, 0).astype(np.float32),
        watch_no=np.where(is_watch, 0, votes).astype(np.float32),
    )
    return features, rated, quality


def predicted_means(heads: Heads, features: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return distribution.mean_score(heads(torch.from_numpy(features)).quality_logits.softmax(1).numpy(), lowest=1)


def residual_fitted(
    heads: Heads, features: np.ndarray, rated: RatedImages, *, seed: int = 1, report: Report | None = None
) -> FittedHeads:
    return heads_fit(
        heads,
        features,
        rated,
        recipe=PriorResidual(),
        config=CONFIG,
        watch_config=WatchConfig(folds=3),
        watch_aim=WatchAim(0.05),
        seed=seed,
        report=report or ignore_report,
    )


def ignore_report(stage: str, share: float, history: list[dict[str, float]]) -> None:
    pass


@pytest.mark.parametrize(
    ("rated", "capacity"),
    [
        (0, HeadCapacity.CALIBRATE),
        (49, HeadCapacity.CALIBRATE),
        (50, HeadCapacity.RESIDUAL),
        (299, HeadCapacity.RESIDUAL),
        (300, HeadCapacity.FULL),
    ],
)
def test_the_number_of_rated_images_determines_the_head_capacity(rated: int, capacity: HeadCapacity) -> None:
    assert head_capacity(rated, PriorResidualConfig()) is capacity


@pytest.mark.parametrize(("count", "bins", "hidden"), [(80, 10, 6), (160, 10, 6), (160, 10, 0), (160, 5, 6)])
def test_learning_finds_the_true_quality(count: int, bins: int, hidden: int) -> None:
    features, rated, _ = generated_data(count, bins=bins)
    fitted = residual_fitted(prior(hidden, bins), features, rated)
    fresh, _, quality = generated_data(200, bins=bins, seed=9)
    before = correlation.srcc(predicted_means(prior(hidden, bins), fresh), quality)
    after = correlation.srcc(predicted_means(fitted.heads, fresh), quality)
    assert after > 0.6
    assert after > before + 0.3
    assert fitted.figures["residual"]["chosen_loss"] < fitted.figures["residual"]["chosen_loss_calibrated"]
    assert fitted.history[0]["validation"] > fitted.history[-1]["validation"]


@pytest.mark.parametrize("hidden", [6, 0])
def test_a_head_on_the_pooled_layer_learns_from_it_alone(hidden: int) -> None:
    features, rated, quality = generated_data(160)
    rolled = np.roll(features, FEATURES - POOLED, axis=1)  # moves the informative features into the pooled layer
    fitted = residual_fitted(prior(hidden, quality_input="pooled"), rolled, rated)
    assert correlation.srcc(predicted_means(fitted.heads, rolled), quality) > 0.6
    other_layers_changed = rolled.copy()
    other_layers_changed[:, : FEATURES - POOLED] = 7.0
    np.testing.assert_allclose(
        predicted_means(fitted.heads, other_layers_changed), predicted_means(fitted.heads, rolled), atol=1e-5
    )


def test_a_few_images_are_used_for_calibration_only() -> None:
    features, rated, _ = generated_data(30)
    fitted = residual_fitted(prior(), features, rated)
    # Sharpness and tilt are the same for all photos, so the order hardly changes.
    assert correlation.srcc(predicted_means(fitted.heads, features), predicted_means(prior(), features)) > 0.95
    assert fitted.heads.config == prior().config
    assert fitted.history == []
    mos = distribution.mean_score(rated.histograms, lowest=1)
    assert correlation.rmse(predicted_means(fitted.heads, features), mos) <= correlation.rmse(
        predicted_means(prior(), features), mos
    )


def test_random_votes_do_not_spread_the_predictions() -> None:
    features, rated, _ = generated_data(120)
    shuffled = replace(rated, histograms=np.random.default_rng(1).permutation(rated.histograms))
    fitted = residual_fitted(prior(), features, shuffled)
    spread = predicted_means(fitted.heads, features).std()
    assert spread < 0.5 * distribution.mean_score(shuffled.histograms, lowest=1).std()


def test_the_same_data_and_seed_give_the_same_weights() -> None:
    features, rated, _ = generated_data(130)
    first, second, other = (
        residual_fitted(prior(), features, rated, seed=seed).heads.state_dict() for seed in (4, 4, 5)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_learning_does_not_change_the_global_random_state() -> None:
    features, rated, _ = generated_data(60)
    state = torch.random.get_rng_state()
    residual_fitted(prior(), features, rated, seed=4)
    assert torch.equal(state, torch.random.get_rng_state())


def with_labels_alone(rated: RatedImages, scored: int) -> RatedImages:
    """Return the same photos; all but the first `scored` have only an imported label, which is right."""
    alone = np.arange(len(rated)) >= scored
    watch = (rated.watch_yes > rated.watch_no).astype(np.int8)
    return replace(
        rated,
        histograms=np.where(alone[:, np.newaxis], 0, rated.histograms),
        watch_yes=np.where(alone, 0, rated.watch_yes),
        watch_no=np.where(alone, 0, rated.watch_no),
        watch_labels=np.where(alone, watch, np.int8(-1)),
    )


def test_photos_with_a_label_alone_teach_the_watch_head_and_nothing_about_quality() -> None:
    features, rated, _quality = generated_data(240)
    first = np.arange(240) < 60
    fitted = residual_fitted(prior(), features, with_labels_alone(rated, 60))
    plain = residual_fitted(prior(), features[first], rated.part(first))
    assert (fitted.figures["images"], fitted.figures["watch"]["labels"]) == (60, 240)
    assert (plain.figures["images"], plain.figures["watch"]["labels"]) == (60, 60)
    assert predicted_means(fitted.heads, features) == pytest.approx(predicted_means(plain.heads, features))
    assert fitted.figures["watch"]["uses_features"]
    assert not plain.figures["watch"]["uses_features"]  # too few labels


def test_labels_alone_keep_the_quality_of_the_prior() -> None:
    features, rated, _quality = generated_data(240)
    fitted = residual_fitted(prior(), features, with_labels_alone(rated, 0))
    assert predicted_means(fitted.heads, features).tolist() == predicted_means(prior(), features).tolist()
    assert (fitted.figures["images"], fitted.figures["votes"], fitted.figures["watch"]["labels"]) == (0, 0, 240)


def test_an_exception_in_the_report_stops_learning() -> None:
    features, rated, _ = generated_data(80)

    def stop(stage: str, share: float, history: list[dict[str, float]]) -> None:
        if history:
            raise KeyboardInterrupt(stage)

    with pytest.raises(KeyboardInterrupt, match="Learning quality"):
        residual_fitted(prior(), features, rated, report=stop)


def test_progress_never_decreases() -> None:
    features, rated, _ = generated_data(80)
    shares: list[float] = []
    residual_fitted(prior(), features, rated, report=lambda stage, share, history: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize("hidden", [0, 6])
def test_the_learned_changes_are_merged_without_loss(hidden: int) -> None:
    old = prior(hidden)
    features = torch.randn(20, FEATURES, generator=torch.Generator().manual_seed(1))
    calibration = Calibration(sharpness=1.4, tilt=0.3)
    generator = torch.Generator().manual_seed(2)
    residual = Residual(
        torch.randn(10, FEATURES, generator=generator), torch.randn(10, generator=generator), 0.7, 1.0, [], 0, 0
    )
    weight = np.linspace(-1, 1, POOLED).astype(np.float32)
    new = heads_with_logits(old, calibration, residual)
    _watch_put(new, WatchFit(scale=2.0, shift=-1.0, weight=weight))
    with torch.no_grad():
        expected = 0.7 * calibration.apply(old(features).quality_logits) + features @ residual.weight.T + residual.bias
        output = new(features)
        assert torch.allclose(output.quality_logits, expected, atol=1e-4)
        learned = features[:, -POOLED:] @ torch.from_numpy(weight)
        assert torch.allclose(output.watch_logit, 2 * old(features).watch_logit - 1 + learned, atol=1e-4)


def test_calibration_finds_a_known_sharpness_and_tilt() -> None:
    logits = 2 * torch.randn(400, 10, generator=torch.Generator().manual_seed(1))
    histograms = 1000 * Calibration(sharpness=0.5, tilt=0.8).apply(logits).softmax(1)
    found = calibration_fit(logits, histograms, to_scale=lambda x: x, vote_noise=3.7, likelihood=0.05)
    assert (found.sharpness, found.tilt) == pytest.approx((0.5, 0.8), abs=0.02)
