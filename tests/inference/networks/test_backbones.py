"""Backbones by name: the list of names, where their weights come from, and what their exported files compute."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from inference.networks import torchvision_import
from inference.networks.backbone_base import StagedBackbone, map_statistics, resize_matrix, token_statistics
from inference.networks.backbones import backbone_load
from inference.networks.config import (
    BACKBONES,
    LiteConfig,
    TorchvisionConfig,
    WeightsMissing,
    backbone_config,
    backbone_names,
    without_sizes,
)
from inference.networks.efficientnet_lite import LiteBackbone, TwoSizeLite
from inference.networks.export import backbone_to_onnx
from inference.networks.multiscale import MultiscaleTransformer, embedding_at
from inference.networks.torchvision_import import models
from inference.networks.torchvision_models import TorchvisionBackbone, feature_layers
from inference.networks.torchvision_table import TORCHVISION
from inference.networks.transforms import pixels
from inference.scoring.predictor import Backbone
from tests.inference.conftest import TINY

# Name → side of the picture: large enough for the architecture, and small enough to run in a second or two.
NETWORKS = {
    "squeezenet1_1": 64,  # has no linear layer
    "resnet50": 64,
    "vgg16": 32,
    "vgg19": 32,
    "mobilenet_v3_large": 64,
    "inception_v3": 128,
    "vit_b_16": 224,
    "convnext_tiny": 64,
    "swin_t": 64,
}


def random_backbone(name: str, side: int) -> StagedBackbone:
    """Return a backbone with random weights for pictures with this side."""
    return backbone_load(replace(backbone_config(name, weights="random"), input_size=side))


def random_pixels(side: int, count: int = 3) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8))


@torch.no_grad()
def assert_same_outputs(backbone: StagedBackbone, path: Path) -> None:
    """Check the pooled features and the classifier against the network's logits, and ONNX Runtime against PyTorch."""
    config = backbone.config
    x = random_pixels(config.input_size)
    features = backbone(x)
    assert features.shape == (len(x), config.feature_size)
    assert isinstance(backbone, TorchvisionBackbone)
    weight, bias = backbone.classifier()
    logits = features[:, config.pooled_start :] @ weight.T + bias
    torch.testing.assert_close(logits, backbone.network(backbone.normalised(x)), atol=1e-4, rtol=1e-4)
    backbone_to_onnx(backbone, path)
    served = Backbone(path, threads=1, device="cpu").features(list(x.numpy()))
    np.testing.assert_allclose(served, features.numpy(), atol=1e-4 * max(1.0, float(features.abs().max())))


def test_the_table_names_every_classifier_of_torchvision() -> None:
    assert list(TORCHVISION) == models.list_models(module=models)
    assert backbone_names()[:3] == list(BACKBONES)


def test_torchvision_can_be_imported_with_another_build_of_torch() -> None:
    assert torchvision_import.torchvision.ops.misc.Conv2dNormActivation
    assert torch.ops.torchvision.nms


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "alexnet",
        "densenet121",
        "efficientnet_b0",
        "googlenet",
        "maxvit_t",
        "mnasnet0_5",
        "shufflenet_v2_x0_5",
        "swin_v2_t",
        "efficientnet_v2_l",
        "vit_h_14",
        "convnext_large",
        "wide_resnet101_2",
        "vgg13_bn",
        "inception_v3",
        "squeezenet1_0",
    ],
)
def test_the_table_matches_the_networks_of_torchvision(name: str) -> None:
    row = TORCHVISION[name]
    trained = models.get_model_weights(name).DEFAULT.transforms()
    assert (row.input_size, row.interpolation) == (trained.crop_size[0], trained.interpolation.value)
    arguments = {"image_size": row.input_size} if name.startswith("vit") else {}
    with torch.device("meta"):  # shapes without numbers
        network = models.get_model(name, weights=None, **arguments).eval()
        layers = feature_layers(network, row.input_size)
        channels: list[int] = []
        for stage in layers.stages:
            stage.module.register_forward_hook(
                lambda _module, _inputs, output, stage=stage: channels.append(stage.statistics(output)[0].shape[1])
            )
        logits = network(torch.zeros(1, 3, row.input_size, row.input_size))
    assert 2 * sum(channels) == row.pooled_start
    assert (layers.linear.in_features if layers.linear else logits.shape[1]) == row.pooled_size
    assert getattr(network, "patch_size", 0) == row.patch_size


@pytest.mark.slow
@pytest.mark.parametrize(("name", "side"), NETWORKS.items())
def test_exported_networks_give_the_same_outputs_as_torchvision(name: str, side: int, tmp_path: Path) -> None:
    assert_same_outputs(random_backbone(name, side), tmp_path / "backbone.onnx")


def test_serving_resizes_pictures_in_the_same_way_as_training(tmp_path: Path, tiny_backbone: StagedBackbone) -> None:
    photo = Image.fromarray(np.random.default_rng(1).integers(0, 256, (50, 70, 3), dtype=np.uint8))
    backbone = LiteBackbone(tiny_backbone.network, replace(TINY, interpolation="bilinear")).eval()
    backbone_to_onnx(backbone, tmp_path / "bilinear.onnx")
    served = Backbone(tmp_path / "bilinear.onnx", threads=1, device="cpu")
    np.testing.assert_array_equal(served.prepare(photo), pixels(photo, 32, "bilinear"))
    assert (served.prepare(photo) != pixels(photo, 32, "bicubic")).any()


def test_statistics_are_mean_and_standard_deviation() -> None:
    maps = torch.randn(2, 5, 24, 24, generator=torch.Generator().manual_seed(0)) * 3 + 1
    for mean, deviation in (map_statistics(maps), token_statistics(maps.flatten(2).transpose(1, 2))):
        torch.testing.assert_close(mean, maps.mean(dim=(2, 3)))
        torch.testing.assert_close(deviation, (maps.var(dim=(2, 3), correction=0) + 1e-4).sqrt())


def test_flat_maps_of_any_brightness_have_the_smallest_deviation() -> None:
    for value in (0.0, 0.1, 6.0):
        _mean, deviation = map_statistics(torch.full((1, 3, 112, 112), value))
        torch.testing.assert_close(deviation, torch.full((1, 3), 0.01), atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("name", "close"),
    [("resnet51", "resnet50"), ("efficientnet-lite0", "efficientnet_lite0"), ("ViT", "efficientnet_lite0")],
)
def test_the_error_for_an_unknown_backbone_lists_similar_names(name: str, close: str) -> None:
    with pytest.raises(WeightsMissing, match=f"Unknown backbone '{name}'; choose one of .*{close}"):
        backbone_config(name)


@pytest.mark.parametrize("name", ["resnet50@224", "vit_b_16@", "vit_b_16@224+225", "vit_b_16@224+224", "vit_b_16@-16"])
def test_invalid_sizes_give_a_one_sentence_error(name: str) -> None:
    with pytest.raises(WeightsMissing, match="only vision transformers can have several sizes"):
        backbone_config(name)


def test_a_transformer_of_two_sizes_has_the_stages_of_both() -> None:
    one, two = backbone_config("vit_b_16"), backbone_config("vit_b_16@384+224")
    assert isinstance(two, TorchvisionConfig)
    assert (two.input_size, two.scales) == (384, (224, 384))
    assert two.pooled_start == 2 * one.pooled_start
    assert two.pooled_size == one.pooled_size


TWO_SIZES = "efficientnet_lite2@260+384"


def test_a_bundled_backbone_of_two_sizes_adds_stages_and_classes_of_the_larger_picture() -> None:
    one, two = backbone_config("efficientnet_lite2"), backbone_config(TWO_SIZES)
    assert isinstance(two, LiteConfig)
    assert (two.input_size, two.scales) == (384, (260, 384))
    assert (two.pooled_start, two.pooled_stop, two.classes) == (one.pooled_start, one.pooled_stop, one.classes)
    assert two.feature_size == one.feature_size + one.pooled_start + one.classes
    assert two.weights_path() == one.weights_path()
    assert two.prior_folder == one.prior_folder
    assert two.key().startswith(f"{TWO_SIZES}@")
    assert two.key() != backbone_config("efficientnet_lite2@260+416").key()


@pytest.mark.parametrize(
    "sizes", ["", "384", "384+260", "224+384", "260+380", "260+384+512", "260+260", "260+x", "-1+32"]
)
def test_invalid_sizes_of_a_bundled_backbone_name_valid_ones(sizes: str) -> None:
    with pytest.raises(WeightsMissing, match=r"must be 260, .* multiple of 32, as in efficientnet_lite2@260\+384"):
        backbone_config(f"efficientnet_lite2@{sizes}")


def test_names_without_sizes() -> None:
    assert without_sizes(TWO_SIZES) == "efficientnet_lite2"
    for other in ("efficientnet_lite2", "vit_b_16@224+384", f"{TWO_SIZES}+run3", "efficientnet_lite0+run3"):
        assert without_sizes(other) == other


@torch.no_grad()
def test_a_network_of_two_sizes_sees_both_pictures(tiny_backbone: StagedBackbone, tmp_path: Path) -> None:
    assert isinstance(tiny_backbone, LiteBackbone)
    config = replace(TINY, input_size=64, scales=(32, 64))
    two = TwoSizeLite(tiny_backbone.network, config).eval()
    seen = random_pixels(64)
    features = two(seen)
    assert features.shape == (3, config.feature_size)
    resize = resize_matrix(64, 32)
    smaller = (resize @ seen.permute(0, 3, 1, 2).float() @ resize.T).clamp(0, 255).permute(0, 2, 3, 1)
    own, finer = tiny_backbone(smaller), tiny_backbone(seen)
    first = TINY.feature_size
    torch.testing.assert_close(features[:, :first], own, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(features[:, first:][:, : TINY.pooled_start], finer[:, : TINY.pooled_start])
    torch.testing.assert_close(features[:, -TINY.classes :], finer[:, TINY.pooled_stop :])
    backbone_to_onnx(two, tmp_path / "backbone.onnx")
    served = Backbone(tmp_path / "backbone.onnx", threads=1, device="cpu")
    assert served.side == 64
    np.testing.assert_allclose(served.features(list(seen.numpy())), features.numpy(), atol=1e-3)


def tiny_transformer() -> nn.Module:
    torch.manual_seed(0)
    network = models.VisionTransformer(
        image_size=32, patch_size=8, num_layers=4, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=10
    )
    nn.init.normal_(network.heads.head.weight)  # torchvision initializes it with zeros
    return network.eval()


def multiscale(*scales: int) -> MultiscaleTransformer:
    """Return a tiny transformer that computes features at these sizes."""
    config = TorchvisionConfig(
        name="tiny_vit",
        architecture="vit_b_16",  # pixels are normalised as for this architecture
        input_size=max(scales),
        pooled_start=len(scales) * 3 * 2 * 16,
        pooled_size=16,
        scales=scales,
    )
    return MultiscaleTransformer(tiny_transformer(), config)


@torch.no_grad()
def test_a_multiscale_transformer_with_one_size_equals_the_plain_one() -> None:
    backbone = multiscale(32)
    plain = TorchvisionBackbone(backbone.network, replace(backbone.config, scales=()))
    torch.testing.assert_close(backbone(random_pixels(32)), plain(random_pixels(32)))


@torch.no_grad()
def test_a_multiscale_transformer_averages_pooled_features_and_joins_statistics() -> None:
    backbone = multiscale(32, 48)
    features = backbone(random_pixels(48))
    whole = backbone.normalised(random_pixels(48))
    small, large = backbone._encode(whole, 32), backbone._encode(whole, 48)
    torch.testing.assert_close(features[:, 192:], (small[1] + large[1]) / 2)
    torch.testing.assert_close(features[:, :192], torch.cat([*small[0], *large[0]], dim=1))


@pytest.mark.slow
@torch.no_grad()
def test_an_exported_multiscale_transformer_needs_one_picture(tmp_path: Path) -> None:
    backbone = multiscale(32, 48)
    backbone_to_onnx(backbone, tmp_path / "backbone.onnx")
    served = Backbone(tmp_path / "backbone.onnx", threads=1, device="cpu")
    assert served.side == 48
    np.testing.assert_allclose(
        served.features(list(random_pixels(48).numpy())), backbone(random_pixels(48)).numpy(), atol=1e-4
    )


def test_resize_matrices_keep_flat_pictures_flat_and_average_stripes() -> None:
    resize = resize_matrix(48, 16)
    torch.testing.assert_close(resize.sum(dim=1), torch.ones(16))
    stripes = torch.arange(48).remainder(2).float()
    assert (resize @ stripes)[2:-2].sub(0.5).abs().max() < 0.02


def test_resized_embeddings_keep_the_class_token_and_the_order_of_positions() -> None:
    embeddings = torch.cat([torch.full((1, 1, 2), 9.0), torch.arange(16.0).view(1, 16, 1).expand(1, 16, 2)], dim=1)
    other = embedding_at(embeddings, 8)
    assert other.shape == (1, 65, 2)
    torch.testing.assert_close(other[:, 0], embeddings[:, 0])
    assert (other[0, 1:, 0].diff()[:7] > 0).all()
    assert embedding_at(embeddings, 4) is embeddings


def test_random_weights_are_always_the_same_and_have_their_own_key() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, other = (random_backbone("squeezenet1_1", 32) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.testing.assert_close(one(random_pixels(32)), other(random_pixels(32)))
    assert one.config.key().startswith("squeezenet1_1@random-")


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_the_backbone_loads_a_local_weight_file(ending: str, tmp_path: Path) -> None:
    source = random_backbone("squeezenet1_1", 32)
    with torch.no_grad():
        source.network.features[0].bias.add_(1.0)
    path = tmp_path / f"mine.{ending}"
    state = source.network.state_dict()
    save_file(state, path) if ending == "safetensors" else torch.save({"state_dict": state}, path)
    config = replace(backbone_config("squeezenet1_1", weights=str(path)), input_size=32)
    torch.testing.assert_close(backbone_load(config)(random_pixels(32)), source(random_pixels(32)))
    key = config.key()
    assert key.startswith("squeezenet1_1@")
    path.write_bytes(path.read_bytes() + b" ")
    assert config.key() != key


class Harmful:
    """A pickled object that would run code when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("executed",))


def test_invalid_weight_files_give_a_one_sentence_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {
        "The weight file .* does not exist": None,
        "cannot be read": b"no weights at all",
        "does not contain a state dict": {"epoch": 3},
        "do not belong to squeezenet1_1: .* the first is": {"fc.weight": torch.zeros(2)},
        "cannot be read .*state dict": {"weights": Harmful()},
    }
    for sentence, content in files.items():
        path = tmp_path / "weights.pth"
        path.unlink(missing_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content is not None:
            torch.save(content, path)
        with pytest.raises(WeightsMissing, match=sentence) as raised:
            backbone_load(backbone_config("squeezenet1_1", weights=str(path)))
        assert "\n" not in str(raised.value)
    assert "executed" not in capsys.readouterr().out


def test_old_weight_names_of_densenet_are_accepted(tmp_path: Path) -> None:
    network = random_backbone("densenet121", 32).network
    old = {
        name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2.") if "denselayer" in name else name: tensor
        for name, tensor in network.state_dict().items()
    }
    torch.save(old, tmp_path / "densenet.pth")
    config = replace(backbone_config("densenet121", weights=str(tmp_path / "densenet.pth")), input_size=32)
    torch.testing.assert_close(backbone_load(config).network.state_dict(), network.state_dict())


def test_weights_of_torchvision_are_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inference.networks.weights import weights_fetch

    config = backbone_config("squeezenet1_1", folder=tmp_path / "weights")
    assert isinstance(config, TorchvisionConfig)
    with pytest.raises(WeightsMissing, match=r"backbones squeezenet1_1 --fetch.*IQS_BACKBONE_WEIGHTS.*another"):
        config.key()
    state = random_backbone("squeezenet1_1", 32).network.state_dict()
    torch.save(state, tmp_path / "squeezenet.pth")
    weights = models.get_model_weights("squeezenet1_1").DEFAULT
    # The weights come from a file, because tests may run without access to the download host.
    monkeypatch.setattr(type(weights), "url", (tmp_path / "squeezenet.pth").as_uri())
    assert weights_fetch(config) == tmp_path / "weights" / "squeezenet1_1.pth"
    (tmp_path / "squeezenet.pth").unlink()
    weights_fetch(config)
    torch.testing.assert_close(backbone_load(config).network.state_dict(), state)


def test_a_failed_download_gives_a_one_sentence_error_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inference.networks.weights import weights_fetch

    config = backbone_config("squeezenet1_1", folder=tmp_path / "weights")
    weights = models.get_model_weights("squeezenet1_1").DEFAULT
    for name, content in (("nothing-12345678.pth", None), ("wrong-12345678.pth", b"not these")):
        if content:
            (tmp_path / name).write_bytes(content)
        monkeypatch.setattr(type(weights), "url", (tmp_path / name).as_uri())
        with pytest.raises(WeightsMissing, match=r"could not be downloaded from .* put that file at") as raised:
            weights_fetch(config)
        assert "\n" not in str(raised.value)
        assert list((tmp_path / "weights").iterdir()) == []
