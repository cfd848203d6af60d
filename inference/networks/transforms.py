"""The pixels that a backbone sees. One definition for training, serving and export; imports no torch.

The network's own arithmetic on pixels, (x - 127) / 128, is part of the exported graph, so that there
is nothing left to get wrong outside it.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def pixels(picture: Image.Image, side: int) -> NDArray[np.uint8]:
    """Return an upright RGB picture as uint8 [side, side, 3].

    The whole picture is resized to a square (bicubic with antialiasing): a crop would hide watches
    and defects near the edge.
    """
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC), dtype=np.uint8)
