"""Learning the whole network, against the ridge regression on the features of the network as it was.

With `--data DIR`, a folder of photos with votes (`benchmarks/_learning_data.py`): one third of the groups is tested.
Otherwise photos with simulated votes, only to measure the time. Both learn from the same votes.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from annotation.measures.distribution import rps
from annotation.photos.decoding import photo_open
from benchmarks._claims import Claim, Setting
from benchmarks._learning_data import RatedPhotos, has_votes, photos_read, rated_images_of, simulated_votes
from benchmarks._photos import photo_files
from benchmarks._votes import table_rows
from inference.networks.backbones import backbone_load
from inference.networks.checkpoint import prior_for
from inference.networks.config import EFFICIENTNET_LITE0
from inference.networks.transforms import pixels
from inference.scoring.processor import processor_name
from training.learning.dataset import RatedImages
from training.learning.photo_pixels import PhotoPixels
from training.learning.quality_data import QualityData, predicted
from training.learning.recipe import FittedHeads, History
from training.learning.ridge import Ridge, RidgeConfig
from training.learning.whole_network import WholeNetwork
from training.learning.whole_network_config import WholeNetworkConfig

CONFIG = EFFICIENTNET_LITE0
VOTES = 10
_SYNSETS = (409, 530, 531, 826, 892)
_BATCH = 16
_MINUTES = 30.0


@dataclass(frozen=True)
class Compared:
    """Of photos of other groups: SRCC with the MOS, and RPS per vote."""

    srcc: float
    rps: float


def measure(setting: Setting) -> Iterator[Claim]:
    """Compare both on real votes, if the folder has them, and measure the time of an epoch."""
    torch.set_num_threads(1)
    real = next(
        (one for one in (setting.data, setting.data and setting.data / "oasis") if one and has_votes(one)), None
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = WholeNetworkConfig(epochs=1, photos_from=1, folds=5, batch=4) if setting.tiny else WholeNetworkConfig()
        if real is None:
            files = photo_files(setting, folder, 24 if setting.tiny else 200)
            votes = simulated_votes(np.linspace(2, 9, len(files)), np.arange(len(files)), 3, np.random.default_rng(1))
            photos = PhotosInFile(files, folder)
            rated = rated_images_of(*votes, groups=np.arange(len(files)).astype("U36"), bins=10)
            nothing = np.zeros((len(files), CONFIG.feature_size), dtype=np.float32)  # only the time is of interest
            yield _time(photos.learned(rated, np.arange(len(files)), config, nothing, seed=1)[2])
            return
        yield from _real(real, folder, config, most=40 if setting.tiny else None)


def _real(real: Path, folder: Path, config: WholeNetworkConfig, *, most: int | None) -> Iterator[Claim]:
    files = [real / "photos" / row["file"] for row in table_rows(real / "photos.csv")[:most]]
    photos = PhotosInFile(files, folder)
    whole, head, ridge, seconds, learned = photos.compared(photos_read(real, photos, most=most), config, seed=1)
    yield Claim(
        claim=f"{real.name}, {CONFIG.name}, {learned} photos × {VOTES} votes, groups never seen: "
        f"SRCC {whole.srcc:.3f}, RPS {whole.rps:.3f} with the whole network",
        value=head.rps / whole.rps,
        unit="times as near to the votes as its head on the network as it was",
        baseline=f"SRCC, RPS of the same head on the network as it was {head.srcc:.3f}, {head.rps:.3f}; of the ridge "
        f"regression from all votes, those of the two left-out folds too, {ridge.srcc:.3f}, {ridge.rps:.3f}",
        target=0.98,
    )
    yield _time(seconds)


def _time(seconds_per_photo: float) -> Claim:
    minutes = seconds_per_photo * 1000 / 60
    return Claim(
        claim=f"An epoch of {CONFIG.name} on 1,000 photos takes one core of {processor_name()} {minutes:.1f} minutes",
        value=_MINUTES / minutes,
        unit="times below",
        baseline=f"limit: {_MINUTES:g} minutes",
        target=1,
    )


class PhotosInFile:
    """Photos, decoded once, and the features of the float network; it takes the place of an `Extractor`."""

    def __init__(self, files: Sequence[Path], folder: Path) -> None:
        self.file = folder / "pixels.npy"
        self.content = np.stack([pixels(photo_open(file), CONFIG.input_size) for file in files])
        np.save(self.file, self.content)

    def of_files(self, files: Sequence[Path]) -> NDArray[np.float32]:
        """Return the features [N, D] of all photos, which are `files`."""
        assert len(files) == len(self.content)
        return self._features(backbone_load(CONFIG))

    def _features(self, network: torch.nn.Module) -> NDArray[np.float32]:
        starts = range(0, len(self.content), _BATCH)
        with torch.no_grad():
            parts = [network(torch.from_numpy(self.content[one : one + _BATCH])).half().float() for one in starts]
        return torch.cat(parts).numpy()

    def learned(
        self,
        rated: RatedImages,
        rows: NDArray[np.int64],
        config: WholeNetworkConfig,
        features: NDArray[np.float32],
        *,
        seed: int,
    ) -> tuple[FittedHeads, QualityData, float]:
        """Return the fitted heads, what they learned from, and the processor time of an epoch for each photo, seconds.

        `features`: of all photos.
        """
        prior, _ = prior_for(CONFIG, bins=rated.histograms.shape[1], synsets=_SYNSETS)
        data = QualityData(prior, features[rows], rated, photos=PhotoPixels(self.file, rows, CONFIG))
        marks: list[float] = []

        def report(stage: str, _share: float, history: History) -> None:
            if stage.startswith("Learning the whole network") and history:  # from the first epoch on
                marks.append(time.process_time())

        fitted = WholeNetwork().fit(data, config=config, seed=seed, report=report)
        epochs = max(len(fitted.history) - 1, 1)
        return fitted, data, (marks[-1] - marks[0]) / epochs / fitted.figures["whole_network"]["photos_learned"]

    def compared(
        self, known: RatedPhotos, config: WholeNetworkConfig, *, seed: int
    ) -> tuple[Compared, Compared, Compared, float, int]:
        """Return the whole network, its head on the network as it was, and the ridge regression from all votes.

        Also return the seconds of an epoch for each photo, and the number of photos.
        """
        rng = np.random.default_rng(1000 + seed)
        names = rng.permutation(np.unique(known.groups))
        held = np.isin(known.groups, names[: len(names) // 3])
        rows, tested = np.flatnonzero(~held), np.flatnonzero(held)
        rated = known.rated(rows, VOTES, rng)
        fitted, data, seconds = self.learned(rated, rows, config, known.features, seed=seed)
        alone = Ridge().fit(data, config=RidgeConfig(), seed=seed, report=lambda *_progress: None)
        features = known.features if fitted.network is None else self._features(fitted.network)
        given = known.histograms()[tested].astype(np.float64)
        truth = given @ np.arange(known.bins) / given.sum(1)
        found = []
        for heads, inputs in ((fitted.heads, features), (fitted.heads, known.features), (alone.heads, known.features)):
            distribution = predicted(heads, inputs[tested])
            mean = distribution @ np.arange(known.bins)
            found.append(Compared(float(spearmanr(mean, truth)[0]), float(rps(distribution, given).mean())))
        return found[0], found[1], found[2], seconds, len(rows)
