"""Files to features and predictions: the way that workers take, against eager PyTorch with one photo at a time."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from benchmarks._claims import Claim, Setting, seconds_of
from benchmarks._photos import BATCH, THREADS, networks, photo_files, photo_pixels
from inference.networks.config import EFFICIENTNET_LITE0
from inference.networks.export import heads_to_onnx
from inference.networks.heads import heads_fresh
from inference.scoring.predictor import HeadsPredictor

SYNSETS = (409, 530, 531, 826, 892)


def measure(setting: Setting) -> Iterator[Claim]:
    """Score the same files both ways, with the same weights and the same number of threads."""
    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = photo_files(setting, folder, 4 if setting.tiny else 128)
        eager, served = networks(folder)
        heads = heads_fresh(EFFICIENTNET_LITE0, bins=10, synsets=SYNSETS).eval()
        heads_to_onnx(heads, folder / "heads.onnx")
        predictor = HeadsPredictor(folder / "heads.onnx", threads=THREADS)

        def serve(paths: list[Path]) -> None:
            """Decode a batch in threads while the one before it is in the network, as `features_compute` does."""
            with ThreadPoolExecutor(THREADS) as pool:
                batches = [paths[start : start + BATCH] for start in range(0, len(paths), BATCH)]
                following = [pool.submit(photo_pixels, path) for path in batches[0]]
                for index in range(len(batches)):
                    batch = [future.result() for future in following]
                    rest = batches[index + 1] if index + 1 < len(batches) else []
                    following = [pool.submit(photo_pixels, path) for path in rest]
                    predictor.predict(served.features(batch))

        def one_by_one(paths: list[Path]) -> None:
            with torch.inference_mode():
                for path in paths:
                    heads(eager(torch.from_numpy(photo_pixels(path)[np.newaxis].copy())))

        few = files[: max(4, len(files) // 4)]
        for warm in (serve, one_by_one):
            warm(files[:4])
        ours = len(files) / seconds_of(lambda: serve(files), times=2)
        theirs = len(few) / seconds_of(lambda: one_by_one(few), times=2)
    yield Claim(
        claim=f"Scoring files, {ours:.0f} photos per second with {THREADS} threads",
        value=ours / theirs,
        unit="times as many photos per second",
        baseline=f"the same networks in eager PyTorch, one photo at a time: {theirs:.0f} photos per second",
        target=2.0,
    )
