"""What a whole campaign looks like from all its answers, those on photos that the queue chose included.

`annotation.measures.weighted_mean` says how, and what its draws at random must be. A photo is **taken** when the queue
first gives it to somebody, or when an answer to it is imported. It was drawn at random if a lane gave it that looks at
nothing but numbers of votes.

This cannot tell how accurate the version is: it has learned from the training photos with answers, and what it says
about them is no example of what it says about others.
"""

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from annotation.measures.pool_mean import FEWEST_GROUPS, FEWEST_OF_EACH
from annotation.measures.weighted_mean import FEWEST_OF_STRATUM, Stratum, WeightedMean, weighted_mean

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TakenPhotos:
    """The photos of a campaign that were taken, in the order in which they were."""

    is_holdout: NDArray[np.bool_]
    is_random: NDArray[np.bool_]
    """Whether the photo was drawn evenly from all photos of its part of the campaign that had not been taken; the
    parts are the holdout and the rest."""
    scores: Floats
    """Mean score of the votes [n]; NaN without any."""
    watch: Floats
    """Share of 'watch' among the votes that say yes or no [n]; NaN without any."""
    votes: Floats
    """Number of votes with a score [n]."""
    labels: Floats
    """Number of votes that say yes or no [n]."""
    holdout: int
    """Photos of the holdout, taken or not."""
    others: int
    """All other photos."""

    def strata(self, values: Floats) -> list[Stratum]:
        """Return the holdout and the rest with these values. Photos that were taken and have none (NaN) are left out:
        nobody has answered yet, or nobody could."""
        has_value = ~np.isnan(values)
        found = []
        for own, photos in ((self.is_holdout, self.holdout), (~self.is_holdout, self.others)):
            known = own & has_value
            without = int(np.count_nonzero(own & ~has_value))
            count = max(photos - without, int(np.count_nonzero(known)))
            found.append(Stratum(values[known], self.is_random[known], count))
        return found


@dataclass(frozen=True)
class WeightedEstimate:
    """One figure about all photos of the campaign."""

    found: WeightedMean | None
    """None below the evidence for an interval."""
    have: int = 0
    """How much of `needed` there is, if `found` is None."""
    needed: int = 0
    """Photos drawn at random, or answered photos on the smaller side of a share."""
    is_of_side: bool = False


@dataclass(frozen=True)
class WeightedAnswers:
    """The campaign from all its answers."""

    score: WeightedEstimate
    watch: WeightedEstimate


def weighted_answers(taken: TakenPhotos, *, variance: float) -> WeightedAnswers:
    """Return the mean score and the share of photos with a watch. `variance`: of votes on one photo, NaN if unknown."""
    return WeightedAnswers(
        score=_estimate(taken.strata(taken.scores), noise=_noise(taken.scores, taken.votes, variance), is_share=False),
        watch=_estimate(
            taken.strata(taken.watch),
            noise=_noise(taken.watch, taken.labels, _label_variance(taken.watch, taken.labels)),
            is_share=True,
        ),
    )


def _estimate(strata: list[Stratum], *, noise: float, is_share: bool) -> WeightedEstimate:
    draws = sum(one.draws for one in strata)
    if draws < FEWEST_GROUPS:
        return WeightedEstimate(None, draws, FEWEST_GROUPS)
    yes = sum(float(one.values.sum()) for one in strata)
    side = min(yes, sum(len(one.values) for one in strata) - yes)
    if is_share and side < FEWEST_OF_EACH:
        return WeightedEstimate(None, max(int(side), 0), FEWEST_OF_EACH, is_of_side=True)
    found = weighted_mean(strata, noise=noise, is_share=is_share)
    if found is None:
        return WeightedEstimate(None, min(one.draws for one in strata if not one.is_known), FEWEST_OF_STRATUM)
    return WeightedEstimate(found)


def _noise(values: Floats, votes: Floats, variance: float) -> float:
    """Return which part of the variance of the mean votes [n] is noise of the votes; 1 if unknown."""
    known = ~np.isnan(values)
    total = float(np.var(values[known], ddof=1)) if np.count_nonzero(known) > 1 else 0.0
    if not variance >= 0 or not total > 0:
        return 1.0
    return min(variance * float((1 / votes[known]).mean()) / total, 1.0)


def _label_variance(shares: Floats, labels: Floats) -> float:
    """Return the variance of one label of a photo, from photos with two or more; NaN without any."""
    several = labels > 1
    if not several.any():
        return nan
    share, count = shares[several], labels[several]
    return float((count * share * (1 - share)).sum() / (count - 1).sum())
