import numpy as np
import pytest
from PIL import Image

from inference.distortion.preprocess import planes_of
from tests.inference.distortion.conftest import bundled


@pytest.mark.parametrize(
    ("size", "expected"),
    [((2048, 1000), (1024, 500)), ((30, 3000), (10, 1024)), ((1, 5000), (1, 1024)), ((1024, 9), (1024, 9))],
)
def test_the_long_side_is_reduced_to_1024_and_never_enlarged(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert planes_of(Image.new("RGB", size)).grey.shape == expected[::-1]


def test_small_photos_keep_their_pixels_and_are_converted_once() -> None:
    photo = bundled("coffee.png", 200)
    planes = planes_of(photo)
    np.testing.assert_array_equal(planes.grey, np.asarray(photo.convert("L")))
    assert planes.native is planes.grey


def test_large_photos_keep_the_original_pixels_of_their_centre() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1100, 1300), dtype=np.uint8)
    planes = planes_of(Image.fromarray(pixels))
    np.testing.assert_array_equal(planes.native, pixels[38 : 38 + 1024, 138 : 138 + 1024])


def test_counts_are_of_grey_and_of_the_brightest_channel() -> None:
    photo = bundled("coffee.png", 200)
    planes = planes_of(photo)
    np.testing.assert_array_equal(planes.grey_counts, np.bincount(planes.grey.ravel(), minlength=256))
    brightest = np.asarray(photo).max(axis=2)
    np.testing.assert_array_equal(planes.brightest_counts, np.bincount(brightest.ravel(), minlength=256))


def test_floating_point_pictures_are_clipped_to_0_to_255() -> None:
    values = np.array([[-5.0, 12.7, 300.0, np.nan]], dtype=np.float32)
    assert planes_of(Image.fromarray(values)).grey.tolist() == [[0, 12, 255, 0]]
