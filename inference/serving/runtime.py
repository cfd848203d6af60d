"""What a worker process has loaded: one backbone, and the heads of a few versions, chosen by checksum."""

import fcntl
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from inference.models import ModelVersion
from inference.networks.config import BackboneConfig, TorchvisionConfig, backbone_config
from inference.networks.model_files import checksum_verify
from inference.scoring.int8 import int8_key, int8_ships, int8_verified

if TYPE_CHECKING:  # web processes import this module by way of the tasks; only workers load ONNX Runtime
    from inference.scoring.predictor import Backbone, HeadsPredictor

_HEADS_KEPT = 8
_lock = threading.Lock()
_backbones: "dict[str, Backbone]" = {}
_heads: "OrderedDict[str, HeadsPredictor]" = OrderedDict()


def backbones_folder() -> Path:
    """Return where exported backbones are kept."""
    return Path(settings.MODELS_ROOT) / "backbones"


def backbone_chosen(name: str = "", weights: str | None = None) -> BackboneConfig:
    """Return the site's backbone (`IQS_BACKBONE`, `IQS_BACKBONE_WEIGHTS`), or another with its own or other weights.

    Raises WeightsMissing when there is no backbone of that name.
    """
    if not name or name == settings.IQS_BACKBONE:
        name = settings.IQS_BACKBONE
        weights = settings.IQS_BACKBONE_WEIGHTS if weights is None else weights
    return backbone_config(name, weights=weights or "", folder=Path(settings.MODELS_ROOT) / "weights")


def features_key() -> str:
    """Return the key under which the site's features are kept: of the backbone, its weights and `IQS_PRECISION`.

    Loads no network. Raises WeightsMissing when a file that they come from is not there.
    """
    config = backbone_chosen()
    return int8_key(backbones_folder(), config.key()) if is_int8(config) else config.key()


def is_int8(config: BackboneConfig) -> bool:
    """Return whether the int8 file of a backbone serves: `IQS_PRECISION`, or for "auto" where one is shipped.

    "auto" leaves CUDA, where integers of 8 bits are slower, to the float file; only `IQS_DEVICE` decides that, so
    that all processes of a site agree. Raises WeightsMissing.
    """
    if settings.IQS_PRECISION == "auto":
        return settings.IQS_DEVICE != "cuda" and int8_ships(config.key())
    return bool(settings.IQS_PRECISION == "int8")


def backbone() -> "Backbone":
    """Return the site's backbone, exported at the first call on this machine and fetched where it has to be.

    Raises WeightsMissing when its weights are not there, DeviceMissing when `IQS_DEVICE` is not there.
    """
    from inference.scoring.predictor import Backbone

    with _lock:
        key = features_key()
        if key not in _backbones:
            # One thread: several photos in several threads are faster than one photo in several.
            _backbones[key] = Backbone(backbone_served(backbone_chosen()), threads=1, device=settings.IQS_DEVICE)
        return _backbones[key]


def backbone_served(config: BackboneConfig) -> Path:
    """Return the ONNX file that serves a backbone in `IQS_PRECISION`. Raises WeightsMissing."""
    if is_int8(config):
        return int8_verified(backbones_folder(), config.key())
    return backbone_file(config)


def backbone_file(config: BackboneConfig) -> Path:
    """Return the ONNX file of a backbone, exported where it is not there yet. Raises WeightsMissing."""
    if config.is_own and isinstance(config, TorchvisionConfig) and not config.own_weights_path().is_file():
        from inference.networks.weights import weights_fetch

        weights_fetch(config)
    path = backbones_folder() / f"{config.key()}.onnx"
    if not path.exists():
        _export(config, path)
    return path


def heads(version: ModelVersion) -> "HeadsPredictor":
    """Return the heads of a version, loaded once per process.

    Raises ModelFileError when the file is missing or its checksum is not the version's.
    """
    from inference.scoring.predictor import HeadsPredictor

    with _lock:
        if version.checksum not in _heads:
            path = version.path / "heads.onnx"
            checksum_verify(path, version.checksum)
            # One thread: it looks at a chunk while the database is busy with another.
            _heads[version.checksum] = HeadsPredictor(path, threads=1)
            if len(_heads) > _HEADS_KEPT:
                _heads.popitem(last=False)
        _heads.move_to_end(version.checksum)
        return _heads[version.checksum]


def _export(config: BackboneConfig, path: Path) -> None:
    """Write the backbone's ONNX file; of several processes one does it and the others wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / ".export.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            # Serving needs no torch: it is loaded for this one export only.
            from inference.networks.backbones import backbone_load
            from inference.networks.export import backbone_to_onnx

            backbone_to_onnx(backbone_load(config), path)
