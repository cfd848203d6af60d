"""Blur: the share of a photo's textured tiles with few sharp pixels, in all directions or in one direction."""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Strip = NDArray[np.float32]
Number = TypeVar("Number", np.float32, np.uint8)

_TILE = 40
#: Pixels that a mean and a median of 5 × 5 need around them.
_MARGIN = 4
#: Pixels processed at a time. More do not fit the cache; fewer cost time between steps when threads run in parallel.
_STRIP = 120_000
#: Tiles with a smaller standard deviation of grey values are ignored: they say nothing about sharpness.
_FLAT = 10.0
#: A pixel is soft if the mean of ln |L| / ln 30 over 5 × 5 pixels is at most this; |L| is then about 4.6.
_SOFT = 115 / 255
#: Share of sharp pixels from which a tile counts as sharp: among pixels with structure; for motion blur, among all.
_FOCUSED_SHARE = 0.5
_STEADY_SHARE = 0.1
#: A pixel has structure if grey values change by this much per pixel, horizontally and vertically together; the
#: smallest share of such pixels that is assumed for a tile.
_STRUCTURE = 3.0
_LEAST_STRUCTURE = 0.1
#: Share of the noise's standard deviation in |L| that is added to the threshold.
_NOISE_SHARE = 0.5
#: Below this range of grey levels, thresholds shrink with the range; and the smallest factor.
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

    The photo is divided into tiles of 40 × 40 pixels. Tiles with a standard deviation of 10 or more are textured; the
    others are ignored. A pixel is sharp if most of its 5 × 5 neighbours have a mean strength ln(max(|L|, 1)) / ln 30
    above 115/255, where L is the Laplacian. A pixel has structure if the values around it change by 3 grey levels per
    pixel (5 × 5 mean). f = sharp pixels / pixels with structure. The defocus of a tile is max(0, 1 − f/.5); that of the
    photo is the mean over textured tiles.

    Motion blur is measured in the same way, with the second derivative along the direction in which the photo changes
    least, on pixels smoothed by (1, 2, 1)/4 in both directions. Here f = sharp pixels / all pixels of the tile, and the
    blur is max(0, 1 − f/.1). The score is the larger mean.

    Differences from the usual measure, with reasons. The usual measure counts soft pixels, also in smooth parts of
    sharp tiles; so it called a quarter of the textured area of untouched photos blurred. Motion is usually found from
    line segments of the Laplacian; the direction of least change needs no search. Noise makes every pixel look sharp,
    so the threshold is √(4.6² + .5² · 20 V) with the noise variance V (the Laplacian multiplies it by 20; V itself for
    the smoothed derivative). Dim photos have small differences, so below a range of 128 grey levels all thresholds
    shrink with the range. A photo with contrast but without textured tiles is blurred.
    """
    contrast = _contrast(counts)
    values, soft = np.pad(grey, _MARGIN, mode="reflect"), _smoothed(grey)
    sizes, deviations = _tile_deviations(values)
    textured = sizes * (deviations >= _FLAT * contrast)
    total = textured.sum()
    if not total:
        return float(grey.std() >= _FLAT * contrast)
    threshold = 30**_SOFT * contrast

    def blurred(strips: Iterator[Strip], noise: float, enough: NDArray[np.float64]) -> float:
        sharp = _sharp_pixels(strips, float(np.hypot(threshold, _NOISE_SHARE * noise)))
        return float((textured * np.maximum(0, 1 - sharp / enough)).sum() / total)

    noise = noise_variance**0.5
    structured = np.maximum(_structured_pixels(values, _STRUCTURE * contrast), _LEAST_STRUCTURE * sizes)
    defocus = blurred(_strips(np.pad(second, _MARGIN, mode="reflect")), 20**0.5 * noise, _FOCUSED_SHARE * structured)
    changes = _changes(soft, _direction_of_least_change(soft, textured > 0))
    return max(defocus, blurred(changes, noise, _STEADY_SHARE * sizes))


def _contrast(counts: NDArray[np.int64]) -> float:
    """Return the factor for thresholds on differences: 1 from a range of 128 grey levels on, less in dim photos."""
    shares = counts.cumsum() / counts.sum()
    darkest, brightest = np.searchsorted(shares, (0.005, 0.995))
    return float(np.clip((brightest - darkest) / _FULL_CONTRAST, _LEAST_CONTRAST, 1))


def _strips(wide: NDArray[np.uint8] | NDArray[np.int16], margin: int = _MARGIN) -> Iterator[Strip]:
    """Yield a padded plane in strips of whole tiles, each with its margin all around."""
    rows = _TILE * max(1, round(_STRIP / wide.shape[1] / _TILE))
    for top in range(0, wide.shape[0] - 2 * margin, rows):
        yield wide[top : top + rows + 2 * margin].astype(np.float32)


def _tile_sums(strip: Strip | NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the sums over the tiles of a strip, [tiles down, tiles across]."""
    kind = np.uint8 if strip.dtype == np.bool_ else np.float32  # no more than 40 values
    columns = np.add.reduceat(strip, np.arange(0, strip.shape[0], _TILE), axis=0, dtype=kind)
    return np.add.reduceat(columns, np.arange(0, strip.shape[1], _TILE), axis=1, dtype=np.float64)


def _tile_deviations(wide: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return per tile the number of pixels and the standard deviation of their values."""
    rows = []
    for strip in _strips(wide):
        inner = strip[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
        rows.append([_tile_sums(np.ones_like(inner)), _tile_sums(inner), _tile_sums(inner * inner)])
    sizes, sums, squares = np.concatenate(rows, axis=1)
    return sizes, np.sqrt(np.maximum(0, squares / sizes - (sums / sizes) ** 2))


def _structured_pixels(wide: NDArray[np.uint8], least: float) -> NDArray[np.float64]:
    """Return per tile how many pixels have values around them that change by more than `least` a pixel."""
    rows = []
    for strip in _strips(wide):
        inner = strip[1:-1, 1:-1]
        change = np.abs(inner[1:-1, 2:] - inner[1:-1, :-2]) + np.abs(inner[2:, 1:-1] - inner[:-2, 1:-1])
        rows.append(_tile_sums(_five_by_five(change) > np.float32(25 * 2 * least)))
    return np.concatenate(rows)


def _sharp_pixels(strips: Iterator[Strip], threshold: float) -> NDArray[np.float64]:
    """Return per tile how many pixels are sharp: 5 × 5 mean of logarithms, threshold, 5 × 5 median."""
    floor, limit = np.float32(min(1.0, threshold / 4.6)), np.float32(25 * np.log(threshold))
    rows = []
    for strip in strips:
        strength = np.abs(strip, out=strip)
        np.maximum(strength, floor, out=strength)  # smaller values are rounding errors
        sharp = _five_by_five(np.log(strength, out=strength)) > limit
        # The median of a thresholded plane is the majority.
        rows.append(_tile_sums(_five_by_five(sharp.view(np.uint8)) >= 13))
    return np.concatenate(rows)


def _five_by_five(values: NDArray[Number]) -> NDArray[Number]:
    """Return sums over 5 × 5 pixels, two pixels less on each side."""
    total = values[:-4] + values[1:-3]
    for start in (2, 3, 4):
        total += values[start : total.shape[0] + start]
    values = total
    total = values[:, :-4] + values[:, 1:-3]
    for start in (2, 3, 4):
        total += values[:, start : total.shape[1] + start]
    return total


def _smoothed(grey: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return 16 times the values smoothed by (1, 2, 1)/4 both ways, exact, with the margin that later steps need."""
    wide = np.pad(grey.astype(np.int16), _MARGIN + 2, mode="reflect")
    wide = wide[:-2] + 2 * wide[1:-1] + wide[2:]
    return wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]


def _direction_of_least_change(soft: NDArray[np.int16], textured: NDArray[np.bool_]) -> float:
    """Return an angle in radians: the weak axis of the mean structure tensor, in which each tile counts the same."""
    rows = []
    for strip in _strips(soft, _MARGIN + 1):
        inner = strip[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
        across, down = inner[1:-1, 2:] - inner[1:-1, :-2], inner[2:, 1:-1] - inner[:-2, 1:-1]
        rows.append([_tile_sums(across * across), _tile_sums(down * down), _tile_sums(across * down)])
    tensor = np.concatenate(rows, axis=1)
    along, down, both = (tensor / (tensor[0] + tensor[1] + 1))[:, textured].sum(axis=1)
    return float(np.arctan2(2 * both, along - down) + np.pi) / 2


def _changes(soft: NDArray[np.int16], angle: float) -> Iterator[Strip]:
    """Yield second derivatives along an angle in strips, on the Laplacian's scale."""
    cosine, sine = np.cos(angle), np.sin(angle)
    columns, rows, both = (np.float32(x / 16) for x in (2 * cosine**2, 2 * sine**2, cosine * sine))
    for strip in _strips(soft, _MARGIN + 1):
        twice = 2 * strip[1:-1, 1:-1]
        change = columns * (strip[1:-1, 2:] + strip[1:-1, :-2] - twice)
        change += rows * (strip[2:, 1:-1] + strip[:-2, 1:-1] - twice)
        change += both * (strip[2:, 2:] + strip[:-2, :-2] - strip[2:, :-2] - strip[:-2, 2:])
        yield change
