"""Noise variance from band-pass responses, whose kurtosis is that of the photo at every band and shrinks with noise."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

_HALF = 0.5**0.5
#: Rows of the filters; each band is one row down the columns and one along the rows. The fourth row of
#: the published bank is the third one moved by two pixels, so its band counts twice instead.
ROWS = np.array([[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, -0.5, -0.5], [_HALF, -_HALF, 0, 0]], dtype=np.float32)
TIMES = (1, 1, 2)


def noise_score(grey: NDArray[np.uint8]) -> float:
    """Return 0 … 1, larger is worse."""
    variance = noise_variance(grey)
    return float(1 / (1 + np.exp(np.clip(-(variance - 18) / 7, -700, 700))))


def noise_variance(grey: NDArray[np.uint8]) -> float:
    """Return the variance of the noise in squared grey levels, 0 for a flat picture."""
    kurtoses, variances, times = [], [], []
    for down in range(3):
        smoothed = correlate1d(grey.astype(np.float32), ROWS[down], axis=0)
        for along in range(3):
            if down or along:
                band = correlate1d(smoothed, ROWS[along], axis=1)
                band -= band.mean()
                square = band * band
                variance = float(square.mean(dtype=np.float64))
                if variance < 1e-6:
                    return 0.0
                kurtosis = float((square * square).mean(dtype=np.float64)) / variance**2 - 3
                variances.append(variance)
                kurtoses.append(max(0.0, kurtosis))
                times.append(TIMES[down] * TIMES[along])
    weights = np.array(times) / sum(times)
    root, inverse = np.sqrt(kurtoses), 1 / np.array(variances)
    a, b, c, d = (float(weights @ x) for x in (root, inverse, inverse**2, root * inverse))
    spread = c - b * b
    if spread <= 1e-12 * c:
        return 1 / b
    whole = (a * c - b * d) / spread
    if whole <= 0:
        return 1 / b
    return max(0.0, (1 - a / whole) / b)
