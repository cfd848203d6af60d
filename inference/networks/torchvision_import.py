"""Imports torchvision, also with a torch of another build. Import torchvision only from here.

On import, torchvision registers shape functions for its compiled operators. Its wheel from PyPI is built for CUDA. With
a CPU-only torch, the operators are not loaded, and the import fails with 'operator torchvision::nms does not exist'.
Declaring the operators without a kernel is enough for the import, and no classifier calls them.
"""

import torch

try:
    import torchvision
except RuntimeError as error:
    if "torchvision::nms" not in str(error):
        raise
    # Kept in a variable, because the operators are deleted with their library.
    _library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for _name in ("nms", "qnms"):
        _library.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
    import torchvision

models = torchvision.models
