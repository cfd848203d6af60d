"""The input pixels of a backbone. One definition for training, serving and export; imports no torch.

The normalisation of pixels, for example (x - 127) / 128, is part of the exported graph, and the graph's metadata names
the interpolation.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# All with antialiasing.
INTERPOLATIONS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def pixels(picture: Image.Image, side: int, interpolation: str = "bicubic") -> NDArray[np.uint8]:
    """Return an upright RGB picture as uint8 [side, side, 3].

    The whole picture is resized to a square: a crop would hide watches and defects near the edge.
    """
    return np.asarray(picture.resize((side, side), INTERPOLATIONS[interpolation]), dtype=np.uint8)
