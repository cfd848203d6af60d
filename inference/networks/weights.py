"""Weight files: read safely (no code in them is run), downloaded once, or random on request."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from annotation.files.whole_file import whole_file, whole_path
from inference.networks.config import (
    RANDOM_SEED,
    TorchvisionConfig,
    WeightsMissing,
    is_undamaged,
    weights_checksum_file,
)
from inference.networks.model_files import checksum as file_checksum

# Torchvision's DenseNet weights are older than its names: 'denselayer1.norm.1.weight' is 'denselayer1.norm1.weight'.
_OLD_DENSENET = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")


def weights_read(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a .safetensors file or a PyTorch state dict. No code in the file is run.

    Raises WeightsMissing if the file cannot be read or has other contents.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, UnpicklingError, zipfile.BadZipFile, SafetensorError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsMissing(
            f"The weight file {path} cannot be read ({reason[:120]}); "
            "it must be a PyTorch state dict or a .safetensors file."
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsMissing(f"The weight file {path} does not contain a state dict (names and tensors).")
    return state


def weights_load(network: nn.Module, path: Path, *, name: str) -> None:
    """Load the weights of a file into a network. Raises WeightsMissing if they belong to another network."""
    state = {
        _OLD_DENSENET.sub(r"\1\2", key.removeprefix("module.")): value for key, value in weights_read(path).items()
    }
    own = network.state_dict()
    wrong = sorted(
        {key for key in own.keys() - state.keys() if not key.endswith("num_batches_tracked")}
        | (state.keys() - own.keys())
        | {key for key in own.keys() & state.keys() if own[key].shape != state[key].shape}
    )
    if wrong:
        raise WeightsMissing(
            f"The weights in {path} do not belong to {name}: {len(wrong)} of {len(own.keys() | state.keys())} tensors "
            f"are missing, unknown or of another shape; the first is {wrong[0]}."
        )
    network.load_state_dict(state, strict=False)


@contextmanager
def random_weights() -> Iterator[None]:
    """Use a fixed seed for networks built in the block, and restore the random state afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(RANDOM_SEED)
        yield


def weights_fetch(config: TorchvisionConfig) -> Path:
    """Return the file with torchvision's own weights of a backbone; download it if it is missing or damaged.

    The file appears only when it is complete and has the checksum that its URL names. Raises WeightsMissing if the
    download fails.
    """
    # torchvision takes seconds to import, and bundled backbones do not need it.
    from inference.networks.torchvision_import import models

    path = config.own_weights_path()
    if path.is_file() and is_undamaged(path):
        return path
    url: str = models.get_model_weights(config.architecture).DEFAULT.url
    path.parent.mkdir(parents=True, exist_ok=True)
    checksum = re.search(r"-([0-9a-f]{8,})\.", url)
    try:
        with whole_path(path) as part:
            torch.hub.download_url_to_file(url, str(part), checksum.group(1) if checksum else None, progress=False)
    except (OSError, RuntimeError) as error:  # no network, no such host, HTTP errors; a wrong checksum
        raise WeightsMissing(
            f"The weights of {config.name} could not be downloaded from {url} ({error}); put that file at {path}, "
            "name a local file in IQS_BACKBONE_WEIGHTS, or choose another IQS_BACKBONE."
        ) from error
    with whole_file(weights_checksum_file(path), "w") as file:
        file.write(file_checksum(path))
    return path
