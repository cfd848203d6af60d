"""The pixels of rated photos, for recipes that learn the network too, and what a machine gives them to compute with."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.networks.config import BackboneConfig


@dataclass(frozen=True)
class Compute:
    """What a machine gives to the learning. None of it changes the result by more than rounding."""

    threads: int = 1
    """Of each process, on the processor."""
    processes: int = 1
    """That share each batch. Above one, torchrun starts them."""
    device: str = "cpu"
    """"cpu", "cuda", or "auto": cuda if there is one."""


@dataclass(frozen=True)
class PhotoPixels:
    """Photos [N], decoded once, at the input size of a network."""

    file: Path
    """An .npy file, uint8 [M, side, side, 3]."""
    rows: NDArray[np.int64]
    """The row of each photo in the file [N]."""
    backbone: BackboneConfig
    """The network that learning starts from, with its own weights."""
    compute: Compute = Compute()

    def part(self, rows: NDArray[np.bool_]) -> "PhotoPixels":
        """Return the photos selected by `rows` [N]."""
        return replace(self, rows=self.rows[rows])

    @cached_property
    def content(self) -> NDArray[np.uint8]:
        """Return the file [M, side, side, 3], which is read where it is used."""
        found: NDArray[np.uint8] = np.load(self.file, mmap_mode="r", allow_pickle=False)
        return found

    def batch(self, photos: NDArray[np.int64], mirrored: NDArray[np.bool_]) -> Tensor:
        """Return the pixels of some photos [B, side, side, 3], those in `mirrored` [B] left to right."""
        pixels = np.array(self.content[self.rows[photos]])
        pixels[mirrored] = pixels[mirrored, :, ::-1]
        return torch.from_numpy(pixels)
