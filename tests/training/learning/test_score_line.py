"""The ridge regression: its closed form against learning again without each group."""

import numpy as np
import pytest

from inference.networks.heads import HeadsConfig
from training.learning.score_line import Inputs, mean_line, score_line_fit

DECAYS = (0.01, 0.1, 1.0, 10.0, 100.0)


def photos(count: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return inputs, scores, weights and the prior's mean scores."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(count, 30)) / np.sqrt(30)
    prior = rng.normal(size=count)
    scores = 4 + 3 * inputs[:, 0] * np.sqrt(30) + 0.5 * prior + 0.3 * rng.normal(size=count)
    return inputs, scores, rng.uniform(0.2, 2, count), prior


@pytest.mark.parametrize("size", [1, 4])
def test_the_left_out_scores_are_those_of_lines_learned_without_the_group(size: int) -> None:
    inputs, scores, weights, prior = photos()
    groups = np.arange(40) // size
    line = score_line_fit(inputs, scores, weights, prior, groups=groups, decays=DECAYS, most_prior=1.25)
    for group in (0, 5):
        kept = groups != group
        again = score_line_fit(
            inputs[kept],
            scores[kept] - line.prior_weight * prior[kept],
            # The weights are scaled to their mean, which the decay is measured by.
            weights[kept],
            np.zeros(kept.sum()),
            groups=groups[kept],
            decays=(line.decay * weights.mean() / weights[kept].mean(),),
            most_prior=0,
        )
        expected = again.predict(inputs[~kept], 0 * prior[~kept]) + line.prior_weight * prior[~kept]
        np.testing.assert_allclose(line.left_out[~kept], expected, atol=1e-8)


def test_a_useful_prior_gets_weight_and_a_useless_one_none() -> None:
    inputs, scores, weights, prior = photos(200)
    groups = np.arange(200)
    useful = score_line_fit(inputs, scores, weights, prior, groups=groups, decays=DECAYS, most_prior=1.25)
    assert useful.prior_weight == pytest.approx(0.5, abs=0.15)
    other = np.random.default_rng(5).normal(size=200)
    useless = score_line_fit(inputs, scores, weights, other, groups=groups, decays=DECAYS, most_prior=1.25)
    assert useless.prior_weight < 0.15
    inverted = score_line_fit(inputs, scores, weights, -prior, groups=groups, decays=DECAYS, most_prior=1.25)
    assert inverted.prior_weight == 0


def test_the_order_of_the_photos_and_a_shift_of_the_scores_change_nothing_else() -> None:
    inputs, scores, weights, prior = photos()
    line = score_line_fit(inputs, scores, weights, prior, groups=np.arange(40), decays=DECAYS, most_prior=1.25)
    order = np.random.default_rng(2).permutation(40)
    other = score_line_fit(
        inputs[order], scores[order] + 3, weights[order], prior[order], groups=order, decays=DECAYS, most_prior=1.25
    )
    np.testing.assert_allclose(other.weight, line.weight, atol=1e-8)
    assert other.offset == pytest.approx(line.offset + 3)


def test_photos_of_a_single_group_leave_the_prior_as_it_is() -> None:
    inputs, scores, weights, prior = photos(6)
    line = score_line_fit(inputs, scores, weights, prior, groups=np.zeros(6), decays=DECAYS, most_prior=1.25)
    assert (line.prior_weight, line.decay) == (1.0, 100.0)
    np.testing.assert_allclose(line.left_out, scores.mean())


@pytest.mark.parametrize("classes", [0, 5])
def test_each_block_counts_as_much_as_the_other(classes: int) -> None:
    config = HeadsConfig(20 + classes, 12, 20, 10, 0, 0.0, (1,))
    features = np.random.default_rng(1).normal(3, 2, size=(2000, 20 + classes)).astype(np.float32)
    inputs = Inputs.of(features, config).of_photos(features)
    squares = (inputs**2).mean(0)
    shown = squares[20:] if classes else squares[12:20]
    assert squares[:12].sum() == pytest.approx(0.5, abs=0.02)
    assert shown.sum() == pytest.approx(0.5, abs=0.02)
    if classes:
        assert squares[12:20].sum() == 0  # the pooled layer says the same as the classes


def test_a_constant_feature_has_no_effect() -> None:
    config = HeadsConfig(20, 12, 20, 10, 0, 0.0, (1,))
    features = np.random.default_rng(1).normal(size=(50, 20)).astype(np.float32)
    features[:, 3] = 7
    assert np.abs(Inputs.of(features, config).of_photos(features)[:, 3]).max() < 1e-3


def test_each_size_has_its_own_line_and_the_mean_of_them_predicts() -> None:
    # 12 stage statistics, 8 pooled, 5 classes; then the same statistics and classes of the larger picture.
    config = HeadsConfig(42, 12, 20, 10, 0, 0.0, (1,), second_size=17)
    rng = np.random.default_rng(2)
    features = rng.normal(3, 2, size=(60, 42)).astype(np.float32)
    inputs = Inputs.of(features, config)
    assert inputs.views == (slice(0, 25), slice(25, 42))
    squares = (inputs.of_photos(features) ** 2).mean(0)
    for block in (slice(0, 12), slice(20, 25), slice(25, 37), slice(37, 42)):
        assert squares[block].sum() == pytest.approx(0.5, abs=0.02)
    assert squares[12:20].sum() == 0
    of_photos, scores, prior = inputs.of_photos(features), rng.normal(size=60), rng.normal(size=60)
    lines = [
        score_line_fit(
            of_photos[:, view], scores, np.ones(60), prior, groups=np.arange(60), decays=DECAYS, most_prior=1.25
        )
        for view in inputs.views
    ]
    both = mean_line(lines)
    expected = [line.predict(of_photos[:, view], prior) for line, view in zip(lines, inputs.views, strict=True)]
    np.testing.assert_allclose(both.predict(of_photos, prior), np.mean(expected, axis=0), atol=1e-9)
    np.testing.assert_allclose(both.left_out, (lines[0].left_out + lines[1].left_out) / 2)
