"""ONNX Runtime sessions for backbones and heads. Pure: files and arrays in, arrays out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from inference.networks.transforms import pixels

Features = NDArray[np.float32]


class DeviceMissing(RuntimeError):
    """The requested device is not available; the message says what to do."""


@dataclass(frozen=True)
class ScoreBatch:
    """Predictions of the heads for N photos."""

    watch_probability: NDArray[np.float32]
    """[N], 0 … 1"""
    synset_probabilities: NDArray[np.float32]
    """[N, S], in the order of the synsets"""
    distribution: NDArray[np.float32]
    """[N, K], rows add up to one, lowest score first"""


def session(path: Path, *, threads: int, device: str = "auto") -> onnxruntime.InferenceSession:
    """Return a session of an ONNX file on `device`: "cpu", "cuda", or "auto" (cuda if available).

    Raises DeviceMissing if "cuda" is requested and not available.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    available = onnxruntime.get_available_providers()
    has_cuda = "CUDAExecutionProvider" in available
    if device == "cuda" and not has_cuda:
        raise DeviceMissing(
            "IQS_DEVICE is cuda, but this ONNX Runtime runs on the CPU only; "
            "install onnxruntime-gpu or set IQS_DEVICE=cpu."
        )
    wanted = ["CUDAExecutionProvider"] if has_cuda and device != "cpu" else []
    return onnxruntime.InferenceSession(str(path), options, providers=[*wanted, "CPUExecutionProvider"])


class Backbone:
    """A backbone in ONNX Runtime. Safe to call from several threads."""

    def __init__(self, path: Path, *, threads: int = 2, device: str = "auto") -> None:
        self._session = session(path, threads=threads, device=device)
        _batch, self.side, _width, _channels = self._session.get_inputs()[0].shape
        self.interpolation: str = self._session.get_modelmeta().custom_metadata_map.get("interpolation", "bicubic")

    def prepare(self, picture: Image.Image) -> NDArray[np.uint8]:
        """Return the network's input pixels of an upright RGB picture."""
        return pixels(picture, self.side, self.interpolation)

    def features(self, pixels: Sequence[NDArray[np.uint8]]) -> Features:
        """Return features float32 [N, D] of N pictures uint8 [side, side, 3] (`inference.networks.transforms`)."""
        result: Features = self._session.run(None, {"pixels": np.stack(pixels)})[0]
        return result


class HeadsPredictor:
    """Heads in ONNX Runtime. Safe to call from several threads."""

    def __init__(self, path: Path, *, threads: int = 2) -> None:
        # The heads are a few matrix products: copying the features to a GPU would take longer.
        self._session = session(path, threads=threads, device="cpu")

    def predict(self, features: Features, *, chunk: int = 2048) -> ScoreBatch:
        """Return predictions for features float32 [N, D]; N may be 0."""
        if not len(features):  # the graph cannot run without rows; one row of zeros gives the shapes
            _rows, size = self._session.get_inputs()[0].shape
            features = np.zeros((0, size), dtype=np.float32)
            chunks = [np.zeros((1, size), dtype=np.float32)]
        else:
            chunks = [np.ascontiguousarray(features[start : start + chunk]) for start in range(0, len(features), chunk)]
        results = [self._session.run(None, {"features": rows}) for rows in chunks]
        watch, synsets, distribution = (np.concatenate(part)[: len(features)] for part in zip(*results, strict=True))
        return ScoreBatch(watch, synsets, distribution)
