"""Photos, tiny models, and a function that runs `manage.py score`."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from PIL import Image

from inference.scoring.rows import Rules
from tests.inference.tiny_models import RULES, SYNSETS, tiny_models_place

Run = Callable[..., str]


@pytest.fixture(autouse=True)
def _models(settings: Any) -> None:
    tiny_models_place(settings.MODELS_ROOT, RULES, Rules(SYNSETS, bins=5), Rules(SYNSETS, lowest=0, bins=2))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with five photos of different brightness, one of them in a subfolder."""
    folder = tmp_path / "photos"
    (folder / "inner").mkdir(parents=True)
    for brightness in (40, 90, 140, 190, 240):
        noise = np.random.default_rng(brightness).integers(-15, 15, (48, 64, 3))
        picture = Image.fromarray((brightness + noise).clip(0, 255).astype(np.uint8))
        picture.save(folder / ("inner" if brightness == 240 else "") / f"{brightness}.png")
    return folder


@pytest.fixture
def score(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command and returns its standard error."""

    def run(*arguments: object) -> str:
        errors = io.StringIO()
        call_command("score", *[str(argument) for argument in arguments], stderr=errors)
        return errors.getvalue()

    return run


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
