"""Rewrites parts of ONNX graphs that ONNX Runtime computes but OpenCV 5.0 does not, without a change of the result."""

import numpy as np
import onnx
from onnx import helper, numpy_helper


def make_portable(model: onnx.ModelProto) -> None:
    """Rewrite the graph in place. The stored shapes of intermediate results are removed, because some change."""
    _regroup_gelu(model.graph)
    _use_matrices(model.graph)
    del model.graph.value_info[:]


def _regroup_gelu(graph: onnx.GraphProto) -> None:
    """Write x·(½·(1 + erf)) as (½·x)·(1 + erf).

    OpenCV 5.0.0 recognises the first form as a GELU and crashes while it reads the file.
    """
    made_by = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        inner = made_by.get(node.input[1]) if node.op_type == "Mul" else None
        if inner is None or inner.op_type != "Mul":
            continue
        half, bracket = inner.input
        add = made_by.get(bracket)
        erf = made_by.get(add.input[0]) if add is not None and add.op_type == "Add" else None
        if erf is not None and erf.op_type == "Erf":
            inner.input[:] = [node.input[0], half]
            node.input[:] = [inner.output[0], bracket]


def _use_matrices(graph: onnx.GraphProto) -> None:
    """Write products with a vector as products with a matrix of one column, since OpenCV takes no vectors."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    changed = set()
    for node in graph.node:
        nodes.append(node)
        vector = tensors.get(node.input[1]) if node.op_type == "MatMul" else None
        if vector is None or not (len(vector.dims) == 1 or vector.name in changed):
            continue
        if vector.name not in changed:
            values = numpy_helper.to_array(vector)
            vector.CopyFrom(numpy_helper.from_array(values.reshape(-1, 1), vector.name))
            changed.add(vector.name)
        name = node.output[0]
        node.output[0] = f"{name}_column"
        graph.initializer.append(numpy_helper.from_array(np.array([-1], dtype=np.int64), f"{name}_axis"))
        nodes.append(helper.make_node("Squeeze", [f"{name}_column", f"{name}_axis"], [name]))
    del graph.node[:]
    graph.node.extend(nodes)
