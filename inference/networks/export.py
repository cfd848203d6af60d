"""From PyTorch to ONNX: what trains here is served by ONNX Runtime, and runs anywhere else."""

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import onnx_ir as ir
import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass, RemoveUnusedNodesPass
from torch import Tensor, nn

from annotation.files.whole_file import whole_path
from inference.networks.backbone_base import StagedBackbone
from inference.networks.heads import Heads

OPSET = 18


class _Served(nn.Module):
    """Heads with the outputs that serving wants: probabilities instead of logits."""

    def __init__(self, heads: Heads) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return watch probability [N], synset probabilities [N, S], quality distribution [N, K]."""
        output = self.heads(features)
        return output.watch_logit.sigmoid(), output.synset_probabilities, output.quality_logits.softmax(1)


def heads_to_onnx(heads: Heads, path: Path) -> None:
    """Write the heads as an ONNX graph: features [N, D] → watch_probability, synset_probabilities, distribution."""
    example = torch.zeros(2, heads.config.feature_size)
    _export(
        _Served(heads).eval(), example, path, "features", ["watch_probability", "synset_probabilities", "distribution"]
    )


def backbone_to_onnx(backbone: StagedBackbone, path: Path) -> None:
    """Write the backbone as an ONNX graph: pixels uint8 [N, side, side, 3] → features float32 [N, D]."""
    side = backbone.config.input_size
    example = torch.zeros(2, side, side, 3, dtype=torch.uint8)
    metadata = {"interpolation": backbone.config.interpolation}
    _export(backbone.eval(), example, path, "pixels", ["features"], metadata)


def _export(
    module: nn.Module,
    example: Tensor,
    path: Path,
    source: str,
    outputs: list[str],
    metadata: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write the graph with any number of rows; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The exporter reports each of its steps; none of them is for the person who waits.
    for name in ("torch.onnx", "onnxscript", "onnx_ir"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with whole_path(path) as part:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # between the exporter's own modules
            program = torch.onnx.export(
                module,
                (example,),
                input_names=[source],
                output_names=outputs,
                dynamic_shapes=({0: torch.export.Dim("rows", min=1, max=4096)},),
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
        if program is None:
            raise RuntimeError(f"The exporter gave no graph for {path.name}.")
        _pool(program.model)
        # The exporter notes at each node which line of which file it comes from: a path of this machine, and on another
        # machine another file.
        for tidy in (ClearMetadataAndDocStringPass(), RemoveUnusedNodesPass()):
            tidy(program.model)
        program.model.metadata_props.update(metadata)
        program.save(part, external_data=False)


def _pool(model: ir.Model) -> None:
    """Turn each mean over the two axes of a map into a GlobalAveragePool, which it is.

    The exporter writes ReduceMean, before which ONNX Runtime leaves its blocked layout of maps and after
    which it comes back to it.
    """
    for node in model.graph:
        if node.op_type != "ReduceMean" or len(node.inputs) != 2 or node.outputs[0].shape is None:
            continue
        maps, axes = node.inputs
        keeps = node.attributes.get("keepdims")
        over = axes.const_value.numpy().tolist() if axes is not None and axes.const_value is not None else []
        rank = len(node.outputs[0].shape)
        if rank == 4 and sorted(axis % rank for axis in over) == [2, 3] and (keeps is None or keeps.as_int() == 1):
            pooled = ir.node("GlobalAveragePool", [maps])
            pooled.outputs[0].shape, pooled.outputs[0].type = node.outputs[0].shape, node.outputs[0].type
            ir.convenience.replace_nodes_and_values(model.graph, node, [node], [pooled], node.outputs, pooled.outputs)
