import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.distortion.noise import noise_score, noise_variance
from tests.inference.distortion.conftest import bundled

ROWS = np.array([[0.5] * 4, [0.5, 0.5, -0.5, -0.5], [0.5**0.5, -(0.5**0.5), 0, 0], [0, 0, 0.5**0.5, -(0.5**0.5)]])


def reference_variance(grey: np.ndarray) -> float:
    """Return the noise variance from all 15 bands of the published filter bank and a line fitted by NumPy."""
    windows = np.lib.stride_tricks.sliding_window_view(grey.astype(np.float64), (4, 4))
    roots, inverses = [3.0], [0.0]
    for row in range(4):
        for column in range(4):
            if row or column:
                band = np.einsum("ijkl,kl->ij", windows, np.outer(ROWS[row], ROWS[column]))
                variance = band.var()
                kurtosis = ((band - band.mean()) ** 4).mean() / variance**2 - 3
                roots.append(np.sqrt(max(0, kurtosis)))
                inverses.append(1 / variance)
    slope, intercept = np.polyfit(inverses, roots, 1)
    return max(0.0, -slope / intercept)


def noisy(plane: np.ndarray, deviation: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, deviation, plane.shape)
    return (plane + noise).clip(0, 255).round().astype(np.uint8)


@pytest.mark.parametrize(("variance", "score"), [(0, 0), (2, 0.1), (18, 0.5), (162, 0.9)])
def test_scores_of_known_variances(variance: float, score: float) -> None:
    assert noise_score(variance) == pytest.approx(score)


def test_the_score_is_the_logistic_function_of_the_logarithm() -> None:
    assert noise_score(77.0) == pytest.approx(1 / (1 + np.exp(-(np.log(77) - np.log(18)))))


@pytest.mark.parametrize("deviation", [3, 8, 20])
@pytest.mark.parametrize("name", ["astronaut.png", "coffee.png"])
def test_variance_agrees_with_the_published_filter_bank(name: str, deviation: float) -> None:
    grey = noisy(np.asarray(bundled(name, 250).convert("L"), dtype=np.float64), deviation)
    # The detector uses one filter for rows three and four, which differ in two pixels at the borders.
    assert noise_variance(grey) == pytest.approx(reference_variance(grey), rel=0.03, abs=0.5)


@pytest.mark.parametrize("deviation", [8, 12, 20, 30])
@pytest.mark.parametrize("name", ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png"])
def test_known_noise_on_photos_is_found(name: str, deviation: float) -> None:
    grey = noisy(np.asarray(bundled(name, 250).convert("L"), dtype=np.float64), deviation)
    assert noise_variance(grey) == pytest.approx(deviation**2, rel=0.45)


def test_pure_noise_is_found() -> None:
    for deviation in (2, 10, 30):
        assert noise_variance(noisy(np.full((200, 200), 128.0), deviation)) == pytest.approx(deviation**2, rel=0.1)


@given(st.sampled_from(["chelsea.png", "coffee.png", "rocket.jpg"]), st.integers(0, 1000), st.floats(4, 30))
@settings(max_examples=20)
def test_more_noise_gives_a_higher_variance(name: str, seed: int, deviation: float) -> None:
    plane = np.asarray(bundled(name, 200).convert("L"), dtype=np.float64)
    assert noise_variance(noisy(plane, deviation, seed)) < noise_variance(noisy(plane, 1.3 * deviation, seed))


def test_flat_and_tiny_pictures_have_no_noise() -> None:
    for shape in ((1, 1), (4, 100), (100, 4), (5, 5), (80, 80)):
        assert noise_variance(np.full(shape, 77, dtype=np.uint8)) == 0
    gradient = np.tile(np.arange(200, dtype=np.uint8), (50, 1))
    assert noise_variance(gradient) == 0


def test_a_rotated_photo_has_the_same_noise() -> None:
    grey = noisy(np.asarray(bundled("rocket.jpg", 300).convert("L"), dtype=np.float64), 9)
    assert noise_variance(np.ascontiguousarray(grey[::-1, ::-1])) == pytest.approx(noise_variance(grey), rel=0.05)
