"""Features of photos as people see them: upright, in the colours of the file's profile."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from inference.networks.transforms import pixels
from inference.scoring.pipeline import PhotoResult, photos_extract
from tests.annotation.bad_files import encoded, scene
from tests.annotation.photos import profiles as icc

# How a camera stores an upright picture for each orientation.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


class PixelsAsFeatures:
    """A network whose features are its input, so that a test sees every difference of the pixels."""

    side = 32

    def prepare(self, picture: Image.Image) -> NDArray[np.uint8]:
        return pixels(picture, self.side)

    def features(self, pixels: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        return np.stack(pixels).reshape(len(pixels), -1).astype(np.float32)


def extract(*files: bytes) -> list[PhotoResult]:
    batches = photos_extract([files], source=io.BytesIO, network=PixelsAsFeatures(), max_pixels=2_000_000, threads=1)
    return [result for batch in batches for _, result in batch]


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("size", [(240, 160), (1500, 1000)], ids=["full size", "reduced while decoding"])
def test_a_turned_jpeg_has_the_features_of_its_upright_copy(orientation: int, size: tuple[int, int]) -> None:
    lying = scene(3, *size).transpose(STORED[orientation])
    jpeg = encoded(lying, "JPEG", quality=95, subsampling="4:4:4")
    plain = Image.open(io.BytesIO(jpeg))
    plain.draft("RGB", (PixelsAsFeatures.side, PixelsAsFeatures.side))
    back = {6: 8, 8: 6}.get(orientation, orientation)
    upright = encoded(plain.transpose(STORED[back]), "PNG")
    turned = icc.jpeg_with(jpeg, icc.jpeg_segment(0xE1, b"Exif\0\0" + icc.orientation(orientation)))
    of_turned, of_upright, of_lying = extract(turned, upright, jpeg)
    assert of_turned.features is not None
    assert np.array_equal(of_turned.features, of_upright.features)
    assert not np.array_equal(of_turned.features, of_lying.features)


def test_a_photo_in_another_colour_space_has_the_features_of_its_copy_in_srgb() -> None:
    wide = icc.matrix_profile(icc.PROPHOTO, icc.gamma_curve(1.8))
    srgb = ImageCms.createProfile("sRGB")
    picture = scene(4)
    converted = ImageCms.profileToProfile(picture, srgb, ImageCms.ImageCmsProfile(io.BytesIO(wide)), outputMode="RGB")
    assert converted is not None
    tagged, plain, ignored = extract(
        encoded(converted, "PNG", icc_profile=wide),
        encoded(picture, "PNG"),
        encoded(converted, "PNG", icc_profile=None),
    )
    assert tagged.features is not None
    assert plain.features is not None
    assert ignored.features is not None
    assert np.abs(tagged.features - plain.features).mean() < 1  # 8 bits in a wide space are coarse
    assert np.abs(ignored.features - plain.features).mean() > 10


def test_a_damaged_photo_has_its_reason_and_the_others_go_on() -> None:
    good = encoded(scene(5), "JPEG")
    cut, whole = extract(good[: len(good) // 2] + b"\xff\xd9", good)
    assert cut.features is None
    assert "incomplete" in cut.reason
    assert whole.features is not None
