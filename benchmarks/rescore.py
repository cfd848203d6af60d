"""Predictions of new heads for photos that were seen before: from stored features, against opening the images again."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks._claims import Claim, Setting, seconds_of
from benchmarks._photos import BATCH, THREADS, networks, photo_files, photo_pixels
from inference.networks.config import EFFICIENTNET_LITE0
from inference.networks.export import heads_to_onnx
from inference.networks.heads import heads_fresh
from inference.scoring.predictor import HeadsPredictor

SYNSETS = (409, 530, 531, 826, 892)


def measure(setting: Setting) -> Iterator[Claim]:
    """Predict the same photos both ways; features come as the bytes that the table keeps."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = photo_files(setting, folder, 4 if setting.tiny else 96)
        _eager, served = networks(folder)
        heads_to_onnx(heads_fresh(EFFICIENTNET_LITE0, bins=10, synsets=SYNSETS), folder / "heads.onnx")
        predictor = HeadsPredictor(folder / "heads.onnx", threads=THREADS)

        def from_images() -> np.ndarray:
            batches = [files[start : start + BATCH] for start in range(0, len(files), BATCH)]
            return np.concatenate([served.features([photo_pixels(path) for path in batch]) for batch in batches])

        stored = [row.tobytes() for row in from_images().astype("<f2")]
        many = stored * (1 if setting.tiny else 50)

        def from_features() -> None:
            features = np.frombuffer(b"".join(many), dtype="<f2").reshape(len(many), -1)
            predictor.predict(features.astype(np.float32))

        from_features()
        ours = len(many) / seconds_of(from_features, times=3)
        theirs = len(files) / seconds_of(lambda: predictor.predict(from_images()), times=2)
    yield Claim(
        claim=f"Predicting again after retraining, {ours:.0f} photos per second",
        value=ours / theirs,
        unit="times as many photos per second",
        baseline=f"opening every photo again, also in ONNX Runtime in batches of {BATCH}: {theirs:.0f} per second",
        target=50.0,
    )
