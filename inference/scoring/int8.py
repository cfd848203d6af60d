"""Int8 files of backbones: faster than the float file on processors with integer products, and less exact.

The loss is measured when the file is made, on photos that were not used for calibration, and written to its card. One
file, made with quantisation-aware training, is shipped; a site can make others. Int8 features differ from float
features, so they are stored under another key. ONNX Runtime is imported only to make a file.
"""

import json
import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from annotation.files.whole_file import put_in_place
from annotation.measures.distribution import mean_score
from inference.networks.config import WeightsMissing
from inference.networks.model_files import checksum

if TYPE_CHECKING:  # ONNX Runtime takes a second to import, and web processes only need the key
    from inference.scoring.predictor import Backbone, ScoreBatch

Pixels = NDArray[np.uint8]
_BATCH = 4
_ROUNDS = 5
# With Clip and Relu included, they become the integer bounds of the convolution before them.
_OPERATORS = ["Conv", "Clip", "Relu", "MatMul", "Gemm"]
_LEARNED_OPERATORS = ["Conv", "Clip"]
_SHIPPED = Path(__file__).resolve().parent.parent / "weights" / "int8"


@dataclass(frozen=True)
class Int8Card:
    """Accuracy and speed of an int8 file, measured on `photos` photos that were not used for calibration."""

    sha256: str
    """SHA-256 of the int8 file."""
    calibration_photos: int
    """Number of photos that the ranges of its maps were calibrated on."""
    photos: int
    feature_correlation: float
    """Correlation with the float file's features, mean over the features that vary."""
    watch_shift_mean: float
    """Mean absolute change of the watch probability."""
    watch_shift_p95: float
    """Its 95th percentile."""
    quality_shift_mean: float | None
    """Mean absolute change of the quality mean, on 1 … 10; None if the backbone has no shipped quality prior."""
    quality_shift_p95: float | None
    speed_ratio: float
    """Photos per second and thread, of the int8 file over the float one, on the machine that made it."""


def is_int8_shipped(key: str) -> bool:
    """Return whether an int8 file is shipped for the backbone with this key."""
    return _file(_SHIPPED, key).is_file()


def int8_path(folder: Path, key: str) -> Path:
    """Return the int8 file of the backbone with this key: the site's own in `folder`, else the shipped one.

    If there is neither, the path of the site's own file is returned.
    """
    own = _file(folder, key)
    return own if own.is_file() or not is_int8_shipped(key) else _file(_SHIPPED, key)


def int8_card(folder: Path, key: str) -> Int8Card:
    """Return the card of an int8 file. Raises WeightsMissing if file or card is missing."""
    path = int8_path(folder, key)
    try:
        path.stat()
        described = path.with_suffix(".json")
        return _card_read(described, described.stat().st_mtime_ns)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise WeightsMissing(
            f"There is no int8 file of {key}; make it with `manage.py quantise_backbone FOLDER_OF_PHOTOS`, "
            "or set IQS_PRECISION=fp32."
        ) from error


def int8_verified(folder: Path, key: str, *, find: Callable[[Path], str] = checksum) -> Path:
    """Return the int8 file of a backbone after a check of its checksum. `find` computes it. Raises WeightsMissing."""
    path, card = int8_path(folder, key), int8_card(folder, key)
    found = find(path)
    if found != card.sha256:
        raise WeightsMissing(
            f"{path} does not match its card (checksum {found[:12]}…, expected {card.sha256[:12]}…); "
            "download it again, or set IQS_PRECISION=fp32."
        )
    return path


def int8_key(folder: Path, key: str) -> str:
    """Return the key under which features of the int8 file are stored. Raises WeightsMissing."""
    return f"{key}-int8-{int8_card(folder, key).sha256[:8]}"


def int8_make(
    path: Path,
    calibration: Sequence[Pixels],
    measuring: Sequence[Pixels],
    *,
    predict: "Callable[[NDArray[np.float32]], ScoreBatch]",
    measures_quality: bool,
) -> Int8Card:
    """Write the int8 file of the backbone at `path` beside it, and its card; return the card.

    Static quantisation: 8-bit integers for weights (per channel) and for maps, whose ranges are measured on the
    `calibration` photos. `predict` turns features into scores. Both files are compared on the `measuring` photos.
    """
    folder, key = path.parent, path.stem
    with tempfile.TemporaryDirectory(dir=folder, prefix=".int8-") as temporary:
        part = Path(temporary) / "int8.onnx"
        int8_quantise(path, part, calibration)
        card = int8_measure(
            path, part, measuring, calibrated=len(calibration), predict=predict, measures_quality=measures_quality
        )
        described = Path(temporary) / "card.json"
        described.write_text(json.dumps(asdict(card), indent=2) + "\n")
        put_in_place(part, _file(folder, key))
        put_in_place(described, _file(folder, key).with_suffix(".json"))
    return card


def int8_measure(
    plain_path: Path,
    path: Path,
    photos: Sequence[Pixels],
    *,
    calibrated: int,
    predict: "Callable[[NDArray[np.float32]], ScoreBatch]",
    measures_quality: bool,
) -> Int8Card:
    """Return the card of the int8 file at `path`, compared with the float file on these photos."""
    from inference.scoring.predictor import Backbone

    plain, quantised = (Backbone(file, threads=1, device="cpu") for file in (plain_path, path))
    features = [features_of(network, photos) for network in (plain, quantised)]
    scores = [predict(rows) for rows in features]
    watch = np.abs(scores[0].watch_probability - scores[1].watch_probability)
    means = [_mean_of_ten(score.distribution) for score in scores]
    quality = np.abs(means[0] - means[1])
    return Int8Card(
        sha256=checksum(path),
        calibration_photos=calibrated,
        photos=len(photos),
        feature_correlation=round(feature_correlation(*features), 4),
        watch_shift_mean=round(float(watch.mean()), 5),
        watch_shift_p95=round(float(np.quantile(watch, 0.95)), 5),
        quality_shift_mean=round(float(quality.mean()), 4) if measures_quality else None,
        quality_shift_p95=round(float(np.quantile(quality, 0.95)), 4) if measures_quality else None,
        speed_ratio=round(_speed_ratio(plain, quantised, photos[:_BATCH]), 2),
    )


def speeds_measure(plain_path: Path, path: Path) -> tuple[float, float]:
    """Return the photos per second and thread of the float file and of the int8 file, on this machine's CPU."""
    from inference.scoring.predictor import Backbone

    plain, quantised = (Backbone(file, threads=1, device="cpu") for file in (plain_path, path))
    rng = np.random.default_rng(0)
    photos = [rng.integers(0, 256, (plain.side, plain.side, 3), dtype=np.uint8) for _ in range(_BATCH)]
    seconds = _seconds(plain, quantised, photos)
    return _BATCH / seconds[0], _BATCH / seconds[1]


def features_of(
    network: "Backbone",
    photos: Sequence[Pixels],
    report: Callable[[int, int], None] = lambda done, total: None,
) -> NDArray[np.float32]:
    """Return features [N, D] of N photos, uint8 [side, side, 3]; `report` is called with (photos done, all photos)."""
    found = []
    for start in range(0, len(photos), _BATCH):
        found.append(network.features(photos[start : start + _BATCH]))
        report(min(start + _BATCH, len(photos)), len(photos))
    return np.concatenate(found)


def feature_correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the correlation of two matrices [N, D], mean over the columns that vary in the first."""
    varies = one.std(axis=0) > 1e-3
    one, other = one[:, varies].astype(np.float64), other[:, varies].astype(np.float64)
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    return float(((one * other).mean(axis=0) / (one.std(axis=0) * other.std(axis=0) + 1e-12)).mean())


def int8_quantise(
    path: Path, target: Path, calibration: Sequence[Pixels], *, has_learned_rounding: bool = False
) -> None:
    """Write the int8 file of the backbone at `path`.

    The first convolution and the first depthwise one stay float, because they process the picture itself, in which
    noise and blur change only a few grey levels. With `has_learned_rounding` (`inference.networks.quantization_aware`),
    each map uses its trained range, weights use 7 bits, and the classifier stays float.
    """
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # its package has no types
        """Calibration data for ONNX Runtime: one photo at a time."""

        def __init__(self) -> None:
            self._photos = iter(calibration)

        def get_next(self) -> dict[str, Any] | None:
            photo = next(self._photos, None)
            return None if photo is None else {"pixels": photo[None]}

    logging.getLogger("root").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".prepared-") as temporary:
        prepared = Path(temporary) / "prepared.onnx"
        quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
        model = onnx.load(prepared)
        quantize_static(
            str(prepared),
            str(target),
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=has_learned_rounding,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=_LEARNED_OPERATORS if has_learned_rounding else _OPERATORS,
            nodes_to_exclude=_kept_float(model),
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"TensorQuantOverrides": _learned_ranges(model)} if has_learned_rounding else {},
        )


def _kept_float(model: Any) -> list[str]:
    """Return the names of the first convolution and of the first depthwise one; with several sizes, of each size."""
    shapes = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    depthwise = [node for node in convolutions if shapes.get(node.input[1], [0, 0])[1] == 1]
    kept = {node.input[1] for node in (*convolutions[:1], *depthwise[:1])}
    return [node.name for node in convolutions if node.input[1] in kept]


def _learned_ranges(model: Any) -> dict[str, list[dict[str, Any]]]:
    """Return the range of each Clip with two bounds, in the format of ONNX Runtime's TensorQuantOverrides."""
    from onnx import numpy_helper

    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    clips = [node for node in model.graph.node if node.op_type == "Clip" and len([*filter(None, node.input)]) == 3]
    bounds = {node.output[0]: [values[name].astype(np.float32) for name in node.input[1:]] for node in clips}
    return {name: [{"rmin": low, "rmax": high}] for name, (low, high) in bounds.items()}


@lru_cache(maxsize=8)  # web processes need the key often
def _card_read(path: Path, _written: int) -> Int8Card:
    card = json.loads(path.read_text())
    return Int8Card(**{field.name: card[field.name] for field in fields(Int8Card)})


def _file(folder: Path, key: str) -> Path:
    return folder / f"{key}.int8.onnx"


def _mean_of_ten(distribution: NDArray[np.float32]) -> NDArray[np.float64]:
    return mean_score(distribution, lowest=1)


def _speed_ratio(plain: "Backbone", quantised: "Backbone", photos: Sequence[Pixels]) -> float:
    """Return how many times faster the second is."""
    seconds = _seconds(plain, quantised, photos)
    return seconds[0] / seconds[1]


def _seconds(plain: "Backbone", quantised: "Backbone", photos: Sequence[Pixels]) -> list[float]:
    """Return the seconds of both for all photos: best of several alternating runs, as the machine may be busy."""
    best = [float("inf"), float("inf")]
    for _ in range(_ROUNDS):
        for place, network in enumerate((plain, quantised)):
            began = time.perf_counter()
            network.features(photos)
            best[place] = min(best[place], time.perf_counter() - began)
    return best
