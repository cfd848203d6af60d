"""`manage.py score` reports bad files, invalid arguments and missing models."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError
from PIL import Image

from inference.management.commands import score as score_command
from inference.scoring import int8
from inference.scoring.tables import JsonLinesTable
from tests.annotation.bad_files import BAD, encoded, png_header, scene, write_bad
from tests.inference.score_command.conftest import Run, rows_of


def test_every_bad_file_gets_a_row_with_a_reason(score: Run, photos: Path, tmp_path: Path) -> None:
    bad = photos / "bad"
    write_bad(bad)
    (bad / "huge.png").write_bytes(png_header(20_000, 20_000))
    (bad / "broken-link.jpg").symlink_to(bad / "missing")
    os.mkfifo(bad / "pipe.jpg")
    good = {
        "cmyk.jpg": encoded(scene(1).convert("CMYK")),
        "16-bit.png": encoded(Image.fromarray((np.arange(64 * 64).reshape(64, 64) * 16).astype(np.uint16)), "PNG"),
        "grey.png": encoded(scene(2).convert("L"), "PNG"),
        "palette.png": encoded(scene(3).convert("P"), "PNG", transparency=0),
        "two words ü\n\u2603.jpg": encoded(scene(4)),
        "photo.txt": encoded(scene(5)),
        "flat.png": encoded(Image.new("RGB", (64, 64), "white"), "PNG"),
    }
    (bad / "folder.jpg").mkdir()
    for name, data in good.items():
        (bad / name).write_bytes(data)
    (bad / "folder.jpg" / "inside.jpg").write_bytes(encoded(scene(6)))
    messages = score(photos, "--csv", tmp_path / "a.csv", "--jsonl", tmp_path / "a.jsonl")
    rows = {Path(row["file"]).name: row for row in rows_of(tmp_path / "a.csv")}
    assert len(rows) == 5 + len(BAD) + 3 + len(good) + 1
    for name, (_, reason) in BAD.items():
        assert reason in rows[name]["reason"], name
        assert f"{name}: {rows[name]['reason']}" in messages
    assert "20000 × 20000 pixels are more" in rows["huge.png"]["reason"]
    assert rows["broken-link.jpg"]["reason"] == "It cannot be read: No such file or directory."
    assert "a pipe" in rows["pipe.jpg"]["reason"]
    for name in (*good, "inside.jpg"):
        assert rows[name]["reason"] == "", name
        assert rows[name]["quality_mean"], name
        assert rows[name]["distortion_quality"], name
    assert f"{len(BAD) + 3} of {len(rows)} files could not be scored" in messages
    assert "20 of" not in messages


def test_names_that_are_not_utf_8_are_escaped(score: Run, photos: Path, tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(photos) + b"/b\xfc.png"))).write_bytes(encoded(scene(1), "PNG"))
    for kind in ("csv", "jsonl", "parquet"):
        score(photos, f"--{kind}", tmp_path / kind)
    assert str(photos / "b\\xfc.png") in (row["file"] for row in rows_of(tmp_path / "csv"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
def test_unreadable_files_are_reported(score: Run, photos: Path, tmp_path: Path) -> None:
    (photos / "40.png").chmod(0)
    (photos / "inner").chmod(0)
    try:
        score(photos, "--csv", tmp_path / "a.csv")
    finally:
        (photos / "inner").chmod(0o755)
    reasons = {Path(row["file"]).name: row["reason"] for row in rows_of(tmp_path / "a.csv")}
    assert reasons["40.png"] == "The file cannot be read: Permission denied."
    assert reasons["inner"] == "It cannot be read: Permission denied."


def test_a_file_deleted_during_the_run_is_reported(
    score: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files_find = score_command.files_find

    def find_and_delete(*arguments: Any, **keywords: Any) -> Any:
        result = files_find(*arguments, **keywords)
        (photos / "40.png").unlink()
        return result

    monkeypatch.setattr(score_command, "files_find", find_and_delete)
    score(photos, "--csv", tmp_path / "a.csv")
    reasons = {Path(row["file"]).name: row["reason"] for row in rows_of(tmp_path / "a.csv")}
    assert reasons["40.png"] == "The file cannot be read: No such file or directory."


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["{photos}", "{photos}/missing"], 2, "missing does not exist"),
        (["{photos}/empty"], 1, "There are no files in"),
        (["{photos}/text.jpg"], 1, "None of the files could be scored"),
        (["{photos}", "--csv", "{photos}/missing/a.csv"], 1, "cannot be written"),
        (["{photos}", "--csv", "{photos}/a", "--jsonl", "{photos}/a"], 1, "needs its own file"),
        (["{photos}", "--reject-at", "7", "--pending-at", "6"], 1, "must not be above"),
        (["{photos}", "--heads", "{photos}"], 1, "cannot be read"),
        (["{photos}", "--backbone", "resnet50"], 1, "need features of efficientnet_lite0, not of resnet50"),
        (["{photos}", "--scale", "1-1"], 1, "is not a scale"),
        (["{photos}", "--synsets", "409,watch"], 1, "ImageNet classes from 0 to 999"),
    ],
)
def test_invalid_arguments_give_a_one_sentence_error(
    score: Run, photos: Path, arguments: list[str], status: int, sentence: str
) -> None:
    (photos / "empty").mkdir()
    (photos / "text.jpg").write_text("text")
    with pytest.raises(CommandError, match=sentence) as caught:
        score(*[argument.format(photos=photos) for argument in arguments])
    assert caught.value.returncode == status


def test_heads_that_do_not_match_their_card_are_refused(score: Run, photos: Path, tmp_path: Path) -> None:
    from inference.networks.config import PRIOR_FOLDER

    folder = tmp_path / "heads"
    folder.mkdir()
    (folder / "heads.safetensors").write_bytes((PRIOR_FOLDER / "heads.safetensors").read_bytes())
    card = json.loads((PRIOR_FOLDER / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "weights_sha256": "0" * 64}))
    with pytest.raises(CommandError, match="does not match its card"):
        score(photos, "--heads", folder)


def test_a_line_that_is_not_a_row_is_refused(tmp_path: Path) -> None:
    from inference.scoring.tables import ResumeError

    (tmp_path / "a").write_text('{"file": "a"}\n[1]\n')
    with pytest.raises(ResumeError, match="other columns"):
        list(JsonLinesTable(tmp_path / "a", ()).read())


def test_a_missing_int8_file_gives_a_one_sentence_error(
    score: Run, photos: Path, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IQS_PRECISION = "int8"
    monkeypatch.setattr(int8, "_SHIPPED", tmp_path)  # hides the shipped int8 file
    for path in (settings.MODELS_ROOT / "backbones").glob("*.int8.*"):
        path.unlink()
    with pytest.raises(CommandError, match=r"make it with `manage\.py quantise_backbone"):
        score(photos)
