"""`manage.py simulate` and `manage.py fit_raters`."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from inference.scoring.rows import Rules
from tests.inference.tiny_models import SYNSETS, tiny_models_place
from training.management.commands import simulate
from training.simulation.ratings import Layout

pytestmark = pytest.mark.usefixtures("_models")


@pytest.fixture
def _models(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_models_place(settings.MODELS_ROOT, Rules(SYNSETS))
    # The tiny backbone has two features, fewer than the one that it stands for.
    monkeypatch.setattr(simulate, "layout_of", lambda config: Layout(1, 2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """36 photos, which get brighter; a watch is on those with little contrast."""
    (tmp_path / "set" / "photos").mkdir(parents=True)
    for number in range(36):
        noise = np.random.default_rng(number).normal(0, 5 if number % 3 == 0 else 40, (24, 24, 3))
        picture = Image.fromarray((40 + 5 * number + noise).clip(0, 255).astype(np.uint8))
        picture.save(tmp_path / "set" / "photos" / f"f{number}.png")
    return tmp_path / "set"


@pytest.fixture
def watches(folder: Path) -> Path:
    lines = "".join(f"f{number}.png,{int(number % 3 == 0)}\n" for number in range(36))
    (folder / "photos.csv").write_text("file,watch\n" + lines)
    return folder


@pytest.fixture
def rated(folder: Path) -> Path:
    rng = np.random.default_rng(1)
    (folder / "photos.csv").write_text("file,group\n" + "".join(f"f{n}.png,g{n // 2}\n" for n in range(36)))
    votes = [
        f"p{person},f{n}.png,{int(np.clip(round(1 + n / 6 + rng.normal()), 1, 7))}\n"
        for n in range(36)
        for person in range(8)
    ]
    (folder / "votes.csv").write_text("annotator,file,score\n" + "".join(votes))
    return folder


def run(command: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_labels_are_replayed_and_reported(watches: Path, tmp_path: Path):
    out = run(
        "simulate", "--data", str(watches), "--out", str(tmp_path / "out"), "--seeds", "2", "--processes", "1",
        "--budgets", "10,20", "--mixtures", "random", "ours=typical_first@10>watch_margin", "--clicks", "0,0.1",
    )  # fmt: skip

    assert "Simulated annotators who know the label of 36 photos." in out
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["task"], report["is_simulated"], report["baseline"]) == ("watch", True, "random")
    assert {(one["mixture"], one["clicks"]) for one in report["answers_needed"]} == {
        (label, clicks) for label in ("random", "ours") for clicks in (0.0, 0.1)
    }
    page = (tmp_path / "out" / "report.html").read_text()
    assert "simulated random clicks" in page
    assert page.count("<svg xmlns") == 4  # F1 and watches found, with and without clicks
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_real_votes_are_replayed_and_features_are_computed_once(rated: Path, tmp_path: Path, settings: Any):
    arguments = ["--data", str(rated), "--out", str(tmp_path / "out"), "--seeds", "2", "--processes", "1"]
    out = run("simulate", *arguments, "--budgets", "24,48", "--mixtures", "random", "fewest_votes")

    assert "288 real votes of 8 people on 36 photos, each drawn once." in out
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert not report["is_simulated"]
    srcc = next(one for one in report["curves"] if one["figure"] == "srcc" and one["mixture"] == "fewest_votes")
    assert srcc["points"][-1]["value"] > 0.8  # brightness is a feature
    (kept,) = (Path(settings.MODELS_ROOT) / "simulation").iterdir()
    assert np.load(kept).shape == (36, 2)


def test_raters_are_fitted_and_then_give_the_votes(rated: Path, tmp_path: Path):
    raters = tmp_path / "raters.json"
    said = run("fit_raters", str(rated / "votes.csv"), "--out", str(raters))
    out = run(
        "simulate", "--data", str(rated), "--out", str(tmp_path / "out"), "--seeds", "1", "--processes", "1",
        "--budgets", "24", "--mixtures", "random", "--raters", str(raters),
    )  # fmt: skip

    assert "288 votes on the scale 1-7; 8 annotators with enough votes." in said
    assert "Simulated annotators like the 8 people of set/votes.csv, on 36 photos." in out


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (["--mixtures", "best"], "there is no strategy 'best'"),
        (["--raters", "no.json"], "no.json: "),
        (["--data", "nowhere"], "has neither votes.csv nor photos.csv"),
    ],
)
def test_what_cannot_be_used_is_said(watches: Path, tmp_path: Path, change: list[str], reason: str):
    with pytest.raises(CommandError, match=reason):
        run("simulate", "--data", str(watches), "--out", str(tmp_path / "out"), *change)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("file,watch\n" + "".join(f"f{n}.png,maybe\n" for n in range(36)), "must be 0 or 1"),
        ("file,watch\n" + "".join(f"f{n}.png,1\n" for n in range(36)), "both photos with and without"),
        ("file,watch\nf0.png,1\n", "has 1 rows; at least 12"),
        ("file,label\n" + "".join(f"f{n}.png,1\n" for n in range(36)), "no column watch"),
        ("file,watch\n" + "".join(f"g{n}.png,{n % 2}\n" for n in range(36)), "36 files are missing"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(folder: Path, tmp_path: Path, table: str, reason: str):
    (folder / "photos.csv").write_text(table)

    with pytest.raises(CommandError, match=reason):
        run("simulate", "--data", str(folder), "--out", str(tmp_path / "out"))


def test_votes_without_a_column_are_refused(tmp_path: Path):
    (tmp_path / "votes.csv").write_text("who,file,score\n")

    with pytest.raises(CommandError, match="has no column annotator"):
        run("fit_raters", str(tmp_path / "votes.csv"), "--out", str(tmp_path / "raters.json"))
