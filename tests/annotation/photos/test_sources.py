import struct
import zipfile
from pathlib import Path

import pytest

from annotation.photos.decoding import PhotoRejected
from annotation.photos.sources import ImportSource, Limits, SourceError, safe_path
from tests.annotation.bad_files import write_zip

LIMITS = Limits(file_bytes=1000, zip_bytes=5000, files=20)


def read_all(path: Path) -> dict[str, bytes | str]:
    """Return {name: bytes, or the reason of the rejection}."""
    found: dict[str, bytes | str] = {}
    with ImportSource(path, LIMITS) as source:
        for candidate in source.candidates:
            try:
                found[candidate.name] = candidate.read()
            except PhotoRejected as rejection:
                found[candidate.name] = str(rejection)
    return found


def test_folders_are_searched_recursively_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b.jpg", "a/z.jpg", "a/deep/er/y.jpg", ".hidden", ".git/x.jpg", "Thumbs.db", "a/.DS_Store"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    found = read_all(tmp_path)
    assert list(found) == ["a/deep/er/y.jpg", "a/z.jpg", "b.jpg"]
    assert found["a/z.jpg"] == b"a/z.jpg"


def test_zip_is_read_without_unpacking_and_system_files_are_ignored(tmp_path: Path) -> None:
    entries = {"x/1.jpg": b"1", "__MACOSX/x/._1.jpg": b"-", "x/.DS_Store": b"-", "x\\2.jpg": b"2"}
    path = write_zip(tmp_path / "p.zip", entries)
    assert read_all(path) == {"x/1.jpg": b"1", "x/2.jpg": b"2"}
    assert read_all(tmp_path) == {"x/1.jpg": b"1", "x/2.jpg": b"2"}
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["p.zip"]


@pytest.mark.parametrize("name", ["../up.jpg", "a/../../up.jpg", "/etc/up.jpg", "..\\up.jpg", "C:\\up.jpg"])
def test_names_that_point_outside_the_zip_are_rejected(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "p.zip", {name: b"1", "good.jpg": b"2"})
    found = read_all(path)
    assert found.pop("good.jpg") == b"2"
    assert list(found.values()) == ["Its name points to a folder outside the zip."]
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["p.zip"]


def test_large_files_are_rejected_in_folders_and_zips(tmp_path: Path) -> None:
    (tmp_path / "large.jpg").write_bytes(b"x" * 1001)
    write_zip(tmp_path / "p.zip", {"large.jpg": b"x" * 1001, "fits.jpg": b"x" * 1000})
    found = read_all(tmp_path)
    assert found.pop("p.zip/fits.jpg") == b"x" * 1000
    assert all("larger than" in str(reason) for reason in found.values())
    assert len(found) == 2


def test_entry_that_is_larger_than_its_header_says_is_rejected(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", {"wrong-size.jpg": b"x" * 100_000})
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<I", 100_000), struct.pack("<I", 500)))  # in both headers
    assert "damaged" in str(read_all(path)["wrong-size.jpg"])


def test_zip_with_too_many_uncompressed_bytes_is_rejected_as_a_whole(tmp_path: Path) -> None:
    write_zip(tmp_path / "p.zip", {f"{number}.jpg": b"x" * 900 for number in range(6)})
    assert list(read_all(tmp_path)) == ["p.zip"]
    assert "Uncompressed" in str(read_all(tmp_path)["p.zip"])


def test_zip_with_too_many_files_is_rejected_as_a_whole(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", {f"{number}.jpg": b"x" for number in range(21)})
    assert "21 files" in str(read_all(path)["p.zip"])
    huge = write_zip(tmp_path / "huge.zip", {f"{number:0200}.jpg": b"" for number in range(200)})
    assert "more files than the allowed" in str(read_all(huge)["huge.zip"])


def test_folder_with_too_many_files_is_refused(tmp_path: Path) -> None:
    for number in range(21):
        (tmp_path / f"{number}.jpg").write_bytes(b"x")
    with pytest.raises(SourceError, match="has 21 files, but one import can have at most 20"):
        ImportSource(tmp_path, LIMITS)


@pytest.mark.parametrize("cut", [0, 5, 100])
def test_broken_zip_is_rejected_as_a_whole(tmp_path: Path, cut: int) -> None:
    path = write_zip(tmp_path / "p.zip", {"1.jpg": b"1" * 400, "2.jpg": b"2" * 400})
    path.write_bytes(path.read_bytes()[:cut])
    assert "not a zip" in str(read_all(path)["p.zip"])


def test_only_the_entry_with_a_wrong_checksum_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:  # not compressed, so that the test can change a byte
        archive.writestr("1.jpg", b"one one one")
        archive.writestr("2.jpg", b"two two two")
    path.write_bytes(path.read_bytes().replace(b"one one one", b"one ONE one"))
    found = read_all(path)
    assert "damaged" in str(found["1.jpg"])
    assert found["2.jpg"] == b"two two two"


def test_links_encrypted_files_and_zips_inside_zips_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("inner.zip", b"PK")
        secret = zipfile.ZipInfo("secret.jpg")
        archive.writestr(secret, b"x")
        secret.flag_bits |= 1
    found = read_all(path)
    assert "link" in str(found["link.jpg"])
    assert "Zips inside zips" in str(found["inner.zip"])
    assert "encrypted" in str(found["secret.jpg"])


def test_names_are_unique_and_fit_the_database(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("same.jpg", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("same.jpg", b"2")
        archive.writestr("x" * 3000 + "a.jpg", b"3")
        archive.writestr("y" + "x" * 2999 + "a.jpg", b"4")
        archive.writestr("line\nbreak.jpg", b"5")
    found = read_all(path)
    assert found["same.jpg"] == b"1"
    assert found["same.jpg (2)"] == b"2"
    assert found["line\nbreak.jpg"] == b"5"
    assert len(found) == 5
    assert max(len(name) for name in found) <= 500


def test_a_path_that_is_neither_folder_nor_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("x")
    for path in (tmp_path / "text.txt", tmp_path / "missing", tmp_path / "missing.zip"):
        with pytest.raises(SourceError, match="neither a folder nor"):
            ImportSource(path, LIMITS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a/b/c.jpg", "a/b/c.jpg"),
        ("/etc/passwd", "etc/passwd"),
        ("../../x.jpg", "x.jpg"),
        ("C:\\Users\\me\\x.jpg", "Users/me/x.jpg"),
        ("a\0b.jpg", "a\N{REPLACEMENT CHARACTER}b.jpg"),
        ("", "unnamed"),
        ("..", "unnamed"),
    ],
)
def test_names_from_browsers_stay_inside_their_folder(name: str, expected: str) -> None:
    assert str(safe_path(name)) == expected


def test_shortened_names_keep_their_suffix() -> None:
    part = safe_path("ü" * 300 + ".jpg").name
    assert len(part.encode()) <= 255
    assert part.endswith("ü.jpg")
