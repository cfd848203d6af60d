"""The list of files of a zip: names in every encoding, and lists that other programs do not find."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from annotation.photos.sources import ImportSource, Limits
from annotation.photos.zip_directory import ZipDamaged, directory_read
from tests.annotation.photos.test_zip_entries import DATA, read_all, zip_of

EMPTY_END = b"PK\5\6" + bytes(18)


def names_of(path: Path) -> list[str]:
    with path.open("rb") as file:
        directory = directory_read(file, most_bytes=10**6)
    assert directory is not None
    return [entry.name for entry in directory.entries]


def zip_with(path: Path, raw: bytes, *, utf8_flag: bool = False, extra: bytes = b"") -> Path:
    """Write a zip whose one entry has a name of these bytes."""
    info = zipfile.ZipInfo("N" * len(raw))
    info.extra = extra
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, DATA)
    data = bytearray(path.read_bytes().replace(b"N" * len(raw), raw))
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        struct.pack_into("<H", data, data.index(mark) + offset, 0x800 if utf8_flag else 0)
    path.write_bytes(data)
    return path


def unicode_field(text: str, replaced: bytes, version: int = 1) -> bytes:
    content = struct.pack("<BL", version, zlib.crc32(replaced)) + text.encode()
    return struct.pack("<HH", 0x7075, len(content)) + content


@pytest.mark.parametrize(
    ("raw", "flag", "name"),
    [
        ("Приклад/фото_é.jpg".encode(), False, "Приклад/фото_é.jpg"),
        ("日本.jpg".encode(), True, "日本.jpg"),
        ("café.jpg".encode("cp437"), False, "café.jpg"),
        (b"b\xfcrger.jpg", True, "b\\xfcrger.jpg"),
        (b"plain.jpg", False, "plain.jpg"),
        ("e\u0301.jpg".encode(), False, "e\u0301.jpg"),
        (b"a\0b.jpg", False, "a\\x00b.jpg"),
        (b"line\nbreak.jpg", False, "line\nbreak.jpg"),
        (b"12:30:05.jpg", False, "12:30:05.jpg"),
        (b"shots/12:31.jpg", False, "shots/12:31.jpg"),
        (b"./dot//x.jpg", False, "dot/x.jpg"),
        (b"dir\\x.jpg", False, "dir/x.jpg"),
    ],
)
def test_a_name_is_what_its_writer_meant(tmp_path: Path, raw: bytes, flag: bool, name: str) -> None:
    path = zip_with(tmp_path / "p.zip", raw, utf8_flag=flag)
    assert read_all(path) == {name: DATA}


def test_the_unicode_field_counts_when_its_checksum_fits(tmp_path: Path) -> None:
    raw = b"____.jpg"
    fits = zip_with(tmp_path / "fits.zip", raw, extra=unicode_field("фото.jpg", raw))
    assert names_of(fits) == ["фото.jpg"]
    renamed = zip_with(tmp_path / "renamed.zip", raw, extra=unicode_field("фото.jpg", b"old.jpg"))
    assert names_of(renamed) == ["____.jpg"]
    later = zip_with(tmp_path / "later.zip", raw, extra=unicode_field("фото.jpg", raw, version=2))
    assert names_of(later) == ["____.jpg"]


@pytest.mark.parametrize("name", [b"C:\\x.jpg", b"c:/x.jpg", b"/abs.jpg", b"\\\\server\\x.jpg", b"../x.jpg", b"a/../x"])
def test_only_names_that_lead_out_are_refused(tmp_path: Path, name: bytes) -> None:
    (reason,) = read_all(zip_with(tmp_path / "p.zip", name)).values()
    assert reason == "Its name points to a folder outside the zip."


@pytest.mark.parametrize("extra", [b"\x75\x70\xff\xff\x01", b"\x01", b"\x01\x00\x00\x00", b"\xff" * 7])
def test_a_broken_extra_field_breaks_nothing(tmp_path: Path, extra: bytes) -> None:
    assert read_all(zip_with(tmp_path / "p.zip", b"a.jpg", extra=extra)) == {"a.jpg": DATA}


@pytest.mark.parametrize(
    "comment",
    [
        b"see PK\5\6 here: " + b"\xff" * 40,
        b"see PK\5\6 here: " + bytes(40),
        EMPTY_END,
        b"x" + EMPTY_END,
        b"PK\5\6" * 50,
        b"x" * 65_535,
    ],
)
def test_an_end_mark_in_the_comment_is_no_end(tmp_path: Path, comment: bytes) -> None:
    path = tmp_path / "p.zip"
    zip_of(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = comment
    assert list(read_all(path).values()) == [DATA + b"\0", DATA + b"\1", DATA + b"\2"]


@pytest.mark.parametrize("before", [0, 3000])
@pytest.mark.parametrize("after", [0, 7, 100_000])
def test_bytes_before_and_after_a_zip_do_not_matter(tmp_path: Path, before: int, after: int) -> None:
    path = tmp_path / "p.zip"
    path.write_bytes(b"#" * before + bytes(zip_of(path)) + bytes(after))
    assert list(read_all(path).values()) == [DATA + b"\0", DATA + b"\1", DATA + b"\2"]


@pytest.mark.parametrize("before", [0, 500])
def test_zip64_is_read(tmp_path: Path, before: int) -> None:
    """The sizes and the place of an entry, the number of entries and the place of the list have 64 bits."""
    path = tmp_path / "p.zip"
    name = b"a.jpg"
    field = struct.pack("<HHQQ", 1, 16, len(DATA), len(DATA))
    local = struct.pack("<HHHHHLLLHH", 45, 0, 0, 0, 33, zlib.crc32(DATA), 2**32 - 1, 2**32 - 1, len(name), len(field))
    body = b"PK\3\4" + local + name + field + DATA
    wide = struct.pack("<HHQQQ", 1, 24, len(DATA), len(DATA), 0)
    common = struct.pack("<HHHHHLLLHH", 45, 0, 0, 0, 33, zlib.crc32(DATA), 2**32 - 1, 2**32 - 1, len(name), len(wide))
    tail = struct.pack("<HHHLL", 0, 0, 0, 0, 2**32 - 1)
    directory = b"PK\1\2" + struct.pack("<H", 45) + common + tail + name + wide
    end_64 = b"PK\6\6" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, 1, 1, len(directory), len(body))
    locator = b"PK\6\7" + struct.pack("<LQL", 0, len(body) + len(directory), 1)
    end = b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, 65_535, 65_535, 2**32 - 1, 2**32 - 1, 0)
    path.write_bytes(b"#" * before + body + directory + end_64 + locator + end)
    assert read_all(path) == {"a.jpg": DATA}


def test_files_that_a_damaged_list_hides_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    zipped = zip_of(path)
    second = zipped.index(b"PK\1\2", zipped.index(b"PK\1\2") + 4)
    zipped[second : second + 4] = b"XXXX"
    path.write_bytes(zipped)
    found = read_all(path)
    assert found["first.jpg"] == DATA + b"\0"
    assert found["p.zip"] == "The list of files in this zip is damaged. 2 files could not be found."


@pytest.mark.parametrize("data", [b"", b"PK", b"Rar!\x1a\7\1\0" + bytes(100), b"PK\5\6" + b"\xff" * 18])
def test_what_is_no_zip_is_called_so(data: bytes) -> None:
    with pytest.raises(ZipDamaged, match="not a zip"):
        directory_read(io.BytesIO(data), most_bytes=10**6)


def test_an_empty_zip_has_no_files() -> None:
    directory = directory_read(io.BytesIO(EMPTY_END), most_bytes=10**6)
    assert directory is not None
    assert directory.entries == []


def test_a_zips_name_is_before_its_files_only_where_it_is_needed(tmp_path: Path) -> None:
    limits = Limits(10**6, 10**7, 100)
    (tmp_path / "one" / "sub").mkdir(parents=True)
    zip_of(tmp_path / "one" / "sub" / "p.zip")
    names = ["first.jpg", "second.jpg", "third.jpg"]
    with ImportSource(tmp_path / "one", limits) as source:
        assert [one.name for one in source.candidates] == [f"sub/{name}" for name in names]
    with ImportSource(tmp_path / "one" / "sub" / "p.zip", limits) as source:
        assert [one.name for one in source.candidates] == names
    with ImportSource(tmp_path / "one", limits, is_one_zip=False) as source:
        assert [one.name for one in source.candidates] == [f"sub/p.zip/{name}" for name in names]
    zip_of(tmp_path / "one" / "q.zip")
    with ImportSource(tmp_path / "one", limits) as source:
        found = [one.name for one in source.candidates]
    assert found == [f"q.zip/{name}" for name in names] + [f"sub/p.zip/{name}" for name in names]
