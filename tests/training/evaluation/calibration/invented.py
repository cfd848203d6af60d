"""Invented comparisons: photos with a true quality, votes around it, and a model of a chosen kind."""

from typing import Any

import numpy as np
from scipy.stats import norm

from annotation.measures import opinion
from annotation.measures.votes import VoteTable
from training.evaluation.comparison import Comparison
from training.evaluation.registry import ScaleAndThresholds

LOWEST, HIGHEST = 1, 10
SCORES = np.arange(LOWEST, HIGHEST + 1)
SCALE = ScaleAndThresholds(
    lowest=LOWEST, reject_at=4, pending_at=7, watch_threshold=0.5, predicted_reject_at=4, predicted_pending_at=7
)


def bell(means: Any, deviations: Any) -> np.ndarray:
    """Return normal distributions [N, K] rounded to the scores; what lies beyond an end is at that end."""
    edges = np.concatenate([[-np.inf], SCORES[:-1] + 0.5, [np.inf]])
    means, deviations = (np.asarray(one, dtype=float)[..., np.newaxis] for one in (means, deviations))
    return np.diff(norm.cdf((edges - means) / deviations), axis=-1)


def comparison(
    scores: Any,
    distribution: Any,
    *,
    watch: Any = 0.1,
    labels: Any = None,
    groups: Any = None,
) -> Comparison:
    """Return a comparison of votes [N, votes] with distributions [N, K]; NaN in `scores` is no vote.

    `watch` [N] are the watch probabilities, and `labels` [N] what all annotators of a photo say: 1, 0, or −1 (unsure).
    """
    given = np.asarray(scores, dtype=float)
    photos = len(given)
    said = np.broadcast_to(np.asarray(0 if labels is None else labels), photos)
    row, rater = np.nonzero(~np.isnan(given))
    ids = np.arange(100, 100 + photos)
    values = given[row, rater].astype(int)
    _, histograms = opinion.weighted_histograms(ids[row], values, np.ones(len(row)), lowest=LOWEST, highest=HIGHEST)
    counts = histograms.sum(axis=1)
    p = np.asarray(distribution, dtype=float)
    return Comparison(
        scale=SCALE,
        image_ids=ids,
        names=[f"photo-{number}.jpg" for number in range(photos)],
        groups=np.array([str(one) for one in (range(photos) if groups is None else groups)], dtype="U36"),
        histograms=histograms,
        quality_mean=p @ SCORES,
        distribution=p,
        watch_probability=np.broadcast_to(np.asarray(watch, dtype=float), photos).copy(),
        watch_yes=counts * (said == 1),
        watch_no=counts * (said == 0),
        votes=VoteTable(
            annotation_ids=np.arange(len(row)),
            image_ids=ids[row],
            annotator_ids=rater.astype(np.int64),
            scores=values.astype(np.int16),
            watch=said[row].astype(np.int8),
        ),
        rated=photos,
    )


def right_model(
    photos: int, rng: np.random.Generator, *, votes: int = 3, unsure: float = 1.0, differ: float = 1.2, **more: Any
) -> Comparison:
    """Return photos whose votes come from the model's own beliefs.

    The model knows the quality up to `unsure` points, and people differ by `differ` points about one photo.
    """
    believed = rng.uniform(3.5, 7.5, photos)
    truth = believed + rng.normal(0, unsure, photos)
    scores = np.clip(np.rint(truth[:, np.newaxis] + rng.normal(0, differ, (photos, votes))), LOWEST, HIGHEST)
    return comparison(scores, bell(believed, np.full(photos, np.hypot(unsure, differ))), **more)
