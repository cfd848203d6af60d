"""The map of the photos: t-SNE of a sample with the other photos between it, against two principal components.

Trustworthiness (scikit-learn; Venna and Kaski, 2001) says how many of the neighbours on the map are neighbours by their
features: 1 is all, and about .5 is a map by chance. It is measured on at most 2,000 of the photos. Without `--data` the
features are drawn: groups on curved surfaces, seen through random positive units as pooled activations are.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import trustworthiness

from benchmarks._claims import Claim, Setting
from benchmarks._photos import BATCH, networks, photo_files
from inference.projection.layout import Components, landmark_layout, pca_layout

SIZES = (2_000, 20_000)
FEATURES, GROUPS, SURFACE = 1_280, 40, 3
NEIGHBOURS, COMPARED = 12, 2_000


def measure(setting: Setting) -> Iterator[Claim]:
    """Measure both maps for each number of photos; with `--data` also on the features of real photos."""
    rng = np.random.default_rng(0)
    sizes = (60, 120) if setting.tiny else SIZES
    yield from (_claim(drawn_features(size, rng), f"{size:,} drawn photos", rng) for size in sizes)
    if setting.data is not None:
        features = photo_features(setting)
        yield _claim(features, f"{len(features):,} real photos", rng)


def drawn_features(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return features [count, FEATURES], never negative: photos of GROUPS kinds that vary in SURFACE ways each."""
    group = rng.integers(0, GROUPS, count)
    way = rng.uniform(-1, 1, (count, SURFACE))
    hidden = rng.normal(0, 2.0, (GROUPS, 24))[group]
    directions = rng.normal(0, 1.2, (GROUPS, SURFACE, 24))[group]
    hidden = hidden + np.einsum("ns,nsd->nd", way, directions)
    hidden = hidden + 0.5 * np.sin(2 * hidden[:, ::-1]) + rng.normal(0, 0.3, hidden.shape)
    weights = rng.normal(0, 1, (24, FEATURES)) / 24**0.5
    return np.maximum(hidden @ weights - 0.5, 0).astype(np.float32)


def photo_features(setting: Setting) -> NDArray[np.float32]:
    """Return the pooled features of the photos of `--data`."""
    from annotation.photos.decoding import photo_open
    from inference.networks.config import EFFICIENTNET_LITE0

    with tempfile.TemporaryDirectory() as name:
        files = photo_files(setting, Path(name), 60 if setting.tiny else 4_000)
        _, network = networks(Path(name))
        parts = []
        for start in range(0, len(files), BATCH):
            pixels = [network.prepare(photo_open(path)) for path in files[start : start + BATCH]]
            parts.append(network.features(pixels))
    config = EFFICIENTNET_LITE0
    return np.concatenate(parts)[:, config.pooled_start : config.pooled_stop]


def _claim(features: NDArray[np.float32], what: str, rng: np.random.Generator) -> Claim:
    components, reducing = _timed(lambda: Components(features).reduce(features))
    maps = {
        "two components": _timed(lambda: pca_layout(components)),
        **{
            f"t-SNE of {landmarks:,}": _timed(
                lambda landmarks=landmarks: landmark_layout(components, landmarks=landmarks)
            )
            for landmarks in _landmarks(len(features))
        },
    }
    rows = rng.choice(len(features), min(COMPARED, len(features)), replace=False)
    near = min(NEIGHBOURS, len(rows) // 3)
    trust = {
        name: float(trustworthiness(features[rows], points[rows], n_neighbors=near))
        for name, (points, _) in maps.items()
    }
    chosen = list(maps)[-1]
    words = {
        name: f"{name}: trustworthiness {trust[name]:.3f} in {reducing + seconds:.1f} s"
        for name, (_, seconds) in maps.items()
    }
    return Claim(
        claim=f"Map of {what}, {words[chosen]}",
        value=(1 - trust["two components"]) / max(1 - trust[chosen], 1e-9),
        unit="times fewer false neighbours",
        baseline="; ".join(text for name, text in words.items() if name != chosen),
        target=0.0 if len(features) < 1_000 else 1.5,
    )


def _landmarks(count: int) -> list[int]:
    from inference.projection.layout import LANDMARKS

    return sorted({min(count, size) for size in (1_000, LANDMARKS)})


def _timed(action: Callable[[], NDArray[np.float32]]) -> tuple[NDArray[np.float32], float]:
    start = time.perf_counter()
    found = action()
    return found, time.perf_counter() - start
