"""Training both heads from stored features, compared with running the frozen backbone in every epoch."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import Ridge, RidgeCV

from benchmarks._claims import Claim, Setting, seconds_of
from benchmarks._photos import BATCH, THREADS, networks, photo_files, photo_pixels
from inference.networks.config import EFFICIENTNET_LITE0
from inference.networks.heads import heads_fresh
from iqs_site.demo.panel import Panel
from iqs_site.demo.photo_measures import photo_measure
from training.learning.dataset import RatedImages, RatedVotes
from training.learning.fitting import heads_fit
from training.learning.registry import LearningPlan
from training.learning.ridge import RidgeConfig
from training.learning.score_line import score_line_fit
from training.learning.watch_thresholds import WatchAim

SYNSETS = (409, 530, 531, 826, 892)
VOTES = 3
#: Epochs of the baseline. Published recipes that train a head on a frozen backbone take 3 to 10.
EPOCHS = 3


def measure(setting: Setting) -> Iterator[Claim]:
    """Train the heads; for the baseline, only measure the forward passes of the backbone."""
    # The measures import these inside functions. A process pays that once, so the imports are not timed.
    import sklearn.metrics  # noqa: F401

    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = photo_files(setting, folder, 12 if setting.tiny else 96)
        eager, served = networks(folder)
        features = np.concatenate(
            [
                served.features([photo_pixels(path) for path in files[start : start + BATCH]])
                for start in range(0, len(files), BATCH)
            ]
        )
        rated = _votes(files)
        prior = heads_fresh(EFFICIENTNET_LITE0, bins=10, synsets=SYNSETS)
        plan = LearningPlan.of()
        ours = seconds_of(
            lambda: heads_fit(
                prior,
                features,
                rated,
                recipe=plan.recipe,
                config=plan.config,
                watch_config=plan.watch,
                watch_aim=WatchAim(0.05),
                seed=1,
                report=lambda stage, share, history: None,
            )
        )

        def epoch() -> None:
            with torch.inference_mode():
                for start in range(0, len(files), BATCH):
                    batch = np.stack([photo_pixels(path) for path in files[start : start + BATCH]])
                    eager(torch.from_numpy(batch))

        theirs = EPOCHS * seconds_of(epoch)
    yield Claim(
        claim=f"Training both heads on {len(files)} rated photos: {ours:.1f} s",
        value=theirs / ours,
        unit="times as fast",
        baseline=f"{EPOCHS} epochs that run the frozen backbone in eager PyTorch, in batches of {BATCH}, without the "
        f"time for the heads: {theirs:.1f} s",
        target=1.5,
    )
    yield _line_claim(60 if setting.tiny else 2000)


def _line_claim(photos: int) -> Claim:
    """Return how long the choice of the decay from left-out groups takes, against one ridge regression."""
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(photos, EFFICIENTNET_LITE0.feature_size)) / np.sqrt(EFFICIENTNET_LITE0.feature_size)
    scores, prior = inputs[:, :50].sum(axis=1) + rng.normal(size=photos), rng.normal(size=photos)
    config = RidgeConfig()
    ours = seconds_of(
        lambda: score_line_fit(
            inputs,
            scores,
            np.ones(photos),
            prior,
            groups=np.arange(photos),
            decays=config.decays,
            most_prior=config.most_prior,
        ),
        times=2,
    )
    theirs = seconds_of(lambda: RidgeCV(alphas=config.decays).fit(inputs, scores), times=2)
    one = seconds_of(lambda: Ridge(alpha=1.0, solver="cholesky").fit(inputs, scores), times=2)
    return Claim(
        claim=f"Ridge regression on {photos:,} rated photos that chooses among {len(config.decays)} decays, and the "
        f"weight of the prior, from left-out groups: {ours:.2f} s, {ours / one:.1f} times one fit with a given decay",
        value=theirs / ours,
        unit="times as fast",
        baseline=f"RidgeCV of scikit-learn with the same decays and without the prior: {theirs:.2f} s",
        target=0.8,
    )


def _votes(files: list[Path]) -> RatedImages:
    """Return the answers of a simulated panel to the photos."""
    panel = Panel()
    steps = np.zeros((len(files), VOTES), dtype=np.int64)
    for row, path in enumerate(files):
        measures = photo_measure(path.read_bytes())
        for number, annotator in enumerate(panel.annotators(VOTES)):
            steps[row, number] = panel.answer(annotator, measures, path.name, watch=None).score - 1
    rows, people = (index.ravel() for index in np.indices(steps.shape))
    histograms = np.zeros((len(files), 10), dtype=np.float32)
    np.add.at(histograms, (rows, steps.ravel()), 1)
    watches = np.arange(len(files)) % 2
    return RatedImages(
        image_ids=np.arange(len(files)),
        groups=np.array([str(row) for row in range(len(files))]),
        histograms=histograms,
        watch_yes=(VOTES * watches).astype(np.float32),
        watch_no=(VOTES * (1 - watches)).astype(np.float32),
        votes=RatedVotes(rows, people, steps.ravel(), np.ones(steps.size), watches[rows].astype(np.int8)),
    )
