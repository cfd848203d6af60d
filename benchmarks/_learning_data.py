"""Photos with votes for the benchmark of learning: real ones from a folder, or simulated votes. Not a benchmark.

A folder has photos/, photos.csv (`file,group`) and votes.csv (`annotator,file,score`). Photos of one group are alike,
so a group is never divided between learning and testing.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotation.photos.decoding import photo_open
from benchmarks._votes import table_rows
from inference.distortion.degradations import DEGRADATIONS, GRADES, photo_degrade
from inference.networks.backbones import backbone_load
from inference.networks.config import BackboneConfig
from inference.networks.export import backbone_to_onnx
from inference.networks.transforms import pixels
from inference.scoring.predictor import Backbone
from iqs_site.demo.panel import Panel
from iqs_site.demo.photo_measures import photo_measure
from training.learning.dataset import RatedImages, RatedVotes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BATCH = 16
_DEGRADED = 0.55
# A simulated panel: people, standard deviations of their bias and of single votes, and the share of random clickers.
PEOPLE, BIAS, NOISE, CLICKERS = 20, 0.7, 1.65, 0.1
_TASTES, _TASTE = 40, {"faults": 0.5, "taste": 1.0}


@dataclass(frozen=True)
class RatedPhotos:
    """Photos [N] with their features and votes."""

    features: NDArray[np.float32]
    groups: NDArray[np.str_]
    photo: Ints
    """Of each vote, 0 … N − 1 [V]."""
    annotator: Ints
    steps: Ints
    """Of each vote, above the lowest score [V]."""
    bins: int

    def histograms(self) -> NDArray[np.float32]:
        """Return the votes on each photo [N, K]."""
        counts = np.zeros((len(self.groups), self.bins), dtype=np.float32)
        np.add.at(counts, (self.photo, self.steps), 1)
        return counts

    def rated(self, photos: Ints, votes: int, rng: np.random.Generator) -> RatedImages:
        """Return these photos with `votes` random votes each."""
        order = rng.permutation(len(self.photo))
        order = order[np.argsort(self.photo[order], kind="stable")]
        starts = np.searchsorted(self.photo[order], photos)
        chosen = np.concatenate([order[start : start + votes] for start in starts])
        place = np.searchsorted(photos, self.photo[chosen])
        return rated_images_of(
            place, self.annotator[chosen], self.steps[chosen], groups=self.groups[photos], bins=self.bins
        )


def rated_images_of(place: Ints, annotator: Ints, steps: Ints, *, groups: NDArray[np.str_], bins: int) -> RatedImages:
    """Return photos [N] with these votes; nobody has said whether they show a watch."""
    histograms = np.zeros((len(groups), bins), dtype=np.float32)
    np.add.at(histograms, (place, steps), 1)
    nobody = np.zeros(len(groups), dtype=np.float32)
    return RatedImages(
        image_ids=np.arange(len(groups)),
        groups=groups,
        histograms=histograms,
        watch_yes=nobody,
        watch_no=nobody,
        votes=RatedVotes(place, annotator, steps, np.ones(len(steps))),
    )


def has_votes(folder: Path) -> bool:
    """Return whether the folder has rated photos."""
    return (folder / "votes.csv").is_file() and (folder / "photos.csv").is_file()


class OfFiles(Protocol):
    """Computes the features of photo files: `Extractor`."""

    def of_files(self, files: Sequence[Path]) -> NDArray[np.float32]:
        """Return the features [N, D]."""
        ...


def photos_read(folder: Path, extract: OfFiles, *, most: int | None = None) -> RatedPhotos:
    """Read the photos and votes of a folder; at most the first `most` photos."""
    rows = table_rows(folder / "photos.csv")[:most]
    files = {row["file"]: place for place, row in enumerate(rows)}
    votes = [row for row in table_rows(folder / "votes.csv") if row["file"] in files]
    scores = np.array([int(row["score"]) for row in votes])
    _, annotator = np.unique([row["annotator"] for row in votes], return_inverse=True)
    return RatedPhotos(
        features=extract.of_files([folder / "photos" / row["file"] for row in rows]),
        groups=np.array([row["group"] for row in rows]),
        photo=np.array([files[row["file"]] for row in votes]),
        annotator=annotator,
        steps=scores - scores.min(),
        bins=int(scores.max() - scores.min()) + 1,
    )


class Extractor:
    """A backbone that computes the features of photos."""

    def __init__(self, config: BackboneConfig, folder: Path) -> None:
        """`folder`: for the backbone's ONNX file."""
        self.config = config
        path = folder / f"{config.name}.onnx"
        if not path.exists():
            backbone_to_onnx(backbone_load(config), path)
        self._backbone = Backbone(path, threads=2, device="cpu")

    def of_files(self, files: Sequence[Path]) -> NDArray[np.float32]:
        """Return the features [N, D] of photo files."""
        return self.of_pictures([photo_open(file) for file in files])

    def of_pictures(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Return the features [N, D] of pictures, rounded as the database stores them."""
        inputs = [pixels(picture, self.config.input_size) for picture in pictures]
        found = [self._backbone.features(inputs[start : start + _BATCH]) for start in range(0, len(inputs), _BATCH)]
        return np.concatenate(found).astype(np.float16).astype(np.float32)


@dataclass(frozen=True)
class Scenario:
    """Photos with a true quality on 1 … 10, for simulated votes."""

    features: NDArray[np.float32]
    quality: Floats
    """[N], without what people like in the content."""
    content: Floats
    """Directions of content [N, R], each with the variance 1."""
    taste: float
    """Standard deviation of the part of the quality that the content gives."""

    def truth(self, rng: np.random.Generator) -> Floats:
        """Return the quality [N] with a random taste of the panel."""
        liked = self.content @ rng.normal(size=self.content.shape[1]) / np.sqrt(self.content.shape[1])
        quality: Floats = np.clip(self.quality + self.taste * liked, 1, 10)
        return quality


def scenario_make(name: str, files: Sequence[Path], extract: Extractor, content: NDArray[np.float32]) -> Scenario:
    """Return a scenario: 'faults', where the quality is that of degraded photos, or 'taste', of content alone.

    `content` [N, D]: features of the undegraded photos.
    """
    pictures = [photo_open(file) for file in files]
    quality = np.full(len(files), 5.5)
    if name == "faults":
        rng = np.random.default_rng(5)
        written = [_degraded(picture, rng) for picture in pictures]
        quality = np.array([Panel().quality(photo_measure(data)) for data in written])
        pictures = [Image.open(io.BytesIO(data)).convert("RGB") for data in written]
    scaled = (content - content.mean(0)) / (content.std(0) + 1e-3)
    left = np.linalg.svd(scaled, full_matrices=False)[0][:, :_TASTES] * np.sqrt(len(files))
    return Scenario(extract.of_pictures(pictures), quality, left.astype(np.float64), _TASTE[name])


def simulated_votes(truth: Floats, photos: Ints, votes: int, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Return place in `photos`, annotator and steps of the votes of a simulated panel with random clickers."""
    bias = rng.normal(0, BIAS, PEOPLE)
    clicks = np.arange(PEOPLE) < round(CLICKERS * PEOPLE)
    people = np.concatenate([rng.choice(PEOPLE, votes, replace=False) for _ in photos])
    place = np.repeat(np.arange(len(photos)), votes)
    honest = truth[photos[place]] + bias[people] + rng.normal(0, NOISE, len(people))
    given = np.where(clicks[people], rng.uniform(0.5, 10.5, len(people)), honest)
    return place, people, np.clip(np.rint(given), 1, 10).astype(np.int64) - 1


def honest_histograms(truth: Floats, votes: int, rng: np.random.Generator) -> Floats:
    """Return the votes [N, 10] of other simulated people, none of them a random clicker."""
    deviation = np.hypot(BIAS, NOISE)
    given = np.clip(np.rint(truth[:, None] + rng.normal(0, deviation, (len(truth), votes))), 1, 10).astype(np.int64)
    return np.stack([(given == score).sum(1) for score in range(1, 11)], axis=1).astype(np.float64)


def _degraded(picture: Image.Image, rng: np.random.Generator) -> bytes:
    """Return a JPEG file of the picture, in most cases with one fault."""
    names = list(DEGRADATIONS)
    if rng.random() < _DEGRADED:
        return photo_degrade(picture, names[rng.integers(len(names))], int(rng.integers(1, GRADES)), rng)
    return photo_degrade(picture, names[0], 0, rng)
