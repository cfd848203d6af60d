"""Reads a folder of photos whose answers are known.

With votes: photos/, photos.csv (`file,group`, and optionally `mos`) and votes.csv (`annotator,file,score`). With watch
labels: photos and a photos.csv (`file,watch`, and optionally `group`) in the folder or beside it. A photo without a
group is a group of its own.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotation.files.names import name_shown
from training.simulation.raters import RaterPanel
from training.simulation.ratings import QUALITY, WATCH, Layout, Ratings, VoteTable

# Takes the photo files [N]; returns their features [N, D].
Extract = Callable[[Sequence[Path]], NDArray[np.float32]]

_FEWEST_PHOTOS = 12


class FolderUnusable(ValueError):
    """The folder has no photos with answers; the message says what is missing."""


@dataclass(frozen=True)
class FolderTable:
    """The tables of a folder, before features are computed."""

    task: str
    name: str
    files: tuple[Path, ...]
    groups: NDArray[np.int64]
    truth: NDArray[np.float64]
    """NaN: the photo has neither a vote nor a score."""
    votes: VoteTable | None
    lowest: int
    highest: int

    def ratings(self, extract: Extract, layout: Layout, *, panel: RaterPanel | None = None) -> Ratings:
        """Return the photos with their features. With a `panel`, all scores are given by simulated annotators."""
        votes, lowest, highest = self.votes, self.lowest, self.highest
        if panel is not None and self.task == QUALITY:
            panel, votes = panel.on_scale(lowest, highest), None
        return Ratings(
            task=self.task,
            name=self.name,
            features=extract(self.files),
            layout=layout,
            groups=self.groups,
            truth=self.truth,
            lowest=lowest,
            highest=highest,
            votes=votes,
            panel=panel if self.task == QUALITY else None,
        )


def folder_read(folder: Path) -> FolderTable:
    """Read the tables. Raises FolderUnusable with the reason."""
    if (folder / "votes.csv").is_file():
        return _with_votes(folder)
    table = next((path for path in (folder / "photos.csv", folder.with_suffix(".csv")) if path.is_file()), None)
    if table is None:
        raise FolderUnusable(f"{folder} has neither votes.csv nor photos.csv, and there is no {folder.name}.csv beside")
    rows = _rows(table, ("file", "watch"))
    if any(row["watch"] not in ("0", "1") for row in rows):
        raise FolderUnusable(f"{table}: the column watch must be 0 or 1")
    truth = np.array([float(row["watch"]) for row in rows])
    if not 0 < truth.sum() < len(truth):
        raise FolderUnusable(f"{table}: both photos with and without a watch are needed")
    return FolderTable(WATCH, folder.name, _files(folder, rows), _groups(rows), truth, None, 0, 1)


def _with_votes(folder: Path) -> FolderTable:
    rows = _rows(folder / "photos.csv", ("file",))
    place = {row["file"]: number for number, row in enumerate(rows)}
    given = _rows(folder / "votes.csv", ("annotator", "file", "score"), fewest=1)
    given = [row for row in given if row["file"] in place]
    try:
        scores = np.array([float(row["score"]) for row in given])
    except ValueError as error:
        raise FolderUnusable(f"{folder / 'votes.csv'}: a score is no number ({error})") from error
    photo = np.array([place[row["file"]] for row in given], dtype=np.int64)
    _, annotator = np.unique([row["annotator"] for row in given], return_inverse=True)
    counts = np.bincount(photo, minlength=len(rows))
    if not len(scores) or not counts.all():
        raise FolderUnusable(f"{folder / 'votes.csv'}: {int((counts == 0).sum())} photos of photos.csv have no vote")
    return FolderTable(
        QUALITY,
        folder.name,
        _files(folder, rows),
        _groups(rows),
        np.bincount(photo, scores) / counts,
        VoteTable(photo, annotator, scores),
        int(scores.min()),
        int(scores.max()),
    )


def _rows(path: Path, columns: tuple[str, ...], *, fewest: int = _FEWEST_PHOTOS) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeError, csv.Error) as error:
        raise FolderUnusable(f"{path} cannot be read ({error})") from error
    missing = [column for column in columns if rows and rows[0].get(column) is None]
    if missing:
        raise FolderUnusable(f"{path} has no column {' and no column '.join(missing)}")
    if len(rows) < fewest:
        raise FolderUnusable(f"{path} has {len(rows)} rows; at least {fewest} are needed")
    return rows


def _groups(rows: list[dict[str, str]]) -> NDArray[np.int64]:
    names = [row.get("group") or f"\0{number}" for number, row in enumerate(rows)]
    found: NDArray[np.int64] = np.unique(names, return_inverse=True)[1]
    return found


def _files(folder: Path, rows: list[dict[str, str]]) -> tuple[Path, ...]:
    """Return the photo files, in photos/ or in the folder itself."""
    base = folder / "photos" if (folder / "photos").is_dir() else folder
    files = tuple(base / row["file"] for row in rows)
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise FolderUnusable(f"{base}: {len(missing)} files are missing, for example {name_shown(missing[0].name)}")
    return files
