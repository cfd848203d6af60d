"""One ONNX file from a photo to its scores, for other programs: resizing, backbone, heads and decisions.

The parts are the files that the site serves, joined with `onnx`. Torch is not needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import compose

from annotation.files.whole_file import whole_path
from inference.networks.portable_graph import make_portable
from inference.networks.resize_graph import IR_VERSION, OPSET, resize_graph

INPUT = "photo"
OUTPUTS = ("watch_probability", "is_watch", "distribution", "mean", "quality_class")

# Features are stored as float16, so the heads have learned from rounded features.
_ROUND = """
<ir_version: {ir_version}, opset_import: ["" : {opset}]>
round (float[photos, features] whole) => (float[photos, features] rounded)
{{
  short = Cast <to = 10> (whole)
  rounded = Cast <to = 1> (short)
}}
"""
_DECIDE = """
<ir_version: {ir_version}, opset_import: ["" : {opset}]>
decide (float[photos] chance, float[photos, {bins}] shares) => (
  float[photos] watch_probability, int64[photos] is_watch, float[photos, {bins}] distribution, float[photos] mean,
  int64[photos] quality_class
)
<
  float threshold = {{{watch_threshold!r}}}, float reject_at = {{{reject_at!r}}}, float pending_at = {{{pending_at!r}}},
  float[{bins}] scores = {{{scores}}}, int64[1] last = {{1}}
>
{{
  watch_probability = Identity(chance)
  over_threshold = Greater(chance, threshold)
  is_watch = Cast <to = 7> (over_threshold)
  distribution = Identity(shares)
  parts = Mul(shares, scores)
  mean = ReduceSum <keepdims = 0> (parts, last)
  over_reject1 = Greater(mean, reject_at)
  over_reject = Cast <to = 7> (over_reject1)
  over_pending1 = Greater(mean, pending_at)
  over_pending = Cast <to = 7> (over_pending1)
  quality_class = Add(over_reject, over_pending)
}}
"""


@dataclass(frozen=True)
class Decisions:
    """The settings that turn probabilities into decisions."""

    lowest: int
    """The scale's lowest score."""
    bins: int
    """K, the number of scores."""
    watch_threshold: float
    """A photo shows a watch if its probability is above."""
    reject_at: float
    """Photos with a predicted mean up to here are rejected."""
    pending_at: float
    """Those above `reject_at` up to here are pending, and the others are accepted."""


def photo_graph_write(
    path: Path, *, backbone: Path, heads: Path, decisions: Decisions, metadata: Mapping[str, str]
) -> None:
    """Write photo float32 [N, 3, height, width], RGB 0 … 255, of any size → the OUTPUTS.

    watch_probability [N]; is_watch int64 [N], 1 above the threshold; distribution [N, K], lowest score first; mean [N],
    on the scale; quality_class int64 [N]: 0 rejected, 1 pending, 2 accepted. `backbone` and `heads` are ONNX files of
    `inference.networks.export` or `inference.scoring.int8`. `metadata` is stored in the file. Raises
    onnx.checker.ValidationError if the parts do not fit together.
    """
    network, head = onnx.load(backbone), onnx.load(heads)
    side = network.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    stored = {entry.key: entry.value for entry in network.metadata_props}
    versions = {"ir_version": IR_VERSION, "opset": OPSET}
    scores = ", ".join(str(decisions.lowest + place) for place in range(decisions.bins))
    parts = {
        "resize": resize_graph(side, stored.get("interpolation", "bicubic")),
        "backbone": network,
        "round": onnx.parser.parse_model(_ROUND.format(**versions)),
        "heads": head,
        "decide": onnx.parser.parse_model(
            _DECIDE.format(
                **versions,
                bins=decisions.bins,
                watch_threshold=float(decisions.watch_threshold),
                reject_at=float(decisions.reject_at),
                pending_at=float(decisions.pending_at),
                scores=scores,
            )
        ),
    }
    for name, part in parts.items():
        make_portable(part)
        _versions_set(part)
        ends = {"rename_inputs": name != "resize", "rename_outputs": name != "decide"}
        parts[name] = compose.add_prefix(part, f"{name}/", **ends)
    model = _joined(parts)
    model.producer_name = "IQS"
    helper_metadata = dict(metadata)
    onnx.helper.set_model_props(model, helper_metadata)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_path(path) as part_path:
        onnx.save(model, part_path)


def _joined(parts: Mapping[str, onnx.ModelProto]) -> onnx.ModelProto:
    """Return the parts as one graph."""
    model = compose.merge_models(parts["resize"], parts["backbone"], io_map=[("resize/pixels", "backbone/pixels")])
    model = compose.merge_models(model, parts["round"], io_map=[("backbone/features", "round/whole")])
    model = compose.merge_models(
        model,
        parts["heads"],
        io_map=[("round/rounded", "heads/features")],
        outputs=["heads/watch_probability", "heads/distribution"],
    )
    return compose.merge_models(
        model,
        parts["decide"],
        io_map=[("heads/watch_probability", "decide/chance"), ("heads/distribution", "decide/shares")],
    )


def _versions_set(part: onnx.ModelProto) -> None:
    """Name only the operators of ONNX itself, in one version, so that the parts can be joined."""
    domains = {node.domain for node in part.graph.node} - {""}
    if domains:
        raise ValueError(f"The graph uses operators of {', '.join(sorted(domains))}, which other programs do not have.")
    del part.opset_import[:]
    part.opset_import.append(onnx.helper.make_opsetid("", OPSET))
    part.ir_version = IR_VERSION
    del part.metadata_props[:]
