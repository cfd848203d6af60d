import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.distortion.exposure import exposure_score


def counts(**pixels: int) -> np.ndarray:
    """Return the counts of pixels by value: counts(v255=3) is three white pixels."""
    result = np.zeros(256, dtype=np.int64)
    for value, number in pixels.items():
        result[int(value[1:])] += number
    return result


@pytest.mark.parametrize(
    ("pixels", "score"),
    [
        ({"v128": 10}, 0),
        ({"v255": 10}, 1),  # fully clipped pixels count
        ({"v0": 10}, 1),
        ({"v255": 2, "v250": 4, "v100": 10}, (3 * 2 + 4) / (3 * 2 + 4 + 10)),
        ({"v5": 1, "v20": 2, "v40": 3, "v100": 11}, (15 + 12 + 6) / (15 + 12 + 6 + 11)),
        ({"v5": 10, "v200": 10}, 150 / (150 + 600)),  # black pixels count less beside bright pixels
        ({"v253": 5, "v254": 5, "v14": 2, "v244": 8}, 20 / 30),
    ],
)
def test_scores_of_known_pixels(pixels: dict[str, int], score: float) -> None:
    assert exposure_score(counts(**pixels)) == pytest.approx(score)


@given(st.lists(st.integers(0, 255), min_size=1, max_size=60), st.integers(0, 255))
def test_brighter_pixels_never_lower_overexposure_nor_raise_underexposure(values: list[int], gain: int) -> None:
    def score(pixels: np.ndarray) -> float:
        return exposure_score(np.bincount(pixels, minlength=256))

    before = np.array(values)
    after = np.minimum(255, before + gain)
    bright = np.append(np.full(before.size * 20, 200), before)  # with many bright pixels, only overexposure counts
    dark = np.append(np.full(before.size * 20, 50), before)
    assert score(np.minimum(255, bright + gain)) >= score(bright) - 1e-12 or score(bright) < 0.25
    if (after < 245).all():  # then only underexposure counts
        assert score(np.append(dark[: before.size * 20], after)) <= score(dark) + 1e-12
