"""Invented photos with votes, predictions and facts, with or without a slice on which the model errs. No benchmark."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.measures import opinion
from annotation.measures.votes import VoteTable
from training.evaluation.calibration.facts import PhotoFacts
from training.evaluation.comparison import Comparison
from training.evaluation.registry import ScaleAndThresholds

Floats = NDArray[np.float64]

LOWEST, HIGHEST = 1, 10
_SCALE = ScaleAndThresholds(
    lowest=LOWEST, reject_at=4, pending_at=7, watch_threshold=0.5, predicted_reject_at=4, predicted_pending_at=7
)


@dataclass(frozen=True)
class World:
    """What the photos are like."""

    photos: int
    votes: int = 3
    copies: int = 1
    """Photos of a group of near-duplicates; they share facts and the model's error."""
    off: float = 0.0
    """Points by which the model is wrong on the photos with the strongest noise, a fifth of all (a half of few)."""
    wrong_watches: float = 0.0
    """Probability of a wrong watch decision on these photos, beside 3 % everywhere."""


def world_make(world: World, rng: np.random.Generator) -> tuple[Comparison, PhotoFacts]:
    """Return photos whose blur and class go with their quality, and on which the model errs by 0.7 points."""
    groups = -(-world.photos // world.copies)
    of = np.repeat(np.arange(groups), world.copies)[: world.photos]
    believed = rng.uniform(3, 8, groups)
    noise = rng.uniform(0, 1, groups)
    is_bad = noise >= (0.8 if world.photos >= 250 else 0.5)
    error = rng.normal(0, 0.7, groups) + world.off * is_bad
    predicted = np.clip(believed[of], LOWEST, HIGHEST)
    truth = (believed - error)[of]
    scores = np.clip(np.rint(truth[:, None] + rng.normal(0, 1.2, (world.photos, world.votes))), LOWEST, HIGHEST)
    is_watch = rng.random(groups) < 0.3
    is_wrong = rng.random(groups) < 0.03 + world.wrong_watches * is_bad
    facts = PhotoFacts(
        sources=rng.choice(["first", "second", "third"], groups)[of],
        formats=rng.choice(["JPEG", "PNG"], groups, p=[0.8, 0.2])[of],
        megapixels=rng.gamma(2, 2, groups)[of],
        months=rng.choice(["2026-01", "2026-02", "2026-03"], groups)[of],
        distortions=np.stack(
            [(8 - believed) / 5 + 0.1 * rng.random(groups), noise, rng.random(groups), rng.random(groups)], axis=1
        )[of],
        content=rng.integers(0, 6, groups)[of],
        examples=((),) * 6,
    )
    return _comparison(scores, predicted, is_watch[of], is_wrong[of], of), facts


def _comparison(
    scores: Floats,
    predicted: Floats,
    is_watch: NDArray[np.bool_],
    is_wrong: NDArray[np.bool_],
    groups: NDArray[np.int64],
) -> Comparison:
    photos, votes = scores.shape
    ids = np.arange(1, photos + 1)
    rows = np.repeat(np.arange(photos), votes)
    given = scores.ravel().astype(np.int16)
    _, histograms = opinion.weighted_histograms(ids[rows], given, np.ones(len(given)), lowest=LOWEST, highest=HIGHEST)
    said = is_watch[rows].astype(np.int8)
    distribution = np.exp(-((np.arange(LOWEST, HIGHEST + 1) - predicted[:, None]) ** 2) / 2)
    return Comparison(
        scale=_SCALE,
        image_ids=ids,
        names=[f"photo-{one}.jpg" for one in ids.tolist()],
        groups=groups.astype("U36"),
        histograms=histograms,
        quality_mean=predicted,
        distribution=distribution / distribution.sum(axis=1, keepdims=True),
        watch_probability=np.where(is_watch != is_wrong, 0.9, 0.1),
        watch_yes=histograms.sum(axis=1) * is_watch,
        watch_no=histograms.sum(axis=1) * ~is_watch,
        votes=VoteTable(
            annotation_ids=np.arange(len(rows)),
            image_ids=ids[rows],
            annotator_ids=np.tile(np.arange(votes), photos).astype(np.int64),
            scores=given,
            watch=said,
        ),
        rated=photos,
    )
