"""Blur: the share of a photo's structured tiles in which hardly a pixel is sharp, in all directions or in one."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Number = TypeVar("Number", np.float32, np.uint8)

_TILE = 40
#: Standard deviation of grey values below which a tile says nothing about sharpness.
_FLAT = 10.0
#: A place is soft where the mean of ln |L| / ln 30 over 5 × 5 pixels is at most this; |L| is then about 4.6.
_SOFT = 115 / 255
#: Share of sharp pixels from which a tile counts as sharp: out of focus, and smeared by motion.
_FOCUSED_SHARE = 0.4
_STEADY_SHARE = 0.1
#: What of the noise's standard deviation in |L| does not make a place sharp.
_NOISE_SHARE = 0.6
#: Grey levels from the darkest to the brightest below which thresholds shrink with them, and how far at most.
_FULL_CONTRAST = 128
_LEAST_CONTRAST = 0.25


def laplacian(grey: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the sum of the four neighbours less four times the pixel, mirrored at the borders (edge not repeated)."""
    wide = np.pad(grey.astype(np.int16), 1, mode="reflect")
    total = wide[:-2, 1:-1] + wide[2:, 1:-1]
    total += wide[1:-1, :-2]
    total += wide[1:-1, 2:]
    total -= 4 * wide[1:-1, 1:-1]
    return total


def laplacian_variance(second: NDArray[np.int16]) -> float:
    """Return the variance of the Laplacian: larger is sharper, but also noisier and more contrasted."""
    return float(second.astype(np.float32).var())


def blur_score(
    grey: NDArray[np.uint8], counts: NDArray[np.int64], second: NDArray[np.int16], noise_variance: float
) -> float:
    """Return 0 … 1, larger is worse. `counts` and `second`: histogram and Laplacian of `grey`.

    Of 40 × 40 tiles those with a standard deviation of 10 or more are judged. A pixel is sharp where most of its
    5 × 5 neighbours have a mean strength ln(max(|L|, 1)) / ln 30 above 115/255, L being the Laplacian. A tile
    with a share f of sharp pixels is out of focus by 1 − f/.4, not below 0; their mean is the defocus.

    For motion blur the same is asked of one direction only: the second derivative along that in which the photo
    changes least, on pixels smoothed by (1, 2, 1)/4 both ways, and 1 − f/.1. The score is the larger mean.

    What differs from the usual measure, and why. Pixels in soft parts of sharp tiles are not blurred: skies and
    skin made a quarter of untouched photos blurred. Line segments in the Laplacian tell straight things from
    smeared ones badly; a smear is what removes detail along one direction in the whole photo. Noise makes every
    place sharp, so the threshold is √(4.6² + .6² · 20 V) of the noise variance V (the Laplacian multiplies it by
    20; V itself for the smoothed derivative). Dim photos have small differences, so below a range of 128 grey
    levels all thresholds shrink with the range. A photo with contrast, but with no structured tile, is blurred.
    """
    contrast = _contrast(counts)
    values = grey.astype(np.float32)
    sizes = _tile_sums(np.ones_like(values))
    judged = sizes * (_tile_deviations(values, sizes) >= _FLAT * contrast)
    total = judged.sum()
    if not total:
        return float(values.std() >= _FLAT * contrast)
    soft = 30**_SOFT * contrast

    def blurred(strength: Plane, noise: float, enough: float) -> float:
        shares = _sharp_pixels(strength, float(np.hypot(soft, _NOISE_SHARE * noise))) / sizes
        return float((judged * np.maximum(0, 1 - shares / enough)).sum() / total)

    noise = noise_variance**0.5
    defocus = blurred(np.abs(second).astype(np.float32), 20**0.5 * noise, _FOCUSED_SHARE)
    smear = blurred(_along_least_change(values, judged > 0), noise, _STEADY_SHARE)
    return max(defocus, smear)


def _contrast(counts: NDArray[np.int64]) -> float:
    """Return by what thresholds on differences shrink in a dim photo: 1 from a range of 128 grey levels on."""
    shares = counts.cumsum() / counts.sum()
    darkest, brightest = np.searchsorted(shares, (0.005, 0.995))
    return float(np.clip((brightest - darkest) / _FULL_CONTRAST, _LEAST_CONTRAST, 1))


def _tile_sums(values: Plane) -> NDArray[np.float32]:
    rows = np.add.reduceat(values, np.arange(0, values.shape[0], _TILE), axis=0)
    return np.add.reduceat(rows, np.arange(0, values.shape[1], _TILE), axis=1)


def _tile_deviations(values: Plane, sizes: Plane) -> Plane:
    centred = values - values.mean()
    means = _tile_sums(centred) / sizes
    np.multiply(centred, centred, out=centred)
    return np.sqrt(np.maximum(0, _tile_sums(centred) / sizes - means * means))


def _sharp_pixels(strength: Plane, threshold: float) -> Plane:
    """Return per tile how many pixels are sharp: 5 × 5 mean of logarithms, threshold, 5 × 5 median."""
    # Strengths below 1 are rounding. The floor moves with small thresholds, or nothing would be soft.
    np.maximum(strength, min(1.0, threshold / 4.6), out=strength)
    sharp = _five_by_five(np.log(strength, out=strength)) > np.float32(25 * np.log(threshold))
    # The median of a plane, cut at a threshold, is what most of the cut plane say.
    return _tile_sums((_five_by_five(sharp.view(np.uint8)) >= 13).astype(np.float32))


def _five_by_five(values: NDArray[Number]) -> NDArray[Number]:
    """Return sums over 5 × 5 pixels, the edge repeated."""
    for _ in range(2):
        wide = np.pad(values, ((2, 2), (0, 0)), mode="edge")
        total = wide[:-4] + wide[1:-3]
        for start in (2, 3, 4):
            total += wide[start : start + values.shape[0]]
        values = total.T
    return values


def _along_least_change(values: Plane, judged: NDArray[np.bool_]) -> Plane:
    """Return |second derivative| along the direction in which the judged tiles change least, on the Laplacian's scale.

    The direction is the weak axis of the mean structure tensor, in which each tile counts the same.
    """
    soft = values
    for _ in range(2):
        wide = np.pad(soft, ((1, 1), (0, 0)), mode="reflect")
        total = wide[:-2] + wide[2:]
        total += 2 * soft
        soft = (total * np.float32(0.25)).T
    wide = np.pad(soft, 1, mode="reflect")
    left, right, above, below = wide[1:-1, :-2], wide[1:-1, 2:], wide[:-2, 1:-1], wide[2:, 1:-1]
    across, down = right - left, below - above
    tensor = np.stack([_tile_sums(part) for part in (across * across, down * down, across * down)])
    tensor = (tensor / (tensor[0] + tensor[1] + 1e-6))[:, judged].sum(axis=1)
    angle = (np.arctan2(2 * tensor[2], tensor[0] - tensor[1]) + np.pi) / 2
    cosine, sine = np.cos(angle), np.sin(angle)
    twice = 2 * soft
    change = np.float32(2 * cosine**2) * (left + right - twice)
    change += np.float32(2 * sine**2) * (above + below - twice)
    change += np.float32(cosine * sine) * (wide[2:, 2:] + wide[:-2, :-2] - wide[2:, :-2] - wide[:-2, 2:])
    return np.abs(change, out=change)
