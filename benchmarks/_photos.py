"""The photos and the network that several benchmarks use. Not a benchmark."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from annotation.photos.decoding import photo_open
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
    """Return `count` photos of the folder `setting.data`, or of its subfolder `photos` if it has one.

    Without a folder, generate them in `folder`.
    Raises DataMissing when `setting.data` contains no photos.
    """
    if setting.data is None:
        return [path for path, _ in photos_write(folder / "photos", photos_plan(count))]
    inside = setting.data / "photos"
    source = inside if inside.is_dir() else setting.data
    found = sorted(path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise DataMissing(f"{setting.data} contains no photos ({', '.join(sorted(SUFFIXES))}).")
    step = max(1, len(found) // count)
    return found[::step][:count]


def camera_photos(folder: Path, megapixels: float, count: int) -> list[Path]:
    """Write 4:3 JPEG files like a camera's, of quality 90: 0.45 bytes per pixel and the spectrum of natural scenes.

    Amplitudes fall with the frequency f as 1/f^1.2, colour weaker than brightness (Ruderman 1994: about 1/f).
    """
    rng = np.random.default_rng(0)
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    width = height * 4 // 3
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = frequency[0, 1]
    planes = []
    for strength in (55, 12, 12, 12):
        waves = np.exp(2j * np.pi * rng.random(frequency.shape)) / frequency**1.2
        plane = np.fft.irfft2(waves, s=(height, width))
        planes.append(strength * plane / plane.std())
    picture = np.clip(118 + planes[0][..., None] + np.stack(planes[1:], axis=-1), 0, 255).astype(np.uint8)
    files = []
    for number in range(count):
        files.append(folder / f"{megapixels}-{number}.jpg")
        shifted = np.roll(picture, (number * 37, number * 61), axis=(0, 1))
        PillowImage.fromarray(shifted).save(files[-1], quality=90)
    return files


def photo_pixels(path: Path) -> NDArray[np.uint8]:
    """Return the network's input for a file, uint8."""
    return pixels(photo_open(path), EFFICIENTNET_LITE0.input_size)


def networks(folder: Path) -> tuple[StagedBackbone, Backbone]:
    """Return the bundled backbone in PyTorch and in ONNX Runtime; its ONNX file is written into `folder`."""
    eager = backbone_load(EFFICIENTNET_LITE0)
    path = folder / "backbone.onnx"
    backbone_to_onnx(eager, path)
    return eager, Backbone(path, threads=THREADS, device="cpu")
