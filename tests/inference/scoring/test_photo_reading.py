"""A photo read in the sandbox gives the same numbers as in this process."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from annotation.photos.decoding import PhotoRejected, photo_open
from annotation.photos.sandbox import Sandbox, SandboxLimits
from inference.distortion.combine import distortions_measure
from inference.networks.transforms import pixels
from inference.scoring.photo_reading import Reader, ReadPhoto, thumbnail_apart, thumbnail_make
from tests.annotation.bad_files import encoded, scene
from tests.annotation.photos.costly_files import jpeg_of_scans


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(SandboxLimits(processes=1))
    yield made
    made.close()


def reader_of(sandbox: Sandbox, *, has_distortions: bool) -> Reader:
    return Reader(sandbox, side=48, interpolation="bicubic", has_distortions=has_distortions, max_pixels=10**7)


def read(sandbox: Sandbox, source: Path | io.BytesIO, *, has_distortions: bool) -> ReadPhoto:
    return reader_of(sandbox, has_distortions=has_distortions).one(source)


@pytest.mark.parametrize("has_distortions", [True, False])
def test_pixels_and_distortions_are_the_same(sandbox: Sandbox, tmp_path: Path, has_distortions: bool) -> None:
    path = tmp_path / "a photo.jpg"
    path.write_bytes(encoded(scene(3, 900, 700)))
    picture = photo_open(path, at_least=0 if has_distortions else 48)
    for source in (path, io.BytesIO(path.read_bytes())):
        found = read(sandbox, source, has_distortions=has_distortions)
        assert found.pixels is not None
        np.testing.assert_array_equal(found.pixels, pixels(picture, 48))
        assert found.distortion == (distortions_measure(picture) if has_distortions else None)


def test_a_file_name_of_any_bytes_is_opened(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "\udcff\udc80 ü.jpg"
    path.write_bytes(encoded(scene(1)))
    assert read(sandbox, path, has_distortions=False).pixels is not None
    assert thumbnail_apart(path, sandbox, max_pixels=10**7) == thumbnail_make(path)


def test_a_file_that_is_missing_raises_oserror(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        read(sandbox, tmp_path / "nowhere.jpg", has_distortions=True)


def test_a_bad_photo_is_rejected_with_its_reason(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "scans.jpg").write_bytes(jpeg_of_scans(200))
    for has_distortions in (True, False):
        with pytest.raises(PhotoRejected, match="200 scans"):
            read(sandbox, tmp_path / "scans.jpg", has_distortions=has_distortions)
    with pytest.raises(PhotoRejected, match="200 scans"):
        thumbnail_apart(tmp_path / "scans.jpg", sandbox, max_pixels=10**7)


def test_an_open_file_is_closed(sandbox: Sandbox) -> None:
    source = io.BytesIO(encoded(scene(1)))
    read(sandbox, source, has_distortions=False)
    assert source.closed


@pytest.mark.parametrize("values", [None, {}, {"blur": "x"}, {"blur": float("nan")}])
def test_an_answer_that_is_none_is_refused(sandbox: Sandbox, values: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that somebody took over can send anything."""
    monkeypatch.setattr(sandbox, "call", lambda *given: ({"distortion": values}, [b"\0" * 48 * 48 * 3]))
    with pytest.raises(PhotoRejected, match="stopped at this file"):
        read(sandbox, io.BytesIO(b""), has_distortions=True)
    monkeypatch.setattr(sandbox, "call", lambda *given: ({}, [b"\0"]))
    with pytest.raises(PhotoRejected, match="stopped at this file"):
        read(sandbox, io.BytesIO(b""), has_distortions=False)


@pytest.mark.parametrize("has_distortions", [True, False])
def test_small_photos_are_read_together_with_the_same_result(
    sandbox: Sandbox, tmp_path: Path, has_distortions: bool
) -> None:
    """Photos with any difficulty are left out, and `one` gives the reason."""
    files = {
        "a.jpg": encoded(scene(1)),
        "b.jpg": jpeg_of_scans(200),
        "c.png": encoded(scene(2), "PNG"),
        "d.txt": b"no photo",
        "e.bmp": encoded(scene(3, 1200, 1100), "BMP"),  # more than a megapixel: it has to ask for memory
        "f.jpg": encoded(scene(4)),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    reader = reader_of(sandbox, has_distortions=has_distortions)
    found = reader.several([*(tmp_path / name for name in files), tmp_path / "missing.jpg"])
    assert [path.name for path in found] == ["a.jpg", "c.png", "f.jpg"]
    for path, photo in found.items():
        alone = reader.one(path)
        np.testing.assert_array_equal(photo.pixels, alone.pixels)
        assert photo.distortion == alone.distortion


def test_photos_are_read_one_by_one_when_one_of_them_harms_the_process(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(scene(1)))
    for answer in (
        {},
        {"places": [7], "photos": [{}]},
        {"places": [0], "photos": [None]},
        {"places": "x", "photos": 3},
    ):
        with monkeypatch.context() as patched:
            patched.setattr(sandbox, "call", lambda *given, answer=answer: (answer, [b"1"]))
            assert reader_of(sandbox, has_distortions=True).several([tmp_path / "a.jpg"]) == {}
