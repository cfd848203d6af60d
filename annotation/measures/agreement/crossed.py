"""Variances of photos, annotators and the rest, when the same annotators rate many photos. Votes may be missing.

The model is score = μ + photo + annotator + rest, all random. A photo's part is its quality, an annotator's part is
being severe or lenient. With all votes the estimates are those of the two-way analysis of variance, so the ICCs below
are ICC(3,1) and ICC(2,1) of Shrout & Fleiss (1979), which McGraw & Wong (1996, 'Forming inferences about some
intraclass correlation coefficients') call ICC(C,1) and ICC(A,1). With missing votes they come from Henderson's method
III (Searle, Casella & McCulloch, 1992, 'Variance components', 5.5): sums of squares of fitted additive models, set
equal to their expectations. With at most one vote of an annotator on a photo, the expectations have closed forms:

    RSS(both)                    (V − N − M + C)·σ²(rest)
    RSS(annotators) − RSS(both)  (V − M)·σ²(photos) + (N − C)·σ²(rest)
    RSS(photos) − RSS(both)      (V − N)·σ²(annotators) + (M − C)·σ²(rest)

for V votes, N photos, M annotators, and C parts of the votes that share neither photos nor annotators.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class VarianceComponents:
    """Variances of single votes, in squared points. Estimates of a small variance can be below 0."""

    photos: float
    annotators: float
    rest: float

    @property
    def consistency(self) -> float:
        """Return ICC(C,1): how well one vote ranks photos when the same annotators rate all of them."""
        return _share(self.photos, self.rest)

    @property
    def agreement(self) -> float:
        """Return ICC(A,1): as `consistency`, but severe and lenient annotators count as disagreement."""
        return _share(self.photos, self.annotators + self.rest)


def variance_components(image_ids: ArrayLike, annotator_ids: ArrayLike, scores: ArrayLike) -> VarianceComponents | None:
    """Return the variances from votes, given as three columns of equal length.

    None when the votes cannot tell them apart: all photos by one annotator, one vote for each annotator, or too few
    votes. Raises ValueError for columns of different length, and for two votes of an annotator on one photo.
    """
    photo, rater, values = vote_columns(image_ids, annotator_ids, scores)
    if not len(values):
        return None
    return components_of(photo, rater, values)


def vote_columns(image_ids: ArrayLike, annotator_ids: ArrayLike, scores: ArrayLike) -> tuple[Ints, Ints, Floats]:
    """Return the places of the photos and of the annotators, from 0 on, and the scores; raises ValueError as above."""
    images, annotators = np.asarray(image_ids).ravel(), np.asarray(annotator_ids).ravel()
    values = np.asarray(scores, dtype=np.float64).ravel()
    if not len(images) == len(annotators) == len(values):
        raise ValueError(
            f"{len(images)} image ids, {len(annotators)} annotator ids and {len(values)} scores do not match."
        )
    _, photo = np.unique(images, return_inverse=True)
    _, rater = np.unique(annotators, return_inverse=True)
    if len(values) and len(np.unique(photo * (int(rater.max()) + 1) + rater)) < len(values):
        raise ValueError("An annotator has two votes on one photo.")
    return photo, rater, values


def components_of(photo: Ints, rater: Ints, scores: Floats) -> VarianceComponents | None:
    """Return the variances as `variance_components`, from places without gaps."""
    votes, photos, raters = len(scores), int(photo.max()) + 1, int(rater.max()) + 1
    parts = _parts(photo, rater, photos, raters)
    free = votes - photos - raters + parts
    if free <= 0 or votes <= raters or votes <= photos or photos <= parts or raters <= parts:
        return None
    scores = scores - scores.mean()
    of_photos, of_raters = _within(photo, scores), _within(rater, scores)
    both = additive_rest(photo, rater, of_photos)
    rest = float((both**2).sum()) / free
    left_of_raters = float((of_raters**2).sum()) - rest * free
    left_of_photos = float((of_photos**2).sum()) - rest * free
    return VarianceComponents(
        photos=(left_of_raters - (photos - parts) * rest) / (votes - raters),
        annotators=(left_of_photos - (raters - parts) * rest) / (votes - photos),
        rest=rest,
    )


def _share(part: float, rest: float) -> float:
    return part / (part + rest) if part + rest > 0 else float("nan")


def _within(group: Ints, values: Floats) -> Floats:
    """Return the values minus the mean of their group."""
    means = np.bincount(group, values) / np.bincount(group)
    return np.asarray(values - means[group])


def additive_rest(photo: Ints, rater: Ints, of_photos: Floats) -> Floats:
    """Return what an additive model of photos and annotators leaves, by least squares, from the votes within photos.

    The photos are eliminated; conjugate gradients solve for the annotators.
    """
    from scipy.sparse.linalg import LinearOperator, cg

    count = int(rater.max()) + 1

    def normal(effects: Floats) -> Floats:
        sums: Floats = np.bincount(rater, _within(photo, np.asarray(effects).ravel()[rater]), count).astype(np.float64)
        return sums

    operator = LinearOperator((count, count), matvec=normal, dtype=np.float64)
    right = np.bincount(rater, of_photos, count)
    if not np.abs(right).max() > 1e-12 * max(1.0, float(np.abs(of_photos).max())):
        return of_photos
    effects, _ = cg(operator, right, rtol=1e-10, maxiter=2000)
    return np.asarray(of_photos - _within(photo, effects[rater]))


def _parts(photo: Ints, rater: Ints, photos: int, raters: int) -> int:
    """Return how many parts of the votes share neither photos nor annotators."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = photos + raters
    edges = coo_array((np.ones(len(photo)), (photo, photos + rater)), shape=(size, size))
    return int(connected_components(edges, directed=False)[0])
