"""Modes of the files of an instance, new and old."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from iqs_site.instance import embedded, private_files
from iqs_site.instance.private_files import FolderError, folder_make, folder_path, is_own_folder, tighten, tree_tighten
from iqs_site.instance.supervisor import Instance
from tests.iqs_site.instance.other_user import NOBODY, as_other_user, needs_root


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture(autouse=True)
def loose_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return a folder of an earlier version, which everybody could read."""
    folder = tmp_path / "var"
    for name in ("media/ab", "models/heads", "log", "run", "uploads", "valkey/appendonlydir", "postgres/base"):
        (folder / name).mkdir(parents=True)
    for name in ("media/ab/ab.jpg", "models/heads/x.onnx", "log/web.log", "valkey/appendonlydir/a.aof", "postgres/x"):
        (folder / name).touch()
    (folder / "program").touch(0o755)
    (folder / "link").symlink_to(tmp_path)
    return folder


def test_a_new_folder_is_for_its_owner_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IQS_VAR", str(tmp_path / "a"))
    assert mode(embedded.var_folder()) == 0o700


def test_an_old_folder_is_closed(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mode(old) == 0o777
    monkeypatch.setenv("IQS_VAR", str(old))
    assert mode(embedded.var_folder()) == 0o700


def test_everything_in_an_old_folder_is_closed_but_for_the_data_of_the_database(old: Path, tmp_path: Path) -> None:
    outside = mode(tmp_path)
    tree_tighten(old, leave_out=old / "postgres")
    for path in old.rglob("*"):
        if "postgres" not in path.parts and not path.is_symlink():
            assert mode(path) & 0o077 == 0, path
    assert mode(old / "program") == 0o700
    assert mode(old / "postgres" / "x") == 0o666
    assert mode(tmp_path) == outside  # the link was not followed


def test_an_instance_closes_its_folders_once(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    media = tmp_path / "photos"
    (media / "cd").mkdir(parents=True)
    monkeypatch.setenv("IQS_MEDIA", str(media))
    instance = Instance(old)
    instance._folders_make()
    instance._files_tighten()
    assert mode(old / "media" / "ab" / "ab.jpg") == 0o600
    assert mode(media) == mode(media / "cd") == 0o700
    (old / "media" / "ab" / "ab.jpg").chmod(0o644)
    instance._files_tighten()
    assert mode(old / "media" / "ab" / "ab.jpg") == 0o644


@pytest.mark.parametrize("name", ["etc", "my photos"])
def test_a_folder_of_the_system_keeps_its_modes(name: str, tmp_path: Path) -> None:
    """A setting can name /etc or a home folder by mistake."""
    (tmp_path / name).mkdir(mode=0o755)
    (tmp_path / name / "passwd").touch(0o644)
    folder_make("IQS_VAR", tmp_path / name)
    tree_tighten(tmp_path / name, leave_out=tmp_path)
    assert mode(tmp_path / name) == 0o755
    assert mode(tmp_path / name / "passwd") == 0o644


def test_a_folder_that_is_shared_by_all_users_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(FolderError, match="is shared by all users"):
        folder_make("IQS_VAR", tmp_path)
    assert mode(tmp_path) == 0o1777


@needs_root
def test_a_folder_that_another_user_prepared_in_a_shared_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o1777)
    prepared = tmp_path / "shared" / "iqs"
    prepared.mkdir(mode=0o700)
    os.chown(prepared, NOBODY, NOBODY)
    with pytest.raises(FolderError, match="belongs to another user"):
        folder_make("IQS_VAR", prepared)


@needs_root
def test_another_user_cannot_read_a_folder_of_an_instance(old: Path) -> None:
    for parent in old.parents:
        if parent.stat().st_uid == os.geteuid() and str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    assert as_other_user(lambda: len(list(old.iterdir()))) == "9"
    tree_tighten(old, leave_out=old / "postgres")
    assert "PermissionError" in as_other_user(lambda: list(old.iterdir()))


def test_files_of_other_users_and_links_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    tighten(tmp_path / "link")
    assert mode(Path("/etc/passwd")) == 0o644


def test_own_folders(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "file").touch(0o600)
    assert is_own_folder(folder, os.geteuid())
    assert not is_own_folder(folder, os.geteuid() + 1)
    assert not is_own_folder(tmp_path / "link", os.geteuid())
    assert not is_own_folder(tmp_path / "file", os.geteuid())
    assert not is_own_folder(tmp_path / "missing", os.geteuid())
    folder.chmod(0o701)
    assert not is_own_folder(folder, os.geteuid())


def test_links_that_lead_to_themselves_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(FolderError, match=r"^the folder .* of IQS_VAR cannot be (found|used) \(.*\)\.$"):
        folder_path("IQS_VAR", tmp_path / "a")


def test_new_files_are_for_their_owner_only(tmp_path: Path) -> None:
    private_files.umask_set()
    (tmp_path / "a").touch()
    assert mode(tmp_path / "a") == 0o600
