"""The four detectors together: which degradations each one finds, and the quality computed from all four."""

import io
from collections.abc import Callable, Iterable
from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inference.distortion.combine import DistortionScores, distortions_measure, quality_class_of, quality_of
from tests.inference.distortion.conftest import bundled, degraded

DETECTOR_OF = {
    "blur": "blur",
    "motion blur": "blur",
    "downscaling": "blur",
    "noise": "noise",
    "compression": "compression",
    "underexposure": "exposure",
    "overexposure": "exposure",
}
DETECTORS = ("blur", "noise", "exposure", "compression")
Scores = Callable[[str, str], np.ndarray]
unit = st.floats(0, 1)


@pytest.mark.parametrize("degradation", DETECTOR_OF)
def test_the_score_of_a_detector_rises_with_the_grade_of_its_degradation(scores_of: Scores, degradation: str) -> None:
    scores = scores_of(DETECTOR_OF[degradation], degradation)
    steps = np.diff(scores, axis=1)
    # The first grade may improve photos that are too bright or too dark.
    assert (steps[:, 1 if DETECTOR_OF[degradation] == "exposure" else 0 :] >= -0.005).all(), scores.round(3)
    assert (scores[:, 4] - scores[:, 0] > 0.45).all(), scores.round(3)
    assert ((scores[:, 4] > scores[:, 2]) | (scores[:, 2] > 0.99)).all(), scores.round(3)


@pytest.mark.parametrize("degradation", DETECTOR_OF)
def test_the_scores_of_other_detectors_rise_less(scores_of: Scores, degradation: str) -> None:
    rises = {detector: np.median(np.ptp(scores_of(detector, degradation)[:, [0, 4]], axis=1)) for detector in DETECTORS}
    own = rises.pop(DETECTOR_OF[degradation])
    assert own > 2 * max(rises.values()), (own, rises)


@pytest.mark.parametrize("degradation", DETECTOR_OF)
def test_quality_falls_with_every_degradation(scores_of: Scores, degradation: str) -> None:
    quality = scores_of("quality", degradation)
    assert (quality[:, 0] > 60).all()
    assert (quality[:, 4] < quality[:, 0] - 10).all()
    assert (np.median(quality[:, 2:], axis=0) < np.median(quality[:, 0])).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LA", "La", "PA", "I", "I;16", "F", "YCbCr"])
@pytest.mark.parametrize("size", [(1, 1), (300, 1), (2, 3), (9, 9), (41, 39)])
def test_any_mode_and_any_size_is_measured(mode: str, size: tuple[int, int]) -> None:
    check_ranges(distortions_measure(Image.new(mode, size)))


@given(
    st.integers(1, 90), st.integers(1, 90), st.sampled_from([(0, 256), (0, 2), (120, 124), (250, 256)]), st.integers(0)
)
@settings(max_examples=60)
def test_scores_are_in_range_and_always_the_same(height: int, width: int, values: tuple[int, int], seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(*values, (height, width, 3), dtype=np.uint8)
    found = distortions_measure(Image.fromarray(pixels))
    check_ranges(found)
    assert astuple(found) == astuple(distortions_measure(Image.fromarray(pixels)))


def check_ranges(found: DistortionScores) -> None:
    *scores, sharpness, quality, quality_class = astuple(found)
    assert all(type(score) is float and 0 <= score <= 1 for score in scores)
    assert type(sharpness) is float
    assert sharpness >= 0
    assert type(quality) is float
    assert 0 <= quality <= 100
    assert quality_class in {"rejected", "pending", "accepted"}


def test_a_flat_picture_has_no_distortion_except_exposure() -> None:
    grey = distortions_measure(Image.new("RGB", (200, 100), (128, 128, 128)))
    assert astuple(grey) == (0, 0, 0, 0, 0, 100, "accepted")
    for value in (0, 255):
        assert distortions_measure(Image.new("L", (200, 100), value)) == replace(
            grey, exposure=1.0, quality=quality_of((0, 0, 1, 0)), quality_class="pending"
        )


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "WEBP"])
def test_the_file_format_does_not_matter(file_format: str) -> None:
    photo, buffer = bundled("coffee.png", 200), io.BytesIO()
    photo.save(buffer, file_format, **({"lossless": True} if file_format == "WEBP" else {}))
    assert distortions_measure(Image.open(buffer)) == distortions_measure(photo)


def test_transparent_16_bit_and_palette_pictures_are_measured_as_they_are_displayed() -> None:
    photo = bundled("coffee.png", 200)
    grey = photo.convert("L")
    sixteen_bit = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    assert sixteen_bit.mode == "I;16"
    assert distortions_measure(sixteen_bit) == distortions_measure(grey)
    transparent = photo.copy()
    transparent.putalpha(0)
    assert distortions_measure(transparent) == distortions_measure(Image.new("RGB", photo.size, "white"))
    palette = photo.quantize(200)
    assert distortions_measure(palette) == distortions_measure(palette.convert("RGB"))


def test_two_distortions_at_once_are_both_found() -> None:
    photo = bundled("motorcycle_left.png")
    both = distortions_measure(degraded(degraded(photo, "blur", 4), "compression", 3))
    assert min(both.blur, both.compression) > 0.5
    dark = distortions_measure(degraded(degraded(photo, "blur", 4), "underexposure", 4))
    assert min(dark.blur, dark.exposure) > 0.8
    assert dark.quality_class in {"pending", "rejected"}


def test_a_little_noise_does_not_hide_blur() -> None:
    blurred = degraded(bundled("motorcycle_left.png"), "blur", 3)
    clean = distortions_measure(blurred).blur
    pixels = np.asarray(blurred).astype(np.float64)
    for deviation in (2, 5, 10):
        noise = np.random.default_rng(0).normal(0, deviation, (*pixels.shape[:2], 1))
        noisy = Image.fromarray((pixels + noise).clip(0, 255).round().astype(np.uint8))
        assert distortions_measure(noisy).blur > clean - 0.2


@pytest.mark.parametrize(
    ("scores", "quality", "quality_class"),
    [
        ((0, 0, 0, 0), 100, "accepted"),
        ((0.4, 0.4, 0.4, 0.4), 60, "pending"),
        ((0.8, 0.4, 0.2, 0.0), 65, "accepted"),
        ((0.9, 0, 0, 0), 77.5, "accepted"),  # 1 − .9/4: not above .9
        ((1, 0, 0, 0), 100 * 3 / 23, "pending"),
        ((1, 1, 0.5, 0), 100 * (1 - 40.5 / 42), "rejected"),
        ((1, 1, 1, 1), 0, "rejected"),
    ],
)
def test_quality_of_known_scores(scores: Iterable[float], quality: float, quality_class: str) -> None:
    assert quality_of(tuple(scores)) == pytest.approx(quality)
    assert quality_class_of(quality_of(tuple(scores))) == quality_class


@given(st.tuples(unit, unit, unit, unit), st.integers(0, 3), unit)
def test_quality_never_rises_when_a_score_does(
    scores: tuple[float, float, float, float], index: int, other: float
) -> None:
    worse = list(scores)
    worse[index] = max(scores[index], other)
    assert quality_of(worse) <= quality_of(scores) + 1e-9


def test_a_second_distortion_that_becomes_severe_does_not_raise_the_quality() -> None:
    assert quality_of((1, 0.905, 0, 0)) <= quality_of((1, 0.895, 0, 0))


def test_classes_change_at_10_and_60() -> None:
    assert [quality_class_of(quality) for quality in (0, 10, 10.01, 60, 60.01, 100)] == [
        *("rejected", "rejected", "pending", "pending", "accepted", "accepted")
    ]
