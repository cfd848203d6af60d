"""Votes of real people from a folder of public data sets. Not a benchmark.

`votes/` holds score histograms (AVA, DPChallenge, KonIQ-10k), the votes of five observers, and the labels of
'bluebirds' (Welinder et al., 2010); `oasis/` holds the votes of 757 people (Brielmann & Pelli, 2019). None of these
files is part of this repository.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Data set: its files below the folder.
FILES = {
    "AVA": ("votes/ava_histograms_idealo.json",),
    "DPChallenge": ("votes/dpchallenge_histograms.txt",),
    "KonIQ-10k": ("votes/koniq10k_distributions_sets.csv",),
    "OASIS": ("oasis/votes.csv", "oasis/repeats.csv"),
    "observers": tuple(f"votes/observers/Obs{number}.csv" for number in range(1, 6)),
    "bluebirds": ("votes/bluebirds_labels.yaml", "votes/bluebirds_gt.yaml"),
}


def missing(data: Path | None) -> list[str]:
    """Return the names of the data sets that the folder lacks."""
    return [name for name, files in FILES.items() if data is None or not all((data / file).is_file() for file in files)]


@dataclass(frozen=True)
class Votes:
    """Columns of equal length: photo (0 … N − 1), annotator (0 … M − 1), score or label."""

    photo: Ints
    rater: Ints
    score: Floats

    @property
    def photos(self) -> int:
        """Return N. Every photo has a vote."""
        return int(self.photo.max()) + 1

    @property
    def raters(self) -> int:
        """Return M."""
        return int(self.rater.max()) + 1


def histograms(data: Path, name: str) -> Ints:
    """Return the score histograms [N, K] of 'AVA', 'DPChallenge' or 'KonIQ-10k', lowest score first."""
    path = data / FILES[name][0]
    if name == "AVA":
        return np.array([row["label"] for row in json.loads(path.read_text())], dtype=np.int64)
    if name == "DPChallenge":
        lines = path.read_text().splitlines()
        return np.array([[int(float(count)) for count in line.split()[4:14]] for line in lines], dtype=np.int64)
    rows = table_rows(path)
    shares = [[float(row[f"c{score}"]) * float(row["c_total"]) for score in range(1, 6)] for row in rows]
    return np.rint(shares).astype(np.int64)


def oasis(data: Path) -> tuple[Votes, list[str]]:
    """Return the votes of OASIS, 1 to 7, and the file name of each photo."""
    rows = table_rows(data / "oasis/votes.csv")
    files, photo = np.unique([row["file"] for row in rows], return_inverse=True)
    _, rater = np.unique([int(row["annotator"]) for row in rows], return_inverse=True)
    return Votes(photo, rater, np.array([float(row["score"]) for row in rows])), files.tolist()


def oasis_repeats(data: Path, files: list[str]) -> tuple[Votes, Votes]:
    """Return the first and the second votes of people who rated some photos of OASIS twice, in the same order.

    These people are others than those of `oasis`. Pairs with a score outside 1 to 7 are left out (typing errors).
    """
    place = {file: number for number, file in enumerate(files)}
    scores: dict[tuple[int, int], dict[str, float]] = {}
    for row in table_rows(data / "oasis/repeats.csv"):
        pair = scores.setdefault((int(row["annotator"]), place[row["file"]]), {})
        pair[row["repetition"]] = float(row["score"])
    kept = {key: pair for key, pair in scores.items() if len(pair) == 2 and all(1 <= s <= 7 for s in pair.values())}
    _, rater = np.unique([key[0] for key in kept], return_inverse=True)
    photo = np.array([key[1] for key in kept])
    first, second = (np.array([pair[time] for pair in kept.values()]) for time in ("1", "2"))
    return Votes(photo, rater, first), Votes(photo, rater, second)


def observers(data: Path) -> Floats:
    """Return the scores of five observers for the same photos [N, 5], 1 to 5."""
    columns = [
        {row["Image Name"]: float(row["Vote"]) for row in table_rows(data / file)} for file in FILES["observers"]
    ]
    names = sorted(set.intersection(*(set(column) for column in columns)))
    return np.array([[column[name] for column in columns] for name in names])


def bluebirds(data: Path) -> tuple[Votes, Ints]:
    """Return the labels (0 or 1) of 39 annotators for 108 photos, and the true label of each photo [N]."""
    given, truth = (yaml.safe_load((data / file).read_text()) for file in FILES["bluebirds"])
    rows = [(image, person, int(label)) for person, labels in given.items() for image, label in labels.items()]
    images, photo = np.unique([row[0] for row in rows], return_inverse=True)
    _, rater = np.unique([row[1] for row in rows], return_inverse=True)
    votes = Votes(photo, rater, np.array([float(row[2]) for row in rows]))
    return votes, np.array([int(truth[image]) for image in images.tolist()])


def table_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
