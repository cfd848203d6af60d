"""What a worker process has loaded: one backbone, and the heads of a few versions, chosen by checksum."""

import fcntl
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from inference.model_files import checksum_verify
from inference.models import ModelVersion
from inference.networks.config import backbone_config

if TYPE_CHECKING:  # web processes import this module by way of the tasks; only workers load ONNX Runtime
    from inference.scoring.predictor import Backbone, HeadsPredictor

_HEADS_KEPT = 8
_lock = threading.Lock()
_backbones: "dict[Path, Backbone]" = {}
_heads: "OrderedDict[str, HeadsPredictor]" = OrderedDict()


def backbone() -> "Backbone":
    """Return the site's backbone (`IQS_BACKBONE`), exported at the first call on this machine.

    Raises WeightsMissing when its weight file is not installed, DeviceMissing when `IQS_DEVICE` is not there.
    """
    from inference.scoring.predictor import Backbone

    config = backbone_config(settings.IQS_BACKBONE)
    path = Path(settings.MODELS_ROOT) / "backbones" / f"{config.key()}.onnx"
    with _lock:
        if path not in _backbones:
            if not path.exists():
                _export(path)
            _backbones[path] = Backbone(path, threads=settings.IQS_THREADS, device=settings.IQS_DEVICE)
        return _backbones[path]


def heads(version: ModelVersion) -> "HeadsPredictor":
    """Return the heads of a version, loaded once per process.

    Raises ModelFileError when the file is missing or its checksum is not the version's.
    """
    from inference.scoring.predictor import HeadsPredictor

    with _lock:
        if version.checksum not in _heads:
            path = version.path / "heads.onnx"
            checksum_verify(path, version.checksum)
            _heads[version.checksum] = HeadsPredictor(path, threads=settings.IQS_THREADS)
            if len(_heads) > _HEADS_KEPT:
                _heads.popitem(last=False)
        _heads.move_to_end(version.checksum)
        return _heads[version.checksum]


def _export(path: Path) -> None:
    """Write the backbone's ONNX file; of several processes one does it and the others wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / ".export.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            # Serving needs no torch: it is loaded for this one export only.
            from inference.networks.backbones import backbone_load
            from inference.networks.export import backbone_to_onnx

            backbone_to_onnx(backbone_load(backbone_config(settings.IQS_BACKBONE)), path)
