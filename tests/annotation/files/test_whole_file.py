import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from annotation.files import whole_file as module
from annotation.files.whole_file import put_in_place, whole_file, whole_path


def test_the_file_changes_only_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")
    with whole_file(path, "w") as file:
        file.write("new\r\n")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_bytes() == b"new\r\n"
    assert list(tmp_path.iterdir()) == [path]


def test_text_is_written_as_utf_8(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a", "w") as file:
        file.write("fünf")
    assert (tmp_path / "a").read_bytes() == "fünf".encode()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_keeps_the_old_file_and_leaves_no_other_files(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")

    def write() -> None:
        with whole_file(path) as file:
            file.write(b"half of the n")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_raises_file_not_found_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "no" / "folder"):
        raise AssertionError("the block must not run")


def test_a_killed_writer_does_not_change_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from annotation.files.whole_file import whole_file\n"
        "with whole_file(Path(sys.argv[1]), 'w') as file:\n"
        "    file.write('half of the n'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    process = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert process.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    leftovers = [found for found in tmp_path.iterdir() if found != path]
    assert [(found.name[0], found.suffix, found.read_text()) for found in leftovers] == [
        (".", ".part", "half of the n")
    ]
    with whole_file(path, "w") as file:
        file.write("new")
    assert path.read_text() == "new"


def test_concurrent_writers_do_not_mix_their_content(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    contents = [bytes([letter]) * 100_000 for letter in b"abcdefgh"]
    start = threading.Barrier(len(contents))

    def write(content: bytes) -> None:
        start.wait()
        for _ in range(5):
            with whole_file(path, durable=False) as file:
                for offset in range(0, len(content), 10_000):
                    file.write(content[offset : offset + 10_000])
            assert path.read_bytes() in contents

    threads = [threading.Thread(target=write, args=[content]) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_are_set_when_the_file_is_created(tmp_path: Path) -> None:
    path = tmp_path / "passwords"
    with whole_file(path, "w", permissions=0o600) as file:
        assert os.fstat(file.fileno()).st_mode & 0o777 == 0o600
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_longest_allowed_file_name_works(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 127)
    with whole_file(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"


def test_the_content_is_synced_before_the_rename_and_the_folder_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a power cut could show the order. So the test records the fsync calls and still runs them."""
    steps: list[tuple[str, bool]] = []
    original_fsync = os.fsync
    path = tmp_path / "table.csv"

    def recording_fsync(descriptor: int) -> None:
        steps.append((Path(f"/proc/self/fd/{descriptor}").resolve().name, path.exists()))
        original_fsync(descriptor)

    monkeypatch.setattr(module.os, "fsync", recording_fsync)
    with whole_file(path) as file:
        file.write(b"new")
    assert [(name.endswith(".part"), exists) for name, exists in steps] == [(True, False), (False, True)]
    assert steps[1][0] == tmp_path.name
    steps.clear()
    with whole_file(path, durable=False) as file:
        file.write(b"newer")
    assert steps == []


def test_a_library_can_write_to_the_temporary_path(tmp_path: Path) -> None:
    with whole_path(tmp_path / "a.bin") as part:
        part.write_bytes(b"new")
    assert (tmp_path / "a.bin").read_bytes() == b"new"
    with pytest.raises(FileNotFoundError), whole_path(tmp_path / "b.bin"):
        pass  # the library wrote nothing
    assert list(tmp_path.iterdir()) == [tmp_path / "a.bin"]


def test_a_folder_is_replaced_only_when_all_its_files_are_written(tmp_path: Path) -> None:
    folder = tmp_path / "v1"
    folder.mkdir()
    (folder / "of-an-interrupted-attempt").touch()
    with whole_path(folder) as part:
        (part / "deep").mkdir(parents=True)
        (part / "deep" / "heads").write_bytes(b"new")
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*")] == ["deep", "deep/heads"]

    def fail() -> None:
        with whole_path(tmp_path / "v2") as part:
            part.mkdir()
            (part / "heads").touch()
            raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        fail()
    assert list(tmp_path.iterdir()) == [folder]


def test_a_complete_file_is_put_in_place(tmp_path: Path) -> None:
    (tmp_path / ".0.part").write_bytes(b"complete")
    put_in_place(tmp_path / ".0.part", tmp_path / "a.jpg")
    assert (tmp_path / "a.jpg").read_bytes() == b"complete"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.jpg"]
