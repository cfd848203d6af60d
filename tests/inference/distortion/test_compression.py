import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from inference.distortion.combine import distortions_measure
from inference.distortion.compression import block_excess, compression_score
from tests.inference.distortion.conftest import bundled


def reference_excess(native: np.ndarray) -> float:
    """Return the block excess, computed one pixel at a time."""
    excess = total = 0.0
    for plane in (native.tolist(), native.T.tolist()):
        means = []
        for phase in range(8):
            lines = []
            for position in range(phase, len(plane[0]) - 1, 8):
                lines.append(sum(abs(row[position + 1] - row[position]) for row in plane) / len(plane))
            lines = sorted(lines)[: len(lines) - math.ceil(len(lines) / 10)]
            means.append(sum(lines) / len(lines))
        means.sort()
        excess, total = excess + means[-1] - means[-2], total + sum(means)
    return excess / total


def compressed(photo: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def test_scores_of_known_blocks() -> None:
    blocks = np.kron(np.random.default_rng(0).integers(0, 256, (6, 7)), np.ones((8, 8))).astype(np.uint8)
    assert block_excess(blocks) == 1  # all changes are at the borders of blocks
    assert compression_score(blocks) == pytest.approx(25 * 0.98 / (25 * 0.98 + 0.02))
    striped = np.tile(np.array([0, 10] * 20, dtype=np.uint8), (40, 1))
    assert block_excess(striped) == 0
    # All positions change by 1, one of them by 4.
    slope = np.cumsum([4 if position % 8 == 7 else 1 for position in range(79)])
    rows = np.tile(np.append(0, slope).astype(np.uint8), (20, 1))
    assert block_excess(rows) == pytest.approx(3 / 11)
    edge = 3 / 11 - 0.02
    assert compression_score(rows) == pytest.approx(25 * edge / (25 * edge + 1 - edge))


@given(st.integers(24, 100), st.integers(24, 50), st.integers(0))
@settings(max_examples=25)
def test_excess_agrees_with_a_slow_reference(height: int, width: int, seed: int) -> None:
    native = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    assert block_excess(native) == pytest.approx(reference_excess(native))


def test_pictures_with_fewer_than_three_blocks_per_side_score_zero() -> None:
    for shape in ((1, 1), (9, 23), (3, 5)):
        assert compression_score(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)) == 0


@given(st.integers(0, 7), st.integers(0, 7))
@settings(max_examples=8)
def test_cropping_and_rotating_do_not_hide_blocks(left: int, top: int) -> None:
    grey = np.asarray(compressed(bundled("chelsea.png", 300), 10).convert("L"))
    whole = compression_score(grey)
    assert compression_score(grey[top:, left:]) == pytest.approx(whole, abs=0.04)
    assert compression_score(np.rot90(grey)) == pytest.approx(whole)


def test_blocks_of_a_downscaled_photo_are_found_in_its_original_pixels() -> None:
    photo = bundled("chelsea.png").resize((1600, 1200), Image.Resampling.BICUBIC)
    scores = [distortions_measure(compressed(photo, quality)).compression for quality in (90, 20, 10, 5)]
    assert scores == sorted(scores)
    assert scores[0] < 0.2
    assert scores[-1] > 0.8


def test_plain_borders_and_blur_are_not_compression() -> None:
    paper = Image.new("RGB", (400, 300), "white")
    paper.paste(bundled("coffee.png", 120), (130, 90))
    assert distortions_measure(paper).compression < 0.1
    assert distortions_measure(bundled("coffee.png").filter(ImageFilter.GaussianBlur(4))).compression < 0.1
