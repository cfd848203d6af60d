import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inference.networks.transforms import pixels


@given(st.integers(1, 90), st.integers(1, 90))
@settings(max_examples=30)
def test_photos_of_every_size_become_the_input_square(width: int, height: int) -> None:
    resized = pixels(Image.new("RGB", (width, height), (200, 100, 7)), 32)
    assert (resized.shape, resized.dtype) == ((32, 32, 3), np.uint8)
    assert (resized == (200, 100, 7)).all()


def test_the_long_side_is_not_cropped() -> None:
    photo = np.zeros((32, 320, 3), dtype=np.uint8)
    photo[:, :20] = (255, 0, 0)
    photo[:, -20:] = (0, 0, 255)
    resized = pixels(Image.fromarray(photo), 32)
    assert resized[16, 0].tolist() == [255, 0, 0]
    assert resized[16, -1].tolist() == [0, 0, 255]


def test_fine_stripes_become_grey_without_moire() -> None:
    stripes = np.zeros((256, 256, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    resized = pixels(Image.fromarray(stripes), 32)[:, 2:-2]  # at the edges the filter averages fewer pixels
    assert np.abs(resized.astype(int) - 127).max() <= 3
