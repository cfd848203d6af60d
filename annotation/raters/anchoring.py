"""How much a prediction influences annotators who see it before they answer.

Leases join the experiment at random, so the anchored and the blind answers to a photo come from comparable annotators,
and the prediction causes the difference between them (a randomised comparison). The measure is how much closer to the
prediction the anchored answers are. The obvious measure, (anchored − mean of blind) in the direction of the prediction,
is above zero even without an effect, because the noise of the blind mean also decides the direction: where the mean is
too low, both the prediction and the next answer are likely to be above it. Distances of single answers have no such
bias: without an effect, both kinds are equally far away on average.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.correlation import bias
from annotation.measures.intervals import Interval, interval

FEWEST_PHOTOS = 10
"""With fewer photos the interval is useless."""


@dataclass(frozen=True)
class AnchoringShift:
    """The shift of anchored answers towards the prediction, over n photos, in points of the scale."""

    shift: Interval
    """Mean distance from the prediction of blind answers − that of anchored answers; above 0: towards it."""
    blind_distance: float
    anchored_distance: float
    blind_answers: int
    anchored_answers: int

    @property
    def photos(self) -> int:
        """Return how many photos have answers of both kinds."""
        return self.shift.n

    @property
    def share_of_distance(self) -> float:
        """Return the shift as a share of the blind distance; NaN when that is 0."""
        return self.shift.value / self.blind_distance if self.blind_distance > 0 else float("nan")


def anchoring_shift(
    anchored_images: ArrayLike,
    anchored_scores: ArrayLike,
    predictions: ArrayLike,
    blind_images: ArrayLike,
    blind_scores: ArrayLike,
    *,
    seed: int,
) -> AnchoringShift | None:
    """Return the shift, or None for fewer than `FEWEST_PHOTOS` photos with answers of both kinds.

    `anchored_images`, `anchored_scores` and `predictions` (the means that were shown, in points of the
    scale) hold one entry per anchored answer, `blind_images` and `blind_scores` one per blind answer.
    Every photo has the same weight. The interval treats photos as independent; it ignores that a few people may have
    given most of the answers. The same seed gives the same interval. Raises ValueError when columns differ in length.
    """
    image, score, shown = _columns(anchored_images, anchored_scores, predictions)
    other_image, other_score = _columns(blind_images, blind_scores)
    photos = np.intersect1d(image, other_image)
    if len(photos) < FEWEST_PHOTOS:
        return None
    both, other_both = np.isin(image, photos), np.isin(other_image, photos)
    row = np.searchsorted(photos, image[both])
    other_row = np.searchsorted(photos, other_image[other_both])
    anchored = _means(np.abs(score[both] - shown[both]), row, len(photos))
    blind = _means(_mean_distances(shown[both], row, other_score[other_both], other_row), row, len(photos))
    return AnchoringShift(
        shift=interval(bias, blind, anchored, seed=seed),
        blind_distance=float(blind.mean()),
        anchored_distance=float(anchored.mean()),
        blind_answers=int(other_both.sum()),
        anchored_answers=int(both.sum()),
    )


def _columns(images: ArrayLike, *numbers: ArrayLike) -> list[NDArray[np.float64]]:
    columns = [np.asarray(column, dtype=np.float64).ravel() for column in (images, *numbers)]
    if len({len(column) for column in columns}) > 1:
        raise ValueError(
            f"All columns need the same length, but they have {[len(column) for column in columns]} entries."
        )
    return columns


def _means(values: NDArray[np.float64], row: NDArray[np.intp], rows: int) -> NDArray[np.float64]:
    means: NDArray[np.float64] = np.bincount(row, weights=values, minlength=rows) / np.bincount(row, minlength=rows)
    return means


def _mean_distances(
    shown: NDArray[np.float64], row: NDArray[np.intp], score: NDArray[np.float64], score_row: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return for each shown prediction its mean distance from the blind scores of its photo."""
    order = np.argsort(score_row, kind="stable")
    sorted_score = score[order]
    start = np.searchsorted(score_row[order], row, side="left")
    end = np.searchsorted(score_row[order], row, side="right")
    return np.array(
        [np.abs(sorted_score[a:b] - one).mean() for one, a, b in zip(shown, start, end, strict=True)], dtype=np.float64
    )
