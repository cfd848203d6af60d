"""The pixels that a backbone sees. One definition for training, serving and export; imports no torch.

A network's own arithmetic on pixels, (x - 127) / 128 for instance, is part of the exported graph, and the
file of the graph says how pictures are resized for it, so that there is nothing left to get wrong outside it.
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
