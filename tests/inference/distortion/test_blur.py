import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from scipy import ndimage

from inference.distortion.blur import blur_score, laplacian, laplacian_variance
from inference.distortion.combine import distortions_measure
from tests.inference.distortion.conftest import bundled, drawn


def score(grey: np.ndarray, noise: float = 0.0) -> float:
    return blur_score(grey, np.bincount(grey.ravel(), minlength=256), laplacian(grey), noise)


def reference_defocus(grey: np.ndarray) -> float:
    """Return the defocus of a photo with full contrast and without noise, computed by SciPy in double precision."""
    values = grey.astype(np.float64)
    strength = np.log(np.maximum(np.abs(ndimage.laplace(values, mode="mirror")), 1)) / np.log(30)
    mean = ndimage.uniform_filter(strength, 5, mode="mirror")
    sharp = ndimage.median_filter(mean, size=5, mode="mirror") > 115 / 255
    wide = np.pad(values, 1, mode="reflect")
    change = np.abs(wide[1:-1, 2:] - wide[1:-1, :-2]) / 2 + np.abs(wide[2:, 1:-1] - wide[:-2, 1:-1]) / 2
    structured = ndimage.uniform_filter(change, 5, mode="mirror") > 3
    blurred = counted = 0.0
    for top in range(0, grey.shape[0], 40):
        for left in range(0, grey.shape[1], 40):
            tile = np.s_[top : top + 40, left : left + 40]
            if values[tile].std() >= 10:
                share = sharp[tile].mean() / max(0.1, structured[tile].mean())
                blurred += values[tile].size * max(0.0, 1 - share / 0.5)
                counted += values[tile].size
    return blurred / counted


def test_the_laplacian_of_a_step() -> None:
    # A step of 10 between columns 1 and 2. The padding mirrors the picture without repeating its edge.
    step = np.array([[0, 0, 10, 10]] * 3, dtype=np.uint8)
    assert laplacian(step).tolist() == [[0, 10, -10, 0]] * 3
    assert laplacian_variance(laplacian(step)) == 50
    assert laplacian(np.array([[7]], dtype=np.uint8)).tolist() == [[0]]


@given(st.integers(2, 40), st.integers(2, 40), st.integers(0))
@settings(max_examples=25)
def test_the_laplacian_agrees_with_scipy(height: int, width: int, seed: int) -> None:
    grey = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    expected = ndimage.laplace(grey.astype(np.float64), mode="mirror")
    np.testing.assert_array_equal(laplacian(grey), expected)
    assert laplacian_variance(laplacian(grey)) == pytest.approx(expected.var(), rel=1e-5)


@pytest.mark.parametrize("sigma", [0, 1, 2, 4])
@pytest.mark.parametrize("name", ["astronaut.png", "rocket.jpg", "motorcycle_left.png"])
def test_blur_in_all_directions_agrees_with_a_slow_reference(name: str, sigma: float) -> None:
    grey = np.asarray(bundled(name, 300).convert("L").filter(ImageFilter.GaussianBlur(sigma)))
    # The score is the larger of defocus and motion blur. Gaussian blur gives little motion blur.
    found, expected = score(grey), reference_defocus(grey)
    assert found >= expected - 0.005
    if expected > 0.2:
        assert found == pytest.approx(expected, abs=0.1)


def test_scores_of_a_checkerboard_and_a_ramp() -> None:
    # Left half: squares of 4 pixels, all sharp. Right half: a soft ramp with contrast, all blurred.
    squares = (np.indices((80, 80)) // 4).sum(axis=0) % 2 * 200 + 20
    ramp = np.tile(np.linspace(20, 220, 80), (80, 1))
    assert score(squares.astype(np.uint8)) == 0
    assert score(ramp.astype(np.uint8)) == 1
    # The border between the halves is sharp.
    assert score(np.hstack([squares, ramp]).astype(np.uint8)) == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize("angle", range(0, 180, 20))
def test_motion_blur_is_found_in_every_direction(angle: int) -> None:
    grey = np.asarray(drawn(240).convert("L"))
    kernel = np.zeros((25, 25))
    for offset in np.linspace(-12, 12, 97):
        row, column = (12 + offset * function(math.radians(angle)) for function in (math.sin, math.cos))
        kernel[round(row), round(column)] += 1
    smeared = ndimage.convolve(grey.astype(np.float64), kernel / kernel.sum(), mode="mirror")
    assert score(grey) < 0.3
    assert score(smeared.clip(0, 255).astype(np.uint8)) > 0.6


@given(st.sampled_from(["astronaut.png", "coffee.png", "motorcycle_left.png"]), st.floats(0.3, 6))
@settings(max_examples=15)
def test_more_blur_gives_a_higher_score(name: str, sigma: float) -> None:
    grey = bundled(name, 250).convert("L")
    less, more = (np.asarray(grey.filter(ImageFilter.GaussianBlur(width))) for width in (sigma, 1.5 * sigma))
    assert score(more) >= score(less) - 0.01


def test_a_dim_photo_is_as_sharp_as_a_bright_one() -> None:
    photo = bundled("rocket.jpg", 300)
    dim = photo.point([value // 3 for value in range(256)] * 3)
    assert distortions_measure(dim).blur == pytest.approx(distortions_measure(photo).blur, abs=0.1)


def test_a_soft_ramp_is_blurred_and_a_flat_picture_is_not() -> None:
    soft = np.tile(np.linspace(0, 255, 1000), (200, 1)).astype(np.uint8)
    assert score(soft) == 1
    assert score(np.full((200, 300), 90, dtype=np.uint8)) == 0


def test_a_soft_background_behind_a_sharp_subject_is_not_blur() -> None:
    paper = Image.new("L", (400, 400), 245)
    paper.paste(drawn(160).convert("L"), (120, 120))
    assert score(np.asarray(paper)) < 0.2
