"""Generated photos for the tests of the recipe `whole_network`, and the bundled network on small pictures.

Brighter photos are better. `python -m tests.training.learning.whole_network_data FOLDER RESULT` learns with checkpoints
in FOLDER and prints each epoch, so that a test can kill it in between.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from inference.networks.checkpoint import prior_for
from inference.networks.config import EFFICIENTNET_LITE0
from training.learning.checkpoints import Checkpoints
from training.learning.dataset import RatedImages
from training.learning.photo_pixels import Compute, PhotoPixels
from training.learning.quality_data import QualityData
from training.learning.recipe import FittedHeads, History
from training.learning.whole_network import WholeNetwork
from training.learning.whole_network_config import WholeNetworkConfig

SIDE, PHOTOS, BINS = 96, 36, 10
BACKBONE = replace(EFFICIENTNET_LITE0, input_size=SIDE)
CONFIG = WholeNetworkConfig(photos_from=20, folds=6, epochs=2, batch=8, learning_rate=1e-4)


def whole_network_data(
    folder: Path, *, processes: int = 1, checkpoints: Checkpoints | None = None, photos: int = PHOTOS
) -> QualityData:
    """Return rated photos, whose pixels are written to the folder."""
    rng = np.random.default_rng(0)
    quality = rng.uniform(0, BINS - 1, photos)
    light = 110 + 8 * (quality - 4.5)
    pixels = np.clip(light[:, None, None, None] + rng.normal(0, 20, (photos, SIDE, SIDE, 3)), 0, 255)
    np.save(folder / "pixels.npy", pixels.astype(np.uint8))
    histograms = np.zeros((photos, BINS), dtype=np.float32)
    for _vote in range(3):
        steps = np.clip(np.rint(quality + rng.normal(0, 1, photos)), 0, BINS - 1).astype(int)
        histograms[np.arange(photos), steps] += 1
    nobody = np.zeros(photos, dtype=np.float32)
    rated = RatedImages(np.arange(photos), np.arange(photos).astype("U36"), histograms, nobody, nobody)
    prior, _ = prior_for(BACKBONE, bins=BINS, synsets=(409,))
    pictures = PhotoPixels(folder / "pixels.npy", np.arange(photos), BACKBONE, Compute(processes=processes))
    features = rng.normal(size=(photos, BACKBONE.feature_size)).astype(np.float32)
    return QualityData(prior, features, rated, checkpoints, pictures)


def fitted(data: QualityData, config: WholeNetworkConfig = CONFIG, *, echo: bool = False) -> FittedHeads:
    """Return what the recipe learns."""

    def report(_stage: str, _share: float, history: History) -> None:
        if echo and history:
            print(f"epoch {history[-1]['epoch']:.0f}", flush=True)

    return WholeNetwork().fit(data, config=config, seed=1, report=report)


def main(folder: str, result: str) -> None:
    """Learn with checkpoints."""
    states = Checkpoints(Path(folder), "0")
    found = fitted(whole_network_data(Path(folder), checkpoints=states), replace(CONFIG, patience=9), echo=True)
    assert found.network is not None
    torch.save([found.network.state_dict(), found.history], result)


if __name__ == "__main__":
    main(*sys.argv[1:])
