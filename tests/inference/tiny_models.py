"""A backbone and heads of a few operations, in ONNX files like those that the site exports. They run quickly.

The features are the mean and the standard deviation of the picture. A brighter picture has a higher quality. A flatter
picture has a higher watch probability.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from inference.networks.config import PRIOR_FOLDER, backbone_config
from inference.networks.model_files import checksum
from inference.scoring.int8 import Int8Card
from inference.scoring.rows import Rules
from inference.serving.scorer import heads_path

SYNSETS = (409, 530, 531, 826, 892)
RULES = Rules(SYNSETS)
SIDE = 16


def tiny_models_place(models: Path, *rules: Rules, heads: Path = PRIOR_FOLDER) -> None:
    """Write the files to the folders of exported models. `models` is settings.MODELS_ROOT."""
    config = backbone_config("efficientnet_lite0")
    float_path, int8_path = (models / "backbones" / f"{config.key()}{ending}" for ending in (".onnx", ".int8.onnx"))
    for path in (float_path, int8_path):  # the site's own int8 file is used instead of the shipped one
        backbone_write(path)
    int8_path.with_suffix(".json").write_text(json.dumps(asdict(Int8Card(checksum(int8_path), 0, 0, 1, 0, 0, 0, 0, 1))))
    for each in rules or (RULES,):
        heads_write(heads_path(heads, config, each), each)


def backbone_write(path: Path) -> None:
    """Write pixels uint8 [N, side, side, 3] → features float32 [N, 2]."""
    nodes = [
        helper.make_node("Cast", ["pixels"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["x", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["x", "x"], ["square"]),
        helper.make_node("ReduceMean", ["square", "axes"], ["mean_square"], keepdims=0),
        helper.make_node("Mul", ["mean", "mean"], ["square_mean"]),
        helper.make_node("Sub", ["mean_square", "square_mean"], ["variance"]),
        helper.make_node("Abs", ["variance"], ["positive"]),
        helper.make_node("Sqrt", ["positive"], ["std"]),
        helper.make_node("Unsqueeze", ["mean", "last"], ["mean2"]),
        helper.make_node("Unsqueeze", ["std", "last"], ["std2"]),
        helper.make_node("Concat", ["mean2", "std2"], ["features"], axis=1),
    ]
    constants = {"axes": np.array([1, 2, 3]), "last": np.array([1])}
    _save(path, nodes, constants, ("pixels", TensorProto.UINT8, ["n", SIDE, SIDE, 3]), {"features": ["n", 2]})


def heads_write(path: Path, rules: Rules) -> None:
    """Write features → watch_probability [N], synset_probabilities [N, S], distribution [N, K]."""
    synsets, bins = len(rules.synsets), rules.bins
    constants = {
        "synset_weight": np.array([[0.0] * synsets, [-0.05] * synsets], dtype=np.float32),
        "share": np.array(1 / synsets, dtype=np.float32),
        "quality_weight": np.array([np.linspace(-0.04, 0.04, bins), [0.0] * bins], dtype=np.float32),
        "quality_shift": np.linspace(5, -5, bins).astype(np.float32),
        "last": np.array([1]),
    }
    nodes = [
        helper.make_node("MatMul", ["features", "synset_weight"], ["synset_logits"]),
        helper.make_node("Exp", ["synset_logits"], ["odds"]),
        helper.make_node("Mul", ["odds", "share"], ["synset_probabilities"]),
        helper.make_node("ReduceSum", ["synset_probabilities", "last"], ["watch_probability"], keepdims=0),
        helper.make_node("MatMul", ["features", "quality_weight"], ["raw"]),
        helper.make_node("Add", ["raw", "quality_shift"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["distribution"], axis=1),
    ]
    outputs = {"watch_probability": ["n"], "synset_probabilities": ["n", synsets], "distribution": ["n", bins]}
    _save(path, nodes, constants, ("features", TensorProto.FLOAT, ["n", 2]), outputs)


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
    graph_input: tuple[str, int, list[object]],
    outputs: dict[str, list[object]],
) -> None:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(*graph_input)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
