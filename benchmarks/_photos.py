"""The photos that benchmarks work on, and the network that they share. No benchmark itself."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotation.photo_decoding import photo_open
from benchmarks._claims import DataMissing, Setting
from inference.networks.backbones import StagedBackbone, backbone_load
from inference.networks.config import EFFICIENTNET_LITE0
from inference.networks.export import backbone_to_onnx
from inference.networks.transforms import pixels
from inference.scoring.predictor import Backbone
from iqs_site.demo.photos import photos_plan, photos_write

THREADS = 2
BATCH = 16
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def photo_files(setting: Setting, folder: Path, count: int) -> list[Path]:
    """Return `count` photos of the named folder, or as many drawn ones, written into `folder`.

    Raises DataMissing when the named folder holds none.
    """
    if setting.data is None:
        return [path for path, _ in photos_write(folder / "photos", photos_plan(count))]
    found = sorted(path for path in setting.data.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise DataMissing(f"{setting.data} holds no photos ({', '.join(sorted(SUFFIXES))}).")
    step = max(1, len(found) // count)
    return found[::step][:count]


def photo_pixels(path: Path) -> NDArray[np.uint8]:
    """Return what the network sees of a file."""
    return pixels(photo_open(path), EFFICIENTNET_LITE0.input_size)


def networks(folder: Path) -> tuple[StagedBackbone, Backbone]:
    """Return the bundled backbone in PyTorch and, exported into `folder`, in ONNX Runtime."""
    eager = backbone_load(EFFICIENTNET_LITE0)
    path = folder / "backbone.onnx"
    backbone_to_onnx(eager, path)
    return eager, Backbone(path, threads=THREADS, device="cpu")
