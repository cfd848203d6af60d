"""Files in zips: each is read by itself, whatever is wrong with the others."""

import bz2
import io
import lzma
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from annotation.photos.decoding import PhotoRejected
from annotation.photos.sources import ImportSource, Limits

LIMITS = Limits(file_bytes=1_000_000, zip_bytes=50_000_000, files=100)
DATA = bytes(range(256)) * 40
METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
NAMES = ["first.jpg", "second.jpg", "third.jpg"]


def read_all(path: Path) -> dict[str, bytes | str]:
    """Return name → bytes, or the reason of the rejection."""
    found: dict[str, bytes | str] = {}
    with ImportSource(path, LIMITS) as source:
        for candidate in source.candidates:
            try:
                found[candidate.name] = candidate.read()
            except PhotoRejected as rejection:
                found[candidate.name] = str(rejection)
    return found


def zip_of(path: Path, method: int = zipfile.ZIP_DEFLATED, data: bytes = DATA) -> bytearray:
    with zipfile.ZipFile(path, "w", method) as archive:
        for number, name in enumerate(NAMES):
            archive.writestr(name, data + bytes([number]))
    return bytearray(path.read_bytes())


def packed_place(zipped: bytes, name: str) -> int:
    """Return where the compressed bytes of an entry begin."""
    return zipped.index(name.encode()) + len(name)


def raw_zip(path: Path, method: int, packed: bytes, *, size: int, crc: int, flags: int = 0) -> Path:
    """Write a zip with one entry `odd.jpg` of any method, and a good one after it."""
    good = zlib.compressobj(wbits=-15)
    good_packed = good.compress(DATA) + good.flush()
    body, directory = b"", b""
    for name, how, bits, data, length, check in (
        (b"odd.jpg", method, flags, packed, size, crc),
        (b"good.jpg", 8, 0, good_packed, len(DATA), zlib.crc32(DATA)),
    ):
        common = struct.pack("<HHHHHLLLHH", 20, bits, how, 0, 33, check, len(data), length, len(name), 0)
        directory += b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<HHHLL", 0, 0, 0, 0, len(body)) + name
        body += b"PK\3\4" + common + name + data
    end = b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, 2, 2, len(directory), len(body), 0)
    path.write_bytes(body + directory + end)
    return path


@pytest.mark.parametrize("method", METHODS)
def test_each_compression_is_read(tmp_path: Path, method: int) -> None:
    zip_of(tmp_path / "p.zip", method)
    assert read_all(tmp_path / "p.zip") == {name: DATA + bytes([number]) for number, name in enumerate(NAMES)}


@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"PK\3\4"])
@pytest.mark.parametrize("offset", [0, 9, 30])
@pytest.mark.parametrize("method", METHODS)
def test_a_damaged_entry_leaves_the_others(tmp_path: Path, method: int, offset: int, fill: bytes) -> None:
    path = tmp_path / "p.zip"
    zipped = zip_of(path, method)
    place = packed_place(zipped, "second.jpg") + offset
    zipped[place : place + 60] = (fill * 60)[:60]
    path.write_bytes(zipped)
    for _ in range(2):  # a second attempt as well
        found = read_all(path)
        assert "damaged" in str(found["second.jpg"])
        assert (found["first.jpg"], found["third.jpg"]) == (DATA + b"\0", DATA + b"\2")


@pytest.mark.parametrize(
    ("method", "name"),
    [
        (1, "Shrink"),
        (6, "Implode"),
        (9, "Deflate64"),
        (93, "Zstandard"),
        (97, "WavPack"),
        (98, "PPMd"),
        (77, "method 77"),
    ],
)
def test_an_unknown_compression_is_called_by_its_name(tmp_path: Path, method: int, name: str) -> None:
    found = read_all(raw_zip(tmp_path / "p.zip", method, b"x" * 50, size=99, crc=0))
    assert found["odd.jpg"] == f"It is compressed with {name}, which is not supported. Make the zip with Deflate."
    assert found["good.jpg"] == DATA


@pytest.mark.parametrize(("method", "flags"), [(8, 1), (98, 1), (99, 1), (99, 0), (0, 0x41)])
def test_an_encrypted_entry_is_called_encrypted(tmp_path: Path, method: int, flags: int) -> None:
    found = read_all(raw_zip(tmp_path / "p.zip", method, b"x" * 50, size=50, crc=0, flags=flags))
    assert "encrypted" in str(found["odd.jpg"])
    assert found["good.jpg"] == DATA


def xz(data: bytes) -> bytes:
    return lzma.compress(data)


def lzma_alone(data: bytes, dictionary: int = 1 << 20) -> bytes:
    """Return data as APPNOTE.TXT 5.8.8 has it, with an end mark."""
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 20}]
    packed = lzma.compress(data, lzma.FORMAT_RAW, filters=filters)
    return struct.pack("<BBHBL", 9, 4, 5, 0x5D, dictionary) + packed


def test_xz_is_read_too(tmp_path: Path) -> None:
    packed = xz(DATA)
    assert read_all(raw_zip(tmp_path / "p.zip", 95, packed, size=len(DATA), crc=zlib.crc32(DATA)))["odd.jpg"] == DATA


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("method", "pack"),
    [(8, deflated), (12, bz2.compress), (14, lzma_alone), (95, xz)],
    ids=["deflate", "bzip2", "lzma", "xz"],
)
def test_an_entry_that_unpacks_to_more_than_it_says_takes_no_memory(
    tmp_path: Path, method: int, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(bytes(60_000_000))
    path = raw_zip(tmp_path / "p.zip", method, packed, size=1000, crc=0)
    tracemalloc.start()
    try:
        found = read_all(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "longer than the zip says" in str(found["odd.jpg"])
    assert found["good.jpg"] == DATA
    assert peak < 20_000_000  # of 60 million; some decompressors need a window


def test_an_lzma_entry_cannot_ask_for_gigabytes(tmp_path: Path) -> None:
    packed = lzma_alone(DATA, dictionary=0xFFFF_FFFF)
    assert read_all(raw_zip(tmp_path / "p.zip", 14, packed, size=len(DATA), crc=zlib.crc32(DATA)))["odd.jpg"] == DATA


@pytest.mark.parametrize("packed", [b"", b"\x09\x04", b"\x09\x04\x05\x00\xff\xff\xff\xff\xff", b"\x09\x04\x00\x00"])
def test_an_lzma_entry_with_wrong_properties_is_damaged(tmp_path: Path, packed: bytes) -> None:
    found = read_all(raw_zip(tmp_path / "p.zip", 14, packed, size=100, crc=0))
    assert "damaged" in str(found["odd.jpg"])
    assert found["good.jpg"] == DATA


@pytest.mark.parametrize("crc", [0, zlib.crc32(DATA) ^ 1])
def test_a_wrong_checksum_is_damage(tmp_path: Path, crc: int) -> None:
    found = read_all(raw_zip(tmp_path / "p.zip", 8, deflated(DATA), size=len(DATA), crc=crc))
    assert "checksum is wrong" in str(found["odd.jpg"])


def test_an_entry_whose_place_is_wrong_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    zipped = zip_of(path)
    place = zipped.index(b"PK\1\2")
    struct.pack_into("<L", zipped, place + 42, 0xFFFF_0000)
    path.write_bytes(zipped)
    found = read_all(path)
    assert "damaged" in str(found["first.jpg"])
    assert (found["second.jpg"], found["third.jpg"]) == (DATA + b"\1", DATA + b"\2")


def test_a_file_that_zips_written_as_a_stream_have_is_read(tmp_path: Path) -> None:
    class Unseekable(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *arguments: object) -> int:
            raise io.UnsupportedOperation

        def tell(self) -> int:
            raise io.UnsupportedOperation

    stream = Unseekable()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", DATA)  # its sizes come after its bytes
    (tmp_path / "p.zip").write_bytes(stream.getvalue())
    assert read_all(tmp_path / "p.zip") == {"a.jpg": DATA}
