"""The scores that a regression learns from: one for each photo, corrected for its annotators, and how exact it is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.consensus.panel_model import ERROR_FACTOR, panel_fit
from training.learning.dataset import RatedImages, RatedVotes

Floats = NDArray[np.float64]

# Variance of one vote around the opinion of everybody, relative to (K − 1)², where nothing else is known: about that of
# the panels of AVA (SOS parameter .22 in the middle of the scale).
VOTE_VARIANCE = 0.055
_LEAST_PRECISION = 1e-3


@dataclass(frozen=True)
class Scores:
    """One score a photo [N], in points above the lowest score of the scale."""

    values: Floats
    variance: Floats
    """Of the error of `values`, without what the photo's own votes have in common."""


def corrected_scores(rated: RatedImages) -> Scores:
    """Return the mean scores of photos after the panel model has taken out bias, gain and noise of the annotators.

    The panel model gives the mean of a posterior, which is nearer to the middle where votes are few. A regression that
    weights its photos needs the score without that pull, which is undone here. Without single votes, or with fewer
    than two annotators, these are plain mean opinion scores.

    Nobody knows who gave the votes of an imported histogram. So its mean is plain, and as exact as that of as many
    votes of different people. A photo that has both gets the mean of the two scores, weighted by their precision.
    """
    bins = rated.histograms.shape[1]
    votes = rated.votes
    counts = rated.histograms.sum(axis=1).astype(np.float64)
    if votes is None or len(np.unique(votes.annotator_ids)) < 2:
        values = (rated.histograms @ np.arange(bins)).astype(np.float64) / counts
        return Scores(values, VOTE_VARIANCE * (bins - 1) ** 2 / counts)
    if rated.aggregated is not None:
        return _with_histograms(rated, rated.aggregated.astype(np.float64))
    return _of_votes(votes, bins)


def _with_histograms(rated: RatedImages, aggregated: Floats) -> Scores:
    """Return the scores of photos of which some have imported histograms [N, K]."""
    assert rated.votes is not None
    count, bins = len(rated), aggregated.shape[1]
    votes_of, has_votes = aggregated.sum(axis=1), np.zeros(count, dtype=np.bool_)
    has_votes[rated.votes.photos] = True
    total, precision = np.zeros(count), np.zeros(count)
    single = _of_votes(rated.votes.part(has_votes), bins)
    precision[has_votes] = 1 / single.variance
    total[has_votes] = single.values / single.variance
    vote_variance = VOTE_VARIANCE * (bins - 1) ** 2
    precision += votes_of / vote_variance
    total += aggregated @ np.arange(bins, dtype=np.float64) / vote_variance
    return Scores(total / precision, 1 / precision)


def _of_votes(votes: RatedVotes, bins: int) -> Scores:
    """Return the scores of photos that all have single votes."""
    fit = panel_fit(votes.photos, votes.annotator_ids, votes.steps, weights=votes.weights)
    variance = fit.quality_deviation**2 / ERROR_FACTOR
    precision = np.maximum(1 / variance - 1 / fit.quality_spread**2, _LEAST_PRECISION)
    pull = (precision + 1 / fit.quality_spread**2) / precision
    values = np.clip(fit.mean + (fit.quality - fit.mean) * pull, 0, bins - 1)
    return Scores(values, 1 / precision)
