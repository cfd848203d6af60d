from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inference.networks.checkpoint import prior_for
from inference.networks.config import backbone_config
from inference.networks.heads import Heads, heads_fresh, rebin_matrix

MakeHeads = Callable[..., Heads]


def test_watch_probability_of_fresh_heads_is_the_sum_of_the_synset_probabilities(
    make_heads: MakeHeads, features: np.ndarray
) -> None:
    heads = make_heads()
    output = heads(torch.from_numpy(features))
    classes = (torch.from_numpy(features)[:, 6:] @ heads.class_weight.T + heads.class_bias).softmax(1)
    torch.testing.assert_close(output.watch_logit.sigmoid(), classes[:, 3] + classes[:, 7])
    torch.testing.assert_close(output.synset_probabilities, classes[:, [3, 7]])


@torch.no_grad()
def test_synset_probabilities_come_from_class_probabilities_in_the_features(make_heads: MakeHeads) -> None:
    classes = torch.rand(4, 1000, generator=torch.Generator().manual_seed(0)).softmax(1)
    lookalike = torch.tensor([0.3, 0.0, 0.6, 1.0])
    classes[:, 426] = lookalike  # computed with all classes; other classes are computed without lookalikes
    features = torch.cat([torch.zeros(4, 12), classes.log()], dim=1)

    def synset_probabilities(*synsets: int) -> torch.Tensor:
        config = replace(make_heads().config, feature_size=1012, synsets=synsets)
        return Heads(config)(features).synset_probabilities

    others = classes[:, [464, 507, 635, 685]].sum(1)
    remainder = (1 - lookalike - others).clamp(min=0)
    torch.testing.assert_close(synset_probabilities(409, 531), classes[:, [409, 531]])
    # Cats have no lookalikes, so their probabilities are computed with all classes.
    torch.testing.assert_close(synset_probabilities(281), classes[:, [281]] * remainder[:, None], atol=1e-6, rtol=1e-4)
    # A lookalike among the synsets is not excluded; the other four are.
    expected = torch.stack([classes[:, 409] * remainder, lookalike], dim=1) / (1 - others)[:, None]
    torch.testing.assert_close(synset_probabilities(409, 426), expected, atol=1e-6, rtol=1e-4)


def test_watch_logit_stays_finite_when_the_synsets_have_no_probability(make_heads: MakeHeads) -> None:
    heads = make_heads()
    heads.class_bias[[3, 7]] = -1e4
    output = heads(torch.zeros(1, 12))
    assert torch.isfinite(output.watch_logit).all()
    assert output.watch_logit.sigmoid().item() < 1e-6


@pytest.mark.parametrize("bins", [2, 5, 10, 100])
def test_quality_distribution_has_the_bins_of_the_scale_and_adds_up_to_one(
    make_heads: MakeHeads, features: np.ndarray, bins: int
) -> None:
    distribution = make_heads(bins=bins)(torch.from_numpy(features)).quality_logits.softmax(1)
    assert distribution.shape == (10, bins)
    torch.testing.assert_close(distribution.sum(1), torch.ones(10))


def test_rebinning_ten_bins_to_five_joins_neighbours() -> None:
    p = torch.tensor([[0.1, 0.2, 0.0, 0.1, 0.3, 0.0, 0.1, 0.1, 0.05, 0.05]])
    torch.testing.assert_close(p @ rebin_matrix(10, 5), torch.tensor([[0.3, 0.1, 0.3, 0.2, 0.1]]))


@given(st.integers(1, 40), st.integers(2, 100))
def test_rebinning_keeps_the_total_probability_and_the_mean(bins: int, new_bins: int) -> None:
    matrix = rebin_matrix(bins, new_bins).double()
    torch.testing.assert_close(matrix.sum(1), torch.ones(bins, dtype=torch.float64), atol=1e-5, rtol=0)
    centre = (torch.arange(bins).double() + 0.5) / bins
    new_centre = matrix @ ((torch.arange(new_bins).double() + 0.5) / new_bins)
    assert (new_centre - centre).abs().max() <= 0.5 / new_bins + 1e-6


def test_the_quality_head_can_be_linear(make_heads: MakeHeads, features: np.ndarray) -> None:
    assert make_heads(hidden=0)(torch.from_numpy(features)).quality_logits.shape == (10, 10)


@pytest.mark.parametrize("quality_input", ["all", "pooled"])
@torch.no_grad()
def test_a_backbone_without_a_shipped_prior_starts_in_the_middle_of_the_scale(quality_input: str) -> None:
    config = backbone_config("squeezenet1_1", weights="random")
    inputs = 20 * torch.randn(40, config.feature_size, generator=torch.Generator().manual_seed(0))
    heads, card = prior_for(config, bins=10, synsets=(3, 7), quality_input=quality_input, features=inputs)
    distribution = heads(inputs).quality_logits.softmax(1)
    mean = distribution @ torch.arange(1.0, 11.0)
    torch.testing.assert_close(mean, torch.full((40,), 5.5))
    deviation = (distribution @ torch.arange(1.0, 11.0).square() - mean.square()).sqrt()
    assert (deviation - 2.1).abs().max() < 0.2
    torch.testing.assert_close(heads.standardise(inputs).mean(0), torch.zeros(config.feature_size), atol=1e-4, rtol=0)
    assert (card["recipe"]["neutral"], heads.config.classes, heads.config.backbone) == (True, 0, "squeezenet1_1")
    classes = inputs[:, config.pooled_start :].softmax(1)  # the pooled layer of this network is its logits
    torch.testing.assert_close(heads(inputs).synset_probabilities, classes[:, [3, 7]])


def test_the_quality_head_can_have_a_hidden_layer_on_pooled_features() -> None:
    config = backbone_config("inception_v3")
    classifier = (torch.zeros(1000, 2048), torch.zeros(1000))
    heads = heads_fresh(config, bins=10, synsets=(3,), hidden=32, quality_input="pooled", classifier=classifier)
    assert heads.quality.get_submodule("0").weight.shape == (32, 2048)
    assert heads(torch.zeros(2, config.feature_size)).quality_logits.shape == (2, 10)
