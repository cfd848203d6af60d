import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Campaign, Image
from tests.annotation.bad_files import BAD, write_bad, write_photos, write_zip
from tests.conftest import photo_bytes


def run(*arguments: object) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("import_images", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_imports_a_folder_and_lists_rejected_files_with_reasons(campaign: Campaign, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", range(5))
    write_bad(tmp_path / "photos")
    out, _ = run("watches", tmp_path / "photos")
    assert f"5 added, 0 duplicates, {len(BAD)} rejected, of {5 + len(BAD)} files" in out
    assert "  empty.jpg: The file is empty.\n" in out
    assert Image.objects.count() == 5


def test_imports_a_zip(campaign: Campaign, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", {"a/1.jpg": photo_bytes(1), "a/2.jpg": photo_bytes(2), "../3.jpg": b"3"})
    out, _ = run("watches", path)
    assert "2 added" in out
    assert "../3.jpg: Its name points to a folder outside the zip." in out
    assert sorted(Image.objects.values_list("name", flat=True)) == ["a/1.jpg", "a/2.jpg"]


def test_invalid_arguments_give_an_error_message(campaign: Campaign, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no campaign 'clocks'. Existing campaigns: watches"):
        run("clocks", tmp_path)
    with pytest.raises(CommandError, match="neither a folder nor"):
        run("watches", tmp_path / "missing")


def test_progress_bar_shows_rate_and_time_left_on_a_terminal() -> None:
    from django.core.management.base import OutputWrapper

    from annotation.management.progress import ProgressBar

    stream = io.StringIO()
    bar = ProgressBar(OutputWrapper(stream), live=True)
    bar.began -= 10
    bar.show(50, 100)
    bar.end()
    line = stream.getvalue()
    assert line.startswith("\r\033[K[█")
    assert " 50/100  5 photos/s  10 s left" in line
    assert line.endswith("\n")


def test_an_interrupted_import_gives_an_error_message(
    campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from annotation.management.commands import import_images

    write_photos(tmp_path / "photos", range(2))

    def interrupt(self: Any, done: int, total: int) -> None:
        raise KeyboardInterrupt  # the exception that Ctrl+C raises, at a known point

    monkeypatch.setattr(import_images.ProgressBar, "show", interrupt)
    with pytest.raises(CommandError, match="Run the command again to continue"):
        run("watches", tmp_path / "photos")
