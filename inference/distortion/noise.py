"""Noise variance, estimated from the kurtosis of band-pass filters: equal in a clean photo, lower in noisy bands."""

import numpy as np
from numpy.typing import NDArray

#: Variance in squared grey levels at which the score is .5: a standard deviation of 4.2.
HALF_VARIANCE = 18.0
#: √kurtosis of a band without noise; has the weight of one of the 15 bands.
_CLEAN_ROOT = 3.0
#: Squared grey levels below which a band contains rounding errors only.
_LEAST_VARIANCE = 1e-3
#: Squares of the factors of the first three rows: 1/2, 1/2, √(1/2).
_SQUARES = (0.25, 0.25, 0.5)
#: Pixels processed at a time. More do not fit the cache; fewer cost time between steps when threads run in parallel.
_PIECE = 120_000


def noise_score(variance: float) -> float:
    """Return 0 … 1, larger is worse: variance / (variance + 18).

    This is the logistic function 1/(1 + e^−(ln V − ln 18)). The usual 1/(1 + e^−((V − 18)/7)) is .07 for a photo
    without noise, and 1 in double precision from a standard deviation of 17 on, so that stronger noise cannot be
    distinguished. Both are .5 at the same variance.
    """
    return variance / (variance + HALF_VARIANCE)


def noise_variance(grey: NDArray[np.uint8]) -> float:
    """Return the variance of a photo's noise in squared grey levels, 0 for a flat or tiny picture.

    15 bands: outer products of the rows ½(1, 1, 1, 1), ½(1, 1, −1, −1), √½(1, −1, 0, 0) and √½(0, 0, 1, −1),
    without the first with itself. Band k has variance v and excess kurtosis κ ≥ 0, for which √κ = √K (1 − V/v):
    a line in 1/v, fitted by least squares. With a = ⟨√κ⟩, b = ⟨1/v⟩, c = ⟨1/v²⟩, d = ⟨√κ/v⟩ its value at 0 is
    √K = (ac − bd)/(c − b²), and V = (1 − a/√K)/b. Source: X. Pan, X. Zhang, S. Lyu, Exposing image splicing with
    inconsistent local noise variances, ICCP 2012.

    A sixteenth point is added, √κ = 3 at 1/v = 0: a band so strong that noise does not matter. It is
    needed if the bands alone do not determine the line: in pure noise all have the same variance and no kurtosis.
    """
    bands = _bands(grey)
    if not bands or min(variance for variance, _, _ in bands) < _LEAST_VARIANCE:
        return 0.0
    variances, kurtoses, times = (np.array(column) for column in zip(*bands, strict=True))
    inverse = np.append(1 / variances, 0.0)
    root = np.append(np.sqrt(np.maximum(kurtoses, 0)), _CLEAN_ROOT)
    weights = np.append(times, 1.0) / (times.sum() + 1)
    a, b, c, d = weights @ root, weights @ inverse, weights @ inverse**2, weights @ (root * inverse)
    whole = (a * c - b * d) / (c - b * b)
    if whole <= a:  # kurtosis does not fall towards the weak bands: no noise
        return 0.0
    return float(min((1 - a / whole) / b, variances.min()))


def _bands(grey: NDArray[np.uint8]) -> list[tuple[float, float, int]]:
    """Return (variance, excess kurtosis, multiplicity) of each band; [] for pictures below 5 × 5.

    Rows three and four are the same filter two pixels apart, so each is computed once and counts twice.
    Sums and differences of integers are exact in 16 bits; only moments are floating-point.
    """
    if min(grey.shape) < 5:
        return []
    powers = np.zeros((9, 4))
    rows = max(1, _PIECE // grey.shape[1])
    for start in range(0, grey.shape[0] - 3, rows):
        piece = grey[start : start + rows + 3].astype(np.int16)
        for down, vertical in enumerate(_rows(piece.T)):
            for along, band in enumerate(_rows(vertical.T)):
                if down or along:
                    powers[3 * down + along] += _powers(band)
    height, width = grey.shape
    found = []
    for number in range(1, 9):
        down, along = divmod(number, 3)
        first, second, third, fourth = powers[number] / ((height - 3) * (width - 3))
        square = second - first**2
        fourth += -4 * first * third + 6 * first**2 * second - 3 * first**4
        kurtosis = fourth / square**2 - 3 if square > 0 else 0.0
        found.append((square * _SQUARES[down] * _SQUARES[along], kurtosis, (1 + (down == 2)) * (1 + (along == 2))))
    return found


def _rows(values: NDArray[np.int16]) -> list[NDArray[np.int16]]:
    """Return the responses to the three filters along the last axis, without their factors."""
    pairs = values[:, :-1] + values[:, 1:]
    return [pairs[:, :-2] + pairs[:, 2:], pairs[:, :-2] - pairs[:, 2:], values[:, :-3] - values[:, 1:-2]]


def _powers(band: NDArray[np.int16]) -> NDArray[np.float64]:
    """Return the sums of the first four powers."""
    values = band.astype(np.float32)
    squares = values * values
    first, second = values.sum(), squares.sum()
    np.multiply(values, squares, out=values)
    np.multiply(squares, squares, out=squares)
    return np.array([first, second, values.sum(), squares.sum()], dtype=np.float64)
