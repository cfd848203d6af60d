"""Hundreds of target classes: the exported graph must not grow with their number."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from inference.networks.config import LOOKALIKES
from inference.networks.export import heads_to_onnx
from inference.networks.heads import Heads, HeadsConfig
from inference.scoring.predictor import HeadsPredictor

CONFIG = HeadsConfig(
    feature_size=1012, pooled_start=6, pooled_stop=12, bins=10, hidden=0, dropout=0.0, synsets=(409, 530)
)


def features() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shares = torch.rand(5, 1000, generator=generator).softmax(1)
    return torch.cat([torch.randn(5, 12, generator=generator), shares.log()], dim=1)


def one_by_one(synsets: tuple[int, ...]) -> torch.Tensor:
    """Return what the heads compute for each class, in a loop."""
    shares = features()[:, 12:].exp()
    left = 1 - shares[:, list(LOOKALIKES)].sum(1)
    out = [one for one in LOOKALIKES if one not in synsets]
    columns = [shares[:, one] if one in LOOKALIKES else left * shares[:, one] for one in synsets]
    return torch.stack(columns, dim=1) / (1 - shares[:, out].sum(1, keepdim=True))


@pytest.mark.parametrize("synsets", [(409,), (409, *LOOKALIKES), tuple(range(400, 900)), tuple(range(999, -1, -1))])
@torch.no_grad()
def test_many_classes_have_the_probabilities_of_a_loop_over_them(synsets: tuple[int, ...]) -> None:
    found = Heads(replace(CONFIG, synsets=synsets)).eval()(features()).synset_probabilities
    torch.testing.assert_close(found, one_by_one(synsets), atol=1e-6, rtol=1e-4)


def test_the_graph_of_many_classes_is_as_small_as_that_of_two(tmp_path: Path) -> None:
    sizes = []
    for synsets in ((409, 530), tuple(range(400, 800))):
        path = tmp_path / f"{len(synsets)}.onnx"
        heads = Heads(replace(CONFIG, synsets=synsets)).eval()
        heads_to_onnx(heads, path)
        sizes.append(len(onnx.load(path).graph.node))
        with torch.no_grad():
            expected = heads(features())
        served = HeadsPredictor(path, threads=1).predict(features().numpy())
        np.testing.assert_allclose(served.synset_probabilities, expected.synset_probabilities, atol=1e-5)
    assert sizes[1] <= sizes[0]
