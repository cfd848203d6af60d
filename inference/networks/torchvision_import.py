"""torchvision, also beside a torch of another build. Whoever needs torchvision takes it from here.

While it is imported, torchvision says what its compiled operators give for tensors without data. Its wheel
from PyPI is built for CUDA; beside a CPU-only torch the operators are not loaded, and the import stops at
'operator torchvision::nms does not exist'. Declared without a kernel they are enough for the import, and
no classifier calls them.
"""

import torch

try:
    import torchvision
except RuntimeError as error:
    if "torchvision::nms" not in str(error):
        raise
    # Kept in a name: the operators go when their library does.
    _library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for _name in ("nms", "qnms"):
        _library.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
    import torchvision

models = torchvision.models
