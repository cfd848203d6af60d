"""The cost of decoding is known from the header."""

import io
import subprocess
import sys

import pytest
from PIL import Image

from annotation.photos.decoding import PhotoRejected, photo_inspect, photo_open
from annotation.photos.decoding_cost import MEGABYTE, DecodingCost
from annotation.photos.jpeg_file import jpeg_read, jpeg_scan_count
from annotation.photos.readers import picture_read
from tests.annotation.bad_files import encoded, scene
from tests.annotation.photos.costly_files import flat_png, jpeg_of_scans


def cost(data: bytes) -> DecodingCost:
    stored = picture_read(data)
    assert stored is not None
    return DecodingCost(stored)


def jpeg_scans(data: bytes) -> int:
    return jpeg_scan_count(data, jpeg_read(data))


def test_scans_are_counted() -> None:
    assert jpeg_scans(encoded(scene(1))) == 1
    assert jpeg_scans(encoded(scene(1), progressive=True)) == 10
    assert jpeg_scans(encoded(scene(1).convert("L"), progressive=True)) == 6
    assert jpeg_scans(jpeg_of_scans(500)) == 500


def test_scans_of_the_previews_inside_a_photo_are_not_counted() -> None:
    preview = encoded(scene(2, 160, 120), progressive=True)
    exif = Image.Exif()
    exif[0x927C] = preview
    data = encoded(scene(1), exif=exif.tobytes())
    assert data.count(b"\xff\xda") > 1
    assert jpeg_scans(data) == 1
    assert jpeg_scans(data + preview) == 1  # as in an MPO


def test_an_end_mark_inside_a_segment_hides_no_scan() -> None:
    data = jpeg_of_scans(20)
    place = data.rindex(b"\xff\xda")
    comment = b"\xff\xfe\x00\x06\xff\xd9\xff\xd9"
    assert jpeg_scans(data[:place] + comment + data[place:]) == 20


def test_a_jpeg_of_many_scans_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise AssertionError("it was decoded")

    data = jpeg_of_scans(101)
    monkeypatch.setattr("annotation.photos.damage.jpeg_pixels", fail)
    for function in (photo_inspect, lambda data: photo_open(io.BytesIO(data))):
        with pytest.raises(PhotoRejected, match="101 scans"):
            function(data)


def test_the_scans_of_usual_encoders_are_allowed() -> None:
    assert photo_inspect(encoded(scene(1), progressive=True)).width == scene(1).width
    assert picture_read(jpeg_of_scans(100)) is not None


def test_memory_counts_not_pixels() -> None:
    assert photo_inspect(encoded(Image.new("L", (500, 500), 90), "PNG"), max_bytes=13 * 250_000).width == 500
    with pytest.raises(PhotoRejected, match="needs more than the allowed 3 MB of memory: about 6 MB for 500 × 500"):
        photo_inspect(flat_png(500, 500), max_bytes=13 * 250_000)


def test_a_jpeg_costs_less_when_it_is_decoded_smaller() -> None:
    data = encoded(scene(1, 2000, 1600))
    assert photo_open(io.BytesIO(data), at_least=224, max_bytes=4 * MEGABYTE).size == (500, 400)
    with pytest.raises(PhotoRejected, match="needs more than"):
        photo_open(io.BytesIO(data), max_bytes=4 * MEGABYTE)


def test_a_progressive_jpeg_needs_memory_for_its_coefficients_at_any_size() -> None:
    plain, progressive = (cost(encoded(scene(1, 800, 600), progressive=flag)) for flag in (False, True))
    assert (
        progressive.memory() - plain.memory() == 2 * 1.5 * 800 * 600
    )  # two bytes; colour at half the width and height


def test_the_memory_is_reserved_before_decoding() -> None:
    asked: list[int] = []
    photo_open(io.BytesIO(encoded(scene(1, 400, 300), "PNG")), reserve=asked.append)
    photo_inspect(encoded(scene(1, 3000, 2000)), reserve=asked.append)
    assert asked == [16 * 400 * 300, 16 * 1500 * 1000]


PEAK = """
import resource, sys
from pathlib import Path
from annotation.photos.decoding import photo_open
small, large = (Path(name) for name in sys.argv[1:])
photo_open(small)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
asked = []
photo_open(large, reserve=asked.append)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024, *asked)
"""


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("RGB", "JPEG", {}),
        ("RGB", "JPEG", {"progressive": True, "subsampling": 0}),
        ("L", "JPEG", {}),
        ("CMYK", "JPEG", {}),
        ("RGBA", "PNG", {}),
        ("LA", "PNG", {}),
        ("I;16", "PNG", {}),
        ("P", "PNG", {}),
        ("P", "GIF", {}),
        ("RGB", "WEBP", {"quality": 10, "method": 0}),
        ("RGBA", "WEBP", {"quality": 10, "method": 0}),
        ("RGB", "AVIF", {"quality": 10, "speed": 10}),
        ("RGB", "BMP", {}),
    ],
)
def test_the_estimate_is_above_what_decoding_takes(tmp_path, mode: str, kind: str, options: dict[str, object]) -> None:
    """Measured in a process of its own, with an upright and a turned photo."""
    paths = []
    for name, side in (("small", 64), ("large", 2400)):
        picture = scene(1, side, side)
        picture = Image.new("I;16", picture.size, 900) if mode == "I;16" else picture.convert(mode)
        if kind in {"JPEG", "WEBP"}:
            exif = Image.Exif()
            exif[0x0112] = 6
            options = {**options, "exif": exif.tobytes()}
        paths.append(tmp_path / name)
        picture.save(paths[-1], kind, **options)
    output = subprocess.run([sys.executable, "-c", PEAK, *map(str, paths)], capture_output=True, text=True, check=True)
    used, asked = map(int, output.stdout.split())
    assert used < asked + paths[-1].stat().st_size + 8 * MEGABYTE
