"""How much of the difference between a photo's MOS and the opinion of everybody is chance, photo by photo.

A figure of the error of a model takes it off, because it is no fault of the model. Which people voted decides how much
it is (`ceiling`): where the same people rated all photos, a severe annotator lowers every MOS alike and is no chance of
single photos. So only that part of σ²(annotators) counts that differs between photos, c of `ceiling`.

Each photo has an estimate of its own, from its own votes. A bootstrap over photos then also varies the noise, and its
interval is honest about few votes. Taking off one typical noise from all resamples makes it too narrow.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.agreement.ceiling import Form, vote_form_of
from annotation.measures.agreement.crossed import additive_rest, components_of, vote_columns

Floats = NDArray[np.float64]


def mos_noise(
    image_ids: ArrayLike, annotator_ids: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None
) -> Floats:
    """Return the variance of the MOS of each photo that is chance of its votes [N], ascending by image id.

    All arguments are columns of the votes [V]. A MOS with `weights` is Σ w·score / Σ w, and its variance that of one
    vote times Σ w² / (Σ w)². A photo with a single vote gets the typical variance. 0 where no photo has two votes.
    Raises ValueError for columns of different length, and for two votes of an annotator on one photo.
    """
    photo, rater, values = vote_columns(image_ids, annotator_ids, scores)
    if not len(values):
        return np.zeros(0)
    each = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    counts = np.bincount(photo)
    form, part = vote_form_of(photo, rater)
    found = None if form is Form.ONE_WAY else components_of(photo, rater, values)
    centred = values - (np.bincount(photo, values) / counts)[photo]
    rest, annotators = np.nan, 0.0
    if found is not None:
        centred = additive_rest(photo, rater, centred)
        rest, annotators = found.rest, max(found.annotators, 0.0) * part
    squares, free = np.bincount(photo, centred**2), counts - 1
    if not free.any():
        return np.zeros(len(counts))
    pooled = float(squares.sum() / free.sum())
    rest = pooled if np.isnan(rest) else rest
    # Fitted parts of annotators take a little of the squares; the typical variance knows how much.
    own = np.where(free > 0, squares / np.maximum(free, 1) * (rest / pooled if pooled > 0 else 0.0), rest)
    shares = np.bincount(photo, each**2) / np.bincount(photo, each) ** 2
    noise: Floats = (own + annotators) * shares
    return noise
