"""Generates about two hundred demo photos: half show a watch, and each has a known degradation."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from inference.distortion.degradations import DEGRADATIONS, GRADES, photo_degrade
from iqs_site.demo.scenes import SOURCES, grain_add, scene_draw, watch_compose
from iqs_site.demo.watches import KINDS

Choice = TypeVar("Choice")
PHOTO_COUNT = 200
PHOTO_SEED = 20260101


@dataclass(frozen=True)
class DemoPhoto:
    """What is known about one demo photo.

    name: file name. scene: key of SOURCES. watch: key of KINDS, or '' for a photo without one.
    degradation: key of DEGRADATIONS. grade: 0 (none) … 4 (severe). seed: decides everything else.
    """

    name: str
    scene: str
    watch: str
    degradation: str
    grade: int
    seed: tuple[int, int]

    @property
    def details(self) -> dict[str, str | int | bool]:
        """Return the value of `Image.details`."""
        return {"degradation": self.degradation, "grade": self.grade, "watch": bool(self.watch), "kind": self.watch}


def photos_plan(count: int = PHOTO_COUNT, seed: int = PHOTO_SEED) -> list[DemoPhoto]:
    """Return the photos to draw, with watches, scenes, degradations and grades in nearly equal shares.

    The same count and seed give the same plan. The plans of two counts have nothing in common.
    """
    rng = np.random.default_rng(seed)
    watches = [*_shares(list(KINDS), (count + 1) // 2, rng), *[""] * (count // 2)]
    scenes = [*_shares(list(SOURCES), (count + 1) // 2, rng), *_shares(list(SOURCES), count // 2, rng)]
    faults = _shares([(name, grade) for name in DEGRADATIONS for grade in range(GRADES)], count, rng)
    # Shuffle watches and other photos together, so that file names do not give the answer.
    return [
        DemoPhoto(f"photo-{place:03d}.jpg", scenes[i], watches[i], faults[i][0], faults[i][1], (seed, int(i)))
        for place, i in enumerate(rng.permutation(count), start=1)
    ]


def photo_make(photo: DemoPhoto) -> bytes:
    """Return the bytes of the JPEG file. The same plan gives the same bytes with the same Pillow."""
    rng = np.random.default_rng(photo.seed)
    picture = scene_draw(photo.scene, rng)
    if photo.watch:
        picture = watch_compose(picture, photo.watch, rng)
    return photo_degrade(grain_add(picture, rng), photo.degradation, photo.grade, rng)


def photos_write(folder: Path, plan: list[DemoPhoto]) -> Iterator[tuple[Path, DemoPhoto]]:
    """Write each photo of the plan into the folder and yield (path, photo), in the order of the plan."""
    folder.mkdir(parents=True, exist_ok=True)

    def write(photo: DemoPhoto) -> Path:
        path = folder / photo.name
        path.write_bytes(photo_make(photo))
        return path

    # Threads are enough: Pillow and NumPy release the GIL while they process pixels.
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        yield from zip(pool.map(write, plan), plan, strict=True)


def _shares(choices: list[Choice], count: int, rng: np.random.Generator) -> list[Choice]:
    """Return `count` choices in random order; two choices differ by at most one in how often they occur."""
    repeated = (choices * (count // len(choices) + 1))[:count]
    return [repeated[i] for i in rng.permutation(count)]
