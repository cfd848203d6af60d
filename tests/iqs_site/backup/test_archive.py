"""The file of a backup: what is written is read again, and every change of it is found."""

import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from iqs_site.backup import archive as archive_module
from iqs_site.backup.archive import FORMAT, ArchiveReader, ArchiveWriter, BackupError

MEMBERS = {
    "settings/secret_key": b"secret",
    "media/ab/photo.jpg": bytes(range(256)) * 100,
    "uploads/1/a name\nwith a line end, \\ and Zürich.jpg": b"",
    "models/1/v1/heads.onnx": b"x" * 3000,
}


def written(path: Path, members: dict[str, bytes] = MEMBERS, **header: object) -> Path:
    with path.open("wb") as file:
        archive = ArchiveWriter(file, {"made_at": "now", **header})
        for name, data in members.items():
            if name.startswith("models/"):
                archive.stream_add(name, io.BytesIO(data), len(data))
            else:
                archive.member_add(name, data)
        archive.finish({"tables": {"a": {"rows": 3}}})
    return path


def read(path: Path) -> dict[str, bytes]:
    with ArchiveReader(path) as archive:
        return {member.name: member.file.read() for member in archive.members()}


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return written(tmp_path / "backup.tar")


def test_members_header_and_manifest_come_back(backup: Path) -> None:
    assert read(backup) == MEMBERS
    with ArchiveReader(backup) as archive:
        assert archive.header["made_at"] == "now"
        for _member in archive.members():  # a caller need not read the members
            pass
        assert archive.manifest["tables"] == {"a": {"rows": 3}}
        assert archive.manifest["members"] == len(MEMBERS)


def test_many_members_have_several_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "_LIST_MEMBERS", 3)  # the real number would need thousands of members
    members = {f"media/{number}": str(number).encode() for number in range(10)}
    path = written(tmp_path / "many.tar", members)
    assert read(path) == members
    with tarfile.open(path) as tar:
        assert sum(name.startswith("checksums/") for name in tar.getnames()) == 4


def test_a_file_that_became_shorter_while_it_was_read_does_not_break_the_backup(tmp_path: Path) -> None:
    path = tmp_path / "backup.tar"
    with path.open("wb") as file:
        archive = ArchiveWriter(file, {})
        archive.stream_add("models/runs/1/log", io.BytesIO(b"abc"), 5)
        archive.finish({})
    assert read(path) == {"models/runs/1/log": b"abc\0\0"}


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_other_programs_can_unpack_and_check_it(backup: Path, tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    with tarfile.open(backup) as tar:
        tar.extractall(folder, filter="data")
    checked = subprocess.run(["sha256sum", "-c", "checksums/000001.txt"], cwd=folder, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count(b": OK") == len(MEMBERS)


def test_a_backup_that_is_cut_anywhere_is_refused(backup: Path, tmp_path: Path) -> None:
    data = backup.read_bytes()
    cut = tmp_path / "cut.tar"
    with tarfile.open(backup) as tar:
        end = max(info.offset_data + info.size for info in tar.getmembers())
    for length in [*range(600, end, 2500), end - 1]:
        cut.write_bytes(data[:length])
        with pytest.raises(BackupError, match=r"is cut off|is damaged|is not a backup"):
            read(cut)
    cut.write_bytes(data[: end - 3000])
    with pytest.raises(BackupError, match=r"is cut off: its end is missing\. Use another copy"):
        read(cut)


def test_every_changed_byte_of_a_member_is_found(backup: Path, tmp_path: Path) -> None:
    with tarfile.open(backup) as tar:
        places = [(info.name, info.offset_data + info.size // 2) for info in tar.getmembers() if info.size]
    data = backup.read_bytes()
    for name, place in places:
        damaged = bytearray(data)
        damaged[place] ^= 1
        path = tmp_path / "damaged.tar"
        path.write_bytes(damaged)
        if name == "header.json":  # any text may change without harm, but not its form
            continue
        with pytest.raises(BackupError, match="is damaged"):
            read(path)


def test_a_damaged_header_in_the_middle_is_not_called_a_missing_end(tmp_path: Path) -> None:
    backup = written(tmp_path / "large.tar", {f"media/{number}": bytes(5000) for number in range(20)})
    data = bytearray(backup.read_bytes())
    with tarfile.open(backup) as tar:
        data[tar.getmember("media/2").offset_data - 500] ^= 1  # in its name
    backup.write_bytes(data)
    with pytest.raises(BackupError, match="is damaged"):
        read(backup)


def repacked(backup: Path, path: Path, *, without: str = "", added: str = "") -> Path:
    with tarfile.open(backup) as old, tarfile.open(path, "w") as new:
        for info in old.getmembers():
            if info.name == without:
                continue
            new.addfile(info, old.extractfile(info))
            if added and info.name == "settings/secret_key":
                new.addfile(tarfile.TarInfo(added), io.BytesIO())
    return path


def test_a_member_that_is_missing_or_was_added_is_found(backup: Path, tmp_path: Path) -> None:
    for name in ("media/ab/photo.jpg", "checksums/000001.txt"):
        with pytest.raises(BackupError, match="is damaged"):
            read(repacked(backup, tmp_path / "less.tar", without=name))
    with pytest.raises(BackupError, match="cut off"):
        read(repacked(backup, tmp_path / "less.tar", without="manifest.json"))
    with pytest.raises(BackupError, match="media/extra has another checksum"):
        read(repacked(backup, tmp_path / "more.tar", added="media/extra"))


def test_foreign_files_are_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"", b"x" * 5000, bytes(5000)):
        path.write_bytes(data)
        with pytest.raises(BackupError, match="is not a backup of IQS"):
            read(path)
    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo("README"), io.BytesIO())
    with pytest.raises(BackupError, match="is not a backup of IQS"):
        read(path)
    with pytest.raises(BackupError, match="No such file"):
        read(tmp_path / "nowhere")
    with pytest.raises(BackupError, match=r"cannot be read|is not a backup"):
        read(tmp_path)


def test_a_link_in_a_backup_is_refused(backup: Path, tmp_path: Path) -> None:
    path = tmp_path / "link.tar"
    with tarfile.open(backup) as old, tarfile.open(path, "w") as new:
        header = old.getmembers()[0]
        new.addfile(header, old.extractfile(header))
        link = tarfile.TarInfo("models/1/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        new.addfile(link)
    with pytest.raises(BackupError, match="does not belong to it"):
        read(path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="made by a newer version of IQS"):
        read(written(tmp_path / "new.tar", format=FORMAT + 1))


def test_the_header_is_readable_without_the_rest(backup: Path) -> None:
    with tarfile.open(backup) as tar:
        first = tar.next()
        assert first is not None
        content = tar.extractfile(first)
        assert content is not None
        assert json.load(content) == {"format": FORMAT, "made_at": "now"}
