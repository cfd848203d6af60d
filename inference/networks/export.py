"""Exports PyTorch modules to ONNX, for ONNX Runtime."""

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


class _ServingHeads(nn.Module):
    """Heads that return probabilities instead of logits."""

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
        _ServingHeads(heads).eval(),
        example,
        path,
        "features",
        ["watch_probability", "synset_probabilities", "distribution"],
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
    """Write the graph for any number of rows. The file is complete or does not appear."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The exporter logs each of its steps, which is of no use here.
    for name in ("torch.onnx", "onnxscript", "onnx_ir"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with whole_path(path) as part:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # from the exporter's own modules
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
            raise RuntimeError(f"The exporter returned no graph for {path.name}.")
        _use_global_average_pool(program.model)
        # The exporter stores source paths in each node, so the file would differ between machines.
        for tidy in (ClearMetadataAndDocStringPass(), RemoveUnusedNodesPass()):
            tidy(program.model)
        program.model.metadata_props.update(metadata)
        program.save(part, external_data=False)


def _use_global_average_pool(model: ir.Model) -> None:
    """Replace each mean over the two axes of a map by the equivalent GlobalAveragePool.

    The exporter writes ReduceMean, for which ONNX Runtime leaves its blocked layout of maps, which takes time.
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
