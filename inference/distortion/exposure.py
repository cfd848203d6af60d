"""Over- and underexposure: the share of very bright or very dark pixels in a photo."""

import numpy as np
from numpy.typing import NDArray

#: Weights of a pixel by value.
_CLIPPED, _NEARLY = 3.0, 1.0
_BLACK, _DARKER, _DARK = 15.0, 6.0, 2.0
#: Weight of a pixel in the brighter half as evidence against underexposure.
_HIGHLIGHT = 60.0


def exposure_score(counts: NDArray[np.int64]) -> float:
    """Return 0 … 1, larger is worse, from the 256 counts of the brightest of a photo's three channels.

    score = max(over, under), with N the number of pixels in a range of values:
    over = bright / (bright + N[0, 245)), bright = 3 · N[254, 255] + N[245, 254)
    under = dark / (dark + N[60, 128) + 60 · N[128, 255]), dark = 15 · N[0, 15) + 6 · N[15, 30) + 2 · N[30, 60)

    Differences from the usual measure, with reasons. The brightest channel is used instead of grey, because it clips
    first, and a deep blue is not dark. Fully clipped pixels are included. The usual weight of bright pixels, 15 from
    245 on, calls every photo on white paper or with a white sky overexposed. Highlights count against underexposure,
    so that black clothes beside a bright face are no fault. A brighter pixel never lowers `over` and never raises
    `under`, so both are monotone in the exposure.
    """
    bright = _CLIPPED * counts[254:].sum() + _NEARLY * counts[245:254].sum()
    dark = _BLACK * counts[:15].sum() + _DARKER * counts[15:30].sum() + _DARK * counts[30:60].sum()
    over = bright / (bright + counts[:245].sum())
    under = dark / (dark + counts[60:128].sum() + _HIGHLIGHT * counts[128:].sum())
    return float(max(over, under))
