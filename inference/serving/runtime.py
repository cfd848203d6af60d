"""Models that a worker process has loaded: backbones by key, and the heads of a few versions by checksum."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from inference.models import PRIOR_NAME, ModelVersion
from inference.networks.config import BackboneConfig, TorchvisionConfig, backbone_config, is_of_run, is_undamaged
from inference.networks.model_files import ModelFileError, checksum_verify
from inference.scoring.int8 import int8_key, int8_verified, is_int8_shipped
from inference.serving import precision
from inference.serving.exported import exported_file
from inference.serving.precision import FLOAT, INT8, precision_chosen

if TYPE_CHECKING:  # web processes import this module through the tasks; only workers load ONNX Runtime
    from inference.scoring.predictor import Backbone, HeadsPredictor

_HEADS_KEPT = 8
_lock = threading.Lock()
_backbones: "dict[str, Backbone]" = {}
_heads: "OrderedDict[str, HeadsPredictor]" = OrderedDict()


def backbones_folder() -> Path:
    """Return the folder of exported backbones."""
    return Path(settings.MODELS_ROOT) / "backbones"


def weights_folder() -> Path:
    """Return the folder of downloaded weights, and of those that training runs made."""
    return Path(settings.MODELS_ROOT) / "weights"


def backbone_chosen(name: str = "", weights: str | None = None) -> BackboneConfig:
    """Return the backbone `name`, by default that of new campaigns (`IQS_BACKBONE`, `IQS_BACKBONE_WEIGHTS`).

    `weights`: path of a weight file, "random", or "" for the backbone's own. Raises WeightsMissing for an unknown
    name.
    """
    if not name or name == settings.IQS_BACKBONE:
        name = settings.IQS_BACKBONE
        weights = settings.IQS_BACKBONE_WEIGHTS if weights is None else weights
    return backbone_config(name, weights=weights or "", folder=weights_folder())


def features_key(name: str = "") -> str:
    """Return the key under which features of a backbone are stored; it names the backbone, its weights, the precision.

    `name`: by default the backbone of new campaigns. Loads no network. Raises WeightsMissing if a weight file is
    missing.
    """
    config = backbone_chosen(name)
    return int8_key(backbones_folder(), config.key()) if is_int8(config) else config.key()


def is_int8(config: BackboneConfig) -> bool:
    """Return whether the int8 file of a backbone is used: by `IQS_PRECISION`, for "auto" by what was measured.

    With "auto", a backbone without a shipped int8 file uses the float file, and so does CUDA, where int8 is slower.
    Only the setting `IQS_DEVICE` counts, so that all processes of a site agree. Networks of training runs have no int8
    file. Raises WeightsMissing.
    """
    if is_of_run(config.name):
        return False
    if _is_measured(config):
        return precision_chosen(backbones_folder(), config.key()) == INT8
    return bool(settings.IQS_PRECISION == "int8")


def precision_settle(
    config: BackboneConfig | None = None,
    *,
    has_database: bool = True,
    report: Callable[[str], None] = lambda sentence: None,
) -> None:
    """Measure once on this machine whether the int8 file is faster, if `IQS_PRECISION` leaves this open.

    `config`: the backbone of new campaigns by default. Only workers and commands may call it, because it loads torch
    and ONNX Runtime. They call it before they compute a key of features that they then write. `report` is called with
    a message. Raises WeightsMissing.
    """
    config = config or backbone_chosen()
    if _is_measured(config):
        precision.precision_settle(
            backbones_folder(),
            config.key(),
            export=lambda: backbone_file(config),
            needed=(lambda: _needed_by_champions(config)) if has_database else None,
            report=report,
        )


def _is_measured(config: BackboneConfig) -> bool:
    """Return whether a measurement decides between int8 and float. Raises WeightsMissing."""
    return bool(settings.IQS_PRECISION == "auto" and settings.IQS_DEVICE != "cuda" and is_int8_shipped(config.key()))


def _needed_by_champions(config: BackboneConfig) -> str:
    """Return the precision whose features the newest trained champion needs; '' if there is no trained champion."""
    keys = {int8_key(backbones_folder(), config.key()): INT8, config.key(): FLOAT}
    trained = ModelVersion.objects.filter(is_champion=True, backbone__in=keys).exclude(recipe__name=PRIOR_NAME)
    newest = trained.order_by("-created_at").values_list("backbone", flat=True).first()
    return keys[newest] if newest else ""


def backbone(name: str = "") -> "Backbone":
    """Return a backbone, by default that of new campaigns; each is loaded once per process.

    The first call on a machine downloads its weights if needed and exports it.

    Raises WeightsMissing, and DeviceMissing if `IQS_DEVICE` is not available.
    """
    from inference.scoring.predictor import Backbone

    with _lock:
        config = backbone_chosen(name)
        precision_settle(config)
        key = features_key(name)
        if key not in _backbones:
            # One thread: it is faster to process several photos in parallel than one photo with several threads.
            _backbones[key] = Backbone(backbone_served(config), threads=1, device=settings.IQS_DEVICE)
        return _backbones[key]


def backbone_served(config: BackboneConfig) -> Path:
    """Return the ONNX file of a backbone in the precision that the site uses. Raises WeightsMissing."""
    if is_int8(config):
        return int8_verified(backbones_folder(), config.key())
    return backbone_file(config)


def backbone_file(config: BackboneConfig) -> Path:
    """Return the float ONNX file of a backbone; export it if it is missing or damaged. Raises WeightsMissing."""
    if config.is_own and isinstance(config, TorchvisionConfig):
        weights = config.own_weights_path()
        if not weights.is_file() or not is_undamaged(weights):
            from inference.networks.weights import weights_fetch

            weights_fetch(config)
    path = backbones_folder() / f"{config.key()}.onnx"
    return exported_file(path, lambda: _export(config, path))


def heads(version: ModelVersion) -> "HeadsPredictor":
    """Return the heads of a version, loaded once per process.

    Raises ModelFileError if the file is missing, was deleted, or has another checksum than the version.
    """
    from inference.scoring.predictor import HeadsPredictor

    with _lock:
        if version.checksum not in _heads:
            path = version.path / "heads.onnx"
            version_files_verify(version)
            # One thread: it runs in parallel to the database.
            _heads[version.checksum] = HeadsPredictor(path, threads=1)
            if len(_heads) > _HEADS_KEPT:
                _heads.popitem(last=False)
        _heads.move_to_end(version.checksum)
        return _heads[version.checksum]


def version_files_verify(version: ModelVersion) -> None:
    """Raise ModelFileError if the file that predicts was deleted, is missing, or is not the one that was stored."""
    if version.files_deleted_at is not None:
        raise ModelFileError(f"{version.deletion_text} Restore them from a backup, or train a new version.")
    checksum_verify(version.path / "heads.onnx", version.checksum)


def _export(config: BackboneConfig, path: Path) -> None:
    """Write the backbone's ONNX file. Torch is loaded for the export only; serving does not need it."""
    from inference.networks.backbones import backbone_load
    from inference.networks.export import backbone_to_onnx

    backbone_to_onnx(backbone_load(config), path)
