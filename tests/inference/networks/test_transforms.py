import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inference.networks.transforms import pixels


@given(st.integers(1, 90), st.integers(1, 90))
@settings(max_examples=30)
def test_every_size_becomes_the_square_that_the_network_sees(width: int, height: int) -> None:
    seen = pixels(Image.new("RGB", (width, height), (200, 100, 7)), 32)
    assert (seen.shape, seen.dtype) == ((32, 32, 3), np.uint8)
    assert (seen == (200, 100, 7)).all()


def test_nothing_is_cropped_at_the_long_side() -> None:
    photo = np.zeros((32, 320, 3), dtype=np.uint8)
    photo[:, :20] = (255, 0, 0)
    photo[:, -20:] = (0, 0, 255)
    seen = pixels(Image.fromarray(photo), 32)
    assert seen[16, 0].tolist() == [255, 0, 0]
    assert seen[16, -1].tolist() == [0, 0, 255]


def test_fine_stripes_become_grey_and_no_moire() -> None:
    stripes = np.zeros((256, 256, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    seen = pixels(Image.fromarray(stripes), 32)[:, 2:-2]  # at the edges the filter has less to average
    assert np.abs(seen.astype(int) - 127).max() <= 3
