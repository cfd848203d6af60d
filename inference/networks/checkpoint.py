"""Heads on disk: weights in safetensors, everything else in a JSON card. Neither format can run code."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from annotation.files.whole_file import whole_file, whole_path
from inference.networks.config import EFFICIENTNET_LITE0, BackboneConfig
from inference.networks.heads import PRIOR_BINS, Heads, HeadsConfig, heads_fresh
from inference.networks.model_files import checksum

FORMAT_VERSION = 2
WEIGHTS = "heads.safetensors"
CARD = "card.json"
_DENSE = 16  # hidden units of an untrained head on the pooled layer
_SOS = 0.22  # SOS parameter a of typical panels
_CLASSIFIER = ("class_weight", "class_bias")
# Stored as float32: an ImageNet classifier, and what a line is computed with, whose terms nearly cancel out.
_WHOLE = (
    *_CLASSIFIER,
    *("input_mean", "input_spread", "line_weight", "line_offset", "prior_weight", "thresholds"),
    *("projection", "support", "support_weight"),
)


class CheckpointError(RuntimeError):
    """A checkpoint cannot be read; the message names the file."""


def heads_save(folder: Path, heads: Heads, card: dict[str, Any]) -> None:
    """Write the heads and their card into `folder`; each file is complete or does not appear.

    Weights are stored as float16, except `_WHOLE`. `card` describes the origin of the heads; the configuration is added
    to it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: (tensor if name in _WHOLE else tensor.half()).detach().contiguous()
        for name, tensor in heads.state_dict().items()
    }
    with whole_path(folder / WEIGHTS) as part:
        save_file(tensors, part)
    card = {
        **card,
        "format_version": FORMAT_VERSION,
        "weights_sha256": checksum(folder / WEIGHTS),
        "heads": heads.config.as_card(),
    }
    with whole_file(folder / CARD, "w") as file:
        file.write(json.dumps(card, indent=2, ensure_ascii=False) + "\n")


def heads_load(
    folder: Path, *, bins: int | None = None, synsets: tuple[int, ...] | None = None
) -> tuple[Heads, dict[str, Any]]:
    """Return the heads in `folder`, in evaluation mode, and their card; optionally for another scale or other synsets.

    Raises CheckpointError if a file is missing, damaged, or of another format.
    """
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text())
        tensors = load_file(folder / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"The model files in {folder} cannot be read: {error}") from error
    if card.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(
            f"{folder / CARD} has format {card.get('format_version')!r}; this version of IQS reads {FORMAT_VERSION}."
        )
    if checksum(folder / WEIGHTS) != card.get("weights_sha256"):
        raise CheckpointError(f"{folder / WEIGHTS} does not match its card; copy both again.")
    config = HeadsConfig.from_card(card["heads"])
    config = replace(config, bins=bins or config.bins, synsets=synsets or config.synsets)
    if not config.classes and not tensors.keys() >= set(_CLASSIFIER):
        raise CheckpointError(f"{folder / WEIGHTS} does not match its card: it has no ImageNet classifier.")
    classifier = None if config.classes else (tensors["class_weight"], tensors["class_bias"])
    heads = Heads(config, classifier)
    try:
        heads.load_state_dict({name: tensor.to(torch.float32) for name, tensor in tensors.items()})
    except RuntimeError as error:
        raise CheckpointError(f"{folder / WEIGHTS} does not match its card: {error}") from error
    return heads.eval(), card


def prior_for_scale(bins: int, synsets: tuple[int, ...], *, config: BackboneConfig = EFFICIENTNET_LITE0) -> Heads:
    """Return the shipped prior of a backbone, its distribution mapped to `bins` scores, for these synsets.

    Raises CheckpointError if the shipped files are damaged.
    """
    heads, _card = prior_for(config, bins=bins, synsets=synsets)
    return heads


def prior_for(
    config: BackboneConfig,
    *,
    bins: int,
    synsets: tuple[int, ...],
    quality_input: str = "all",
    features: Tensor | None = None,
) -> tuple[Heads, dict[str, Any]]:
    """Return the initial heads of a campaign and their card: the shipped prior, or a neutral prior for other backbones.

    The neutral prior predicts the same distribution for every photo, in the middle of the scale and as wide as that of
    a typical panel, and the zero-shot watch probability. `quality_input` and `features` [N, D] (to standardise by) are
    used for the neutral prior only. Raises CheckpointError if shipped files are damaged, WeightsMissing if the
    backbone's weights are missing.
    """
    if config.prior_folder is not None:
        heads, card = heads_load(config.prior_folder, bins=bins, synsets=synsets)
        return (_of_two_sizes(heads, config), card) if config.second_size else (heads, card)
    hidden = 0 if quality_input == "all" else _DENSE
    heads = heads_fresh(config, bins=bins, synsets=synsets, hidden=hidden, quality_input=quality_input)
    last = heads.quality.get_submodule("3" if hidden else "")
    assert isinstance(last, nn.Linear)
    scores = torch.arange(1, PRIOR_BINS + 1)
    middle = (1 + PRIOR_BINS) / 2
    with torch.no_grad():
        last.weight.zero_()
        # The panel's variance in the middle of the scale, Hossfeld et al. 2011 (SOS hypothesis).
        last.bias.copy_(-((scores - middle) ** 2) / (2 * _SOS * (middle - 1) * (PRIOR_BINS - middle)))
        if features is not None:
            seen = features[:, : config.pooled_stop]
            heads.feature_mean.copy_(seen.mean(0))
            heads.feature_std.copy_(seen.std(0, correction=0).clamp(min=1e-3))
    card = {
        "name": f"neutral prior of {config.name}",
        "recipe": {"neutral": True, "quality_input": quality_input},
        "figures": {},
    }
    return heads.eval(), card


def _of_two_sizes(heads: Heads, config: BackboneConfig) -> Heads:
    """Return the prior of the same network with one size: it reads the part of the vector that both have."""
    wider = replace(
        heads.config, feature_size=config.feature_size, second_size=config.second_size, backbone=config.name
    )
    found = Heads(wider, heads.classifier)
    found.load_state_dict(heads.state_dict())
    return found.eval()
