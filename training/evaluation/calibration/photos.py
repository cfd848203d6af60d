"""Single photos in stored figures: those of a chart, and those furthest apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.measures import opinion
from annotation.measures.vote_variance import VoteVariance, vote_variance
from training.evaluation.comparison import Comparison

#: A browser draws 2,000 marks without delay, and the stored text stays small. Of more photos, a random sample is kept.
MOST_PHOTOS = 2_000


@dataclass(frozen=True)
class ComparedPhoto:
    """One photo with votes and a prediction."""

    image_id: int
    name: str
    votes: int
    mos: float
    low: float
    """The 95 % interval of the MOS; both ends of the scale when it is unknown."""
    high: float
    predicted: float
    """Mean of the predicted distribution."""

    @property
    def difference(self) -> float:
        """Return predicted − MOS, in points."""
        return self.predicted - self.mos


def photos_of(
    comparison: Comparison, rows: NDArray[np.intp], variance: VoteVariance | None = None
) -> tuple[ComparedPhoto, ...]:
    """Return the photos with these row numbers, in this order.

    `variance`: of votes on one photo, for the intervals; None: that of the compared votes.
    """
    spread = vote_variance(comparison.histograms) if variance is None else variance
    histograms = comparison.histograms[rows]
    mos = opinion.mos(histograms, comparison.lowest)
    low, high = opinion.mos_interval(histograms, comparison.lowest, spread)
    votes, predicted = comparison.vote_counts[rows], comparison.quality_mean[rows]
    return tuple(
        ComparedPhoto(
            image_id=int(comparison.image_ids[row]),
            name=comparison.names[row],
            votes=int(votes[place]),
            mos=float(mos[place]),
            low=float(low[place]),
            high=float(high[place]),
            predicted=float(predicted[place]),
        )
        for place, row in enumerate(rows.tolist())
    )


def sample_of(photos: int, *, seed: int) -> NDArray[np.intp]:
    """Return the row numbers of at most MOST_PHOTOS of so many photos, ascending: all of them, or a random sample."""
    if photos <= MOST_PHOTOS:
        return np.arange(photos)
    return np.sort(np.random.default_rng(seed).choice(photos, MOST_PHOTOS, replace=False))
