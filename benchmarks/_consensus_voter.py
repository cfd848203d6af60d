"""Watch labels of simulated annotators with a model as one more voter, compared with the people alone. Not a benchmark.

The model is a normal signal that is d' deviations higher for watches, cut where both labels are equally probable. Its
sensitivity and specificity come from the holdout only, as in `inference.services.watch_voter`.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from annotation.consensus.dawid_skene import labels_fit, posterior_given
from benchmarks._claims import Claim

PHOTOS, PEOPLE, SHARE, HOLDOUT, HOLDOUT_VOTES = 300, 15, 0.3, 0.2, 5
SIGNALS, VOTES = (1.0, 2.0, 3.0), (2, 3, 5)
_MODEL = -1


def voter(*, seeds: int) -> Iterator[Claim]:
    """Compare the log loss on photos outside the holdout."""
    for signal in SIGNALS:
        for votes in VOTES:
            losses = np.array([_losses(seed, signal, votes) for seed in range(seeds)])
            alone, together = losses.mean(axis=0)
            difference = losses[:, 0] - losses[:, 1]
            half = 1.96 * difference.std(ddof=1) / np.sqrt(seeds)
            lower = f"lower by {difference.mean():.3f} ± {half:.3f}"
            yield Claim(
                claim=f"Watch labels of simulated annotators, {votes} votes a photo, {seeds} draws: log loss with a "
                f"model of d' {signal:g} as one more voter {together:.3f} ({lower})",
                value=alone / together,
                unit="times as low",
                baseline=f"Dawid and Skene with people only: {alone:.3f}",
                target=1.0,
            )


def _losses(seed: int, signal: float, votes: int) -> tuple[float, float]:
    """Return the log loss per photo of people alone, and with the model."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(PHOTOS) < SHARE).astype(np.int64)
    right, is_holdout = rng.uniform(0.6, 0.95, PEOPLE), rng.random(PHOTOS) < HOLDOUT
    people = [rng.choice(PEOPLE, HOLDOUT_VOTES if held else votes, replace=False) for held in is_holdout]
    photo = np.repeat(np.arange(PHOTOS), [len(one) for one in people])
    annotator = np.concatenate(people)
    answer = np.where(rng.random(len(photo)) < right[annotator], truth[photo], 1 - truth[photo])
    height = rng.normal(truth * signal, 1.0)
    said = (signal * height - signal**2 / 2 + np.log(SHARE / (1 - SHARE)) > 0).astype(np.int64)
    held, model = np.flatnonzero(is_holdout), np.full(PHOTOS, _MODEL)
    joint = labels_fit(
        np.concatenate([photo, held]), np.concatenate([annotator, model[held]]), np.concatenate([answer, said[held]])
    )
    _, together = posterior_given(
        joint,
        np.concatenate([photo, np.arange(PHOTOS)]),
        np.concatenate([annotator, model]),
        np.concatenate([answer, said]),
    )
    alone = labels_fit(photo, annotator, answer).posterior
    return _log_loss(alone[~is_holdout], truth[~is_holdout]), _log_loss(together[~is_holdout], truth[~is_holdout])


def _log_loss(posterior: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    return float(-np.log(posterior[np.arange(len(truth)), truth].clip(1e-9)).mean())
