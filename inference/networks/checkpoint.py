"""Heads on disk: weights in safetensors, everything else in a card. Nothing in either can run code."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from inference.networks.heads import Heads, HeadsConfig

FORMAT_VERSION = 2
WEIGHTS = "heads.safetensors"
CARD = "card.json"
_CLASSIFIER = ("class_weight", "class_bias")


class CheckpointError(RuntimeError):
    """A checkpoint cannot be read; the message names the file."""


def heads_save(folder: Path, heads: Heads, card: dict[str, Any]) -> None:
    """Write the heads and their card into `folder`; each file appears whole or not at all.

    Weights are kept as float16, those of an ImageNet classifier as they are. `card` says where they come
    from; the configuration is added to it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: (tensor if name in _CLASSIFIER else tensor.half()).detach().contiguous()
        for name, tensor in heads.state_dict().items()
    }
    part = folder / f"{WEIGHTS}.part"
    save_file(tensors, part)
    part.rename(folder / WEIGHTS)
    part = folder / f"{CARD}.part"
    card = {
        **card,
        "format_version": FORMAT_VERSION,
        "weights_sha256": _checksum(folder / WEIGHTS),
        "heads": heads.config.as_card(),
    }
    part.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    part.rename(folder / CARD)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def heads_load(
    folder: Path, *, bins: int | None = None, synsets: tuple[int, ...] | None = None
) -> tuple[Heads, dict[str, Any]]:
    """Return the heads in `folder`, in evaluation mode, and their card; on request for another scale or other synsets.

    Raises CheckpointError when a file is missing, damaged, or of another format.
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
    if _checksum(folder / WEIGHTS) != card.get("weights_sha256"):
        raise CheckpointError(f"{folder / WEIGHTS} is not the file that its card describes; copy both again.")
    config = HeadsConfig.from_card(card["heads"])
    config = replace(config, bins=bins or config.bins, synsets=synsets or config.synsets)
    if not config.classes and not tensors.keys() >= set(_CLASSIFIER):
        raise CheckpointError(f"{folder / WEIGHTS} does not fit its card: it holds no ImageNet classifier.")
    classifier = None if config.classes else (tensors["class_weight"], tensors["class_bias"])
    heads = Heads(config, classifier)
    try:
        heads.load_state_dict({name: tensor.to(torch.float32) for name, tensor in tensors.items()})
    except RuntimeError as error:
        raise CheckpointError(f"{folder / WEIGHTS} does not fit its card: {error}") from error
    return heads.eval(), card
