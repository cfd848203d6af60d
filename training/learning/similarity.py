"""A Gaussian process on what a line leaves over: photos that look alike have alike errors.

scikit-learn finds the size and the reach of the process by the evidence, and a closed form gives its prediction for
each photo as if its group of near-duplicates had been left out (Rasmussen & Williams 2006, 'Gaussian processes for
machine learning', 5.4.2, for single photos).
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from training.learning.score_line import group_members

Floats = NDArray[np.float64]

# The evidence is computed from at most this number of photos: its cost grows with the cube.
_PHOTOS_FOR_EVIDENCE = 400


@dataclass(frozen=True)
class Similarity:
    """Added to a score: Σ_i weight_i·exp(−|projection·x − places_i|²/2)."""

    projection: Floats
    """[D, R], of the weighted inputs; divided by the reach of the process."""
    places: Floats
    """[N, R], of the photos that were learned from."""
    weight: Floats
    """[N], in points."""
    left_out: Floats
    """What is added to the score of each photo [N] when its group is left out."""


def similarity_fit(
    inputs: Floats,
    directions: Floats,
    rest: Floats,
    variance: Floats,
    *,
    groups: NDArray[np.generic],
    seed: int,
) -> Similarity:
    """Fit the process to `rest` [N], what the line leaves over, with error variances `variance` [N].

    Similarity is measured along `directions` [D, R] of the weighted inputs [N, D].
    """
    places = inputs @ directions
    reach = float(np.sqrt(np.median(_squares(places, places)) + 1e-12))
    size = max(float(rest.var() - np.median(variance)), 0.05 * float(rest.var()), 1e-6)
    kernel = ConstantKernel(size, (size * 1e-4, size * 1e2)) * RBF(reach, (reach / 10, reach * 10))
    rng = np.random.default_rng(seed)
    seen = np.sort(rng.permutation(len(rest))[:_PHOTOS_FOR_EVIDENCE])
    with warnings.catch_warnings():
        # An end of the bounds is an answer too: then the photos are all alike, or none is.
        warnings.simplefilter("ignore", ConvergenceWarning)
        process = GaussianProcessRegressor(kernel, alpha=variance[seen]).fit(places[seen], rest[seen])
    amount, reach = process.kernel_.k1.constant_value, process.kernel_.k2.length_scale
    scaled = places / reach
    penalised = amount * np.exp(-_squares(scaled, scaled) / 2) + np.diag(variance)
    inverse = np.linalg.inv(penalised)
    dual = inverse @ rest
    errors = np.empty_like(rest)
    for rows in group_members(groups):
        errors[rows] = np.linalg.solve(inverse[np.ix_(rows, rows)], dual[rows])
    return Similarity(directions / reach, scaled, amount * dual, rest - errors)


def _squares(first: Floats, second: Floats) -> Floats:
    """Return squared distances [N, M] of rows."""
    squares: Floats = (first**2).sum(1)[:, None] + (second**2).sum(1) - 2 * first @ second.T
    return np.maximum(squares, 0)
