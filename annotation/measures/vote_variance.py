"""How much votes on one photo differ, estimated from all photos of a campaign.

Two or three votes say little about the variance of further votes on the same photo: Student's interval from two votes
contains the mean of all votes in 79 % of the photos of AVA, not in 95 %, and two equal votes give an interval without
width. The variance of one photo is therefore moved towards the mean variance of the campaign (Smyth, 2004, 'Linear
models and empirical Bayes methods for assessing differential expression'):

    s²(photo) = ((n − 1)·s² + ν·s₀²) / (n − 1 + ν),    MOS ± t(n − 1 + ν)·s(photo)/√n

The variances of the photos are taken as σ² = (ν − 2)·s₀²/χ²(ν). Then they have the squared coefficient of variation
c² = 2/(ν − 4), and the sample variance of n votes has (1 + 2/(n − 1))·c² + 2/(n − 1). `vote_variance` solves this
for ν.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.distribution import score_deviation

Floats = NDArray[np.float64]

# With more degrees of freedom, t is the normal distribution for this purpose.
_MOST_DEGREES = 100.0


@dataclass(frozen=True)
class VoteVariance:
    """Variance of the votes on one photo, typical for a campaign."""

    mean: float
    """s₀², in squared points; NaN when no photo has two votes, or when all votes on each photo are equal."""
    degrees: float
    """ν: how many further votes the typical variance is worth; 0 when `mean` is NaN."""

    @property
    def is_known(self) -> bool:
        """Return whether there is anything to move the variance of a photo towards."""
        return self.degrees > 0


UNKNOWN = VoteVariance(float("nan"), 0.0)


def vote_variance(histograms: ArrayLike) -> VoteVariance:
    """Return the typical variance of votes on one photo, from score histograms [N, K].

    `degrees` is at most the number of votes that `mean` rests on (votes minus photos), so that a few photos do not
    count for more than they know. Photos with fewer than two votes are left out.
    """
    counts = np.asarray(histograms, dtype=np.float64)
    votes = counts.sum(axis=-1)
    counts, votes = counts[votes > 1], votes[votes > 1]
    return variance_of(score_deviation(counts) ** 2 * votes / (votes - 1), votes)


def variance_of(variances: ArrayLike, votes: ArrayLike) -> VoteVariance:
    """Return the same from the variance of the votes of each photo (over n − 1) and their number n ≥ 2, both [N]."""
    squares = np.asarray(variances, dtype=np.float64)
    free = np.asarray(votes, dtype=np.float64) - 1
    total = float(free.sum())
    mean = float((free * squares).sum() / total) if total else 0.0
    if mean <= 0:
        return UNKNOWN
    spread = float((free * ((squares / mean - 1) ** 2 - 2 / free) / (1 + 2 / free)).sum() / total)
    degrees = 4 + 2 / spread if spread > 0 else _MOST_DEGREES
    return VoteVariance(mean, min(degrees, total, _MOST_DEGREES))
