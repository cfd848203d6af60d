"""The bundled weights: exported files give the predictions of the PyTorch network."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from inference.networks.backbones import StagedBackbone, backbone_load
from inference.networks.checkpoint import prior_for, prior_for_scale
from inference.networks.config import BACKBONES, EFFICIENTNET_LITE0, BackboneConfig, backbone_config, lookalikes
from inference.networks.export import backbone_to_onnx, heads_to_onnx
from inference.networks.heads import Heads, heads_fresh
from inference.networks.transforms import pixels
from inference.scoring.decode import mean_and_std
from inference.scoring.int8 import int8_path
from inference.scoring.predictor import Backbone, HeadsPredictor

pytestmark = pytest.mark.slow
SYNSETS = (409, 530, 531, 826, 892)


@pytest.fixture(scope="module")
def network() -> StagedBackbone:
    return backbone_load(EFFICIENTNET_LITE0)


@pytest.fixture(scope="module")
def served(network: StagedBackbone, tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    path = tmp_path_factory.mktemp("backbone") / "backbone.onnx"
    backbone_to_onnx(network, path)
    return Backbone(path)


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    from skimage.data import astronaut

    return Image.fromarray(astronaut())


def scores_of(features: np.ndarray, heads: Heads) -> tuple[np.ndarray, np.ndarray]:
    with torch.no_grad():
        output = heads(torch.from_numpy(features))
    return output.watch_logit.sigmoid().numpy(), output.quality_logits.softmax(1).numpy()


@pytest.mark.parametrize("config", BACKBONES.values(), ids=BACKBONES)
def test_predictions_from_the_served_features_agree_with_pytorch(
    config: BackboneConfig, photo: Image.Image, tmp_path: Path
) -> None:
    network = backbone_load(config)
    backbone_to_onnx(network, tmp_path / "backbone.onnx")
    served = Backbone(tmp_path / "backbone.onnx")
    white = Image.new("RGB", (40, 30), "white")  # rounding changes the standard deviation of flat maps most
    batch = [served.prepare(picture) for picture in (photo, photo.rotate(90), white)]
    with torch.no_grad():
        expected = network(torch.from_numpy(np.stack(batch))).numpy()
    assert expected.shape == (3, config.feature_size)
    heads, _card = prior_for(config, bins=10, synsets=SYNSETS)
    if config.prior_folder is None:
        torch.manual_seed(0)
        torch.nn.init.normal_(heads.quality.weight, std=0.02)  # the neutral prior would hide any difference
    for one, other in zip(scores_of(expected, heads), scores_of(served.features(batch), heads), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_served_features_agree_with_pytorch(network: StagedBackbone, served: Backbone, photo: Image.Image) -> None:
    batch = [pixels(photo, 224), pixels(photo.rotate(90), 224), pixels(photo.crop((0, 0, 300, 200)), 224)]
    with torch.no_grad():
        expected = network(torch.from_numpy(np.stack(batch))).numpy()
    assert expected.shape == (3, EFFICIENTNET_LITE0.feature_size)
    np.testing.assert_allclose(served.features(batch), expected, atol=5e-4)


@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite2", "efficientnet_lite2@260+384"])
def test_the_shipped_int8_file_agrees_with_the_float_network(name: str, photo: Image.Image, tmp_path: Path) -> None:
    config = backbone_config(name)
    backbone_to_onnx(backbone_load(config), tmp_path / "backbone.onnx")
    heads_to_onnx(prior_for_scale(10, SYNSETS, config=config), tmp_path / "heads.onnx")
    plain = Backbone(tmp_path / "backbone.onnx", device="cpu")
    int8_backbone = Backbone(int8_path(tmp_path, config.key()), device="cpu")
    pictures = (photo, photo.rotate(90), photo.crop((100, 0, 400, 200)), photo.filter(ImageFilter.GaussianBlur(4)))
    batch = [plain.prepare(picture) for picture in pictures]
    float_features, features = plain.features(batch), int8_backbone.features(batch)
    for row, other in zip(features, float_features, strict=True):
        for part in (slice(0, config.pooled_start), slice(config.feature_size - config.second_size, None)):
            if len(row[part]):  # the stages; with two sizes, also what the larger picture adds
                assert np.corrcoef(row[part], other[part])[0, 1] > 0.99
    heads = HeadsPredictor(tmp_path / "heads.onnx")
    expected, found = heads.predict(float_features), heads.predict(features)
    assert 0 < np.abs(found.watch_probability - expected.watch_probability).max() < 0.02
    means = [mean_and_std(scores.distribution, 1)[0] for scores in (found, expected)]
    np.testing.assert_allclose(*means, atol=0.15)


def test_watch_probability_is_the_mean_over_windows_of_the_whole_network(
    network: StagedBackbone, served: Backbone, photo: Image.Image, tmp_path: Path
) -> None:
    photo_pixels = pixels(photo, 224)
    efficientnet = network.network
    with torch.no_grad():
        x = (torch.from_numpy(photo_pixels.copy()).permute(2, 0, 1)[None].float() - 127) / 128
        maps = efficientnet.extract_features(x)[0]
        windows = [maps[:, top : top + 3, left : left + 3].mean((1, 2)) for top in (0, 2, 4) for left in (0, 2, 4)]
        classes = torch.stack([efficientnet._fc(window).softmax(0) for window in windows]).numpy()
    not_lookalikes = 1 - classes[:, list(lookalikes(SYNSETS))].sum(axis=1, keepdims=True)
    expected = (classes[:, list(SYNSETS)] / not_lookalikes).mean(axis=0)
    heads_to_onnx(heads_fresh(EFFICIENTNET_LITE0, bins=10, synsets=SYNSETS), tmp_path / "heads.onnx")
    scores = HeadsPredictor(tmp_path / "heads.onnx").predict(served.features([photo_pixels]))
    np.testing.assert_allclose(scores.synset_probabilities[0], expected, atol=1e-5)
    np.testing.assert_allclose(scores.watch_probability[0], expected.sum(), atol=1e-5)


def test_only_watches_have_lookalikes_and_synsets_are_not_lookalikes() -> None:
    assert lookalikes((281, 282)) == ()
    assert 635 in lookalikes(SYNSETS)
    assert 635 not in lookalikes((*SYNSETS, 635))


def test_the_prior_ranks_a_photo_above_its_blurred_copies(served: Backbone, photo: Image.Image, tmp_path: Path) -> None:
    copies = [photo.filter(ImageFilter.GaussianBlur(radius)) if radius else photo for radius in (0, 2, 5)]
    features = served.features([pixels(copy, 224) for copy in copies])
    for bins in (10, 5):
        heads_to_onnx(prior_for_scale(bins, SYNSETS), tmp_path / "heads.onnx")
        distribution = HeadsPredictor(tmp_path / "heads.onnx").predict(features).distribution
        assert distribution.shape == (3, bins)
        mean, _std = mean_and_std(distribution, 1)
        assert mean[0] > mean[1] > mean[2]
