"""`manage.py watch_thresholds`: a table of thresholds for a folder of labelled photos."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from inference.scoring.rows import Rules
from tests.inference.tiny_models import SYNSETS, tiny_models_place

RunCommand = Callable[..., tuple[str, str]]


@pytest.fixture(autouse=True)
def _models(settings: Any) -> None:
    tiny_models_place(settings.MODELS_ROOT, Rules(SYNSETS))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve photos, f0 … f11. The tiny model predicts a watch for the six with little contrast, f0 … f5."""
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    for number in range(12):
        noise = np.random.default_rng(number).normal(0, 3 * (number + 1), (32, 32, 3))
        Image.fromarray((128 + noise).clip(0, 255).astype(np.uint8)).save(folder / "deep" / f"f{number}.png")
    return folder


@pytest.fixture
def run_command(photos: Path, tmp_path: Path) -> RunCommand:
    def run(labels: str, *arguments: str) -> tuple[str, str]:
        (tmp_path / "labels.csv").write_text(labels)
        out, errors = io.StringIO(), io.StringIO()
        call_command(
            "watch_thresholds", str(photos), "--labels", str(tmp_path / "labels.csv"), *arguments,
            stdout=out, stderr=errors,
        )  # fmt: skip
        return out.getvalue(), errors.getvalue()

    return run


def labels(*watches: int) -> str:
    return "file,watch\n" + "".join(f"deep/f{n}.png,{int(n in watches)}\n" for n in range(12))


def test_correct_predictions_give_a_perfect_table(run_command: RunCommand) -> None:
    out, _ = run_command(labels(0, 1, 2, 3, 4, 5))
    assert "12 photos, 6 of them watches" in out
    assert "ROC AUC 1.0000 (1.0000-1.0000), n = 12" in out
    assert re.search(r"1\.0000    1\.0000     1\.0000  1\.0000      6     0     0     6  best F1", out)
    thresholds = re.findall(r"^ +([\d.]+) +\d\.\d+", out, re.MULTILINE)
    assert {"0.0100", "0.0200", "0.0500", "0.1000", "0.2000", "0.3000", "0.4000", "0.5000"} <= set(thresholds)
    assert thresholds == sorted(thresholds)


def test_errors_are_counted(run_command: RunCommand) -> None:
    out, _ = run_command(labels(0, 1, 2, 3, 4, 11))
    # There are 36 pairs of a watch and another photo. The 6 pairs with f11 are in the wrong order.
    assert "ROC AUC 0.8333" in out
    # With a threshold between f4 and f5, there are five true positives and one false negative.
    assert re.search(r"0\.9091    0\.9167     1\.0000  0\.8333      5     0     1     6  best F1", out)


def test_other_columns_and_label_words_work(run_command: RunCommand) -> None:
    table = "name;x\n".replace(";", ",") + "deep/f0.png,Yes\ndeep/f11.png,no\n"
    out, _ = run_command(table, "--image-column", "name", "--label-column", "x")
    assert "2 photos, 1 of them watches" in out


def test_files_that_are_missing_or_broken_are_named_and_left_out(run_command: RunCommand, photos: Path) -> None:
    (photos / "text.jpg").write_text("text")
    out, errors = run_command(labels(0) + "nowhere.jpg,1\ntext.jpg,1\n")
    assert "12 photos, 1 of them watches" in out
    assert "1 labelled files that are not in" in errors
    assert "text.jpg: Not a photo" in errors


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("image,watch\na,1\n", "no column 'file', only 'image', 'watch'"),
        ("file,label\na,1\n", "no column 'watch', only 'file', 'label'"),
        ("", "no column 'file', only none"),
        ("file,watch\n", "has a header but no labels"),
        ("file,watch\ndeep/f0.png,perhaps\n", "line 2: 'perhaps' in column 'watch' is not a label"),
        ("file,watch\ndeep/f0.png\n", "line 2: '' in column 'watch' is not a label"),
        ("file,watch\ndeep/f0.png,1\ndeep/f0.png,0\n", "line 3: deep/f0.png has two different labels"),
        ("file,watch\na.png,1\nb.png,0\n", "None of the 2 files named in"),
        ("file,watch\ndeep/f0.png,1\n", "1 of 1 labelled photos show a watch"),
    ],
)
def test_unusable_labels_give_an_error_message(run_command: RunCommand, table: str, sentence: str) -> None:
    with pytest.raises(CommandError, match=re.escape(sentence)):
        run_command(table)


def test_missing_paths_give_an_error_message(tmp_path: Path, photos: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("watch_thresholds", str(photos), "--labels", str(tmp_path / "none.csv"))
    (tmp_path / "labels.csv").write_text(labels(1))
    with pytest.raises(CommandError, match="does not exist"):
        call_command("watch_thresholds", str(tmp_path / "none"), "--labels", str(tmp_path / "labels.csv"))
