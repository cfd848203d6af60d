"""Other ways to turn opinion scores into one number a photo, as rivals of the panel model. Not a benchmark.

Each function takes three columns of equal length, one entry per vote: the photo (0 … N − 1), the annotator (0 … M − 1)
and the score. It returns one number per photo [N], NaN for a photo without votes.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kurtosis

from annotation.consensus.panel_model import panel_fit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Estimate = Callable[[Ints, Ints, Floats], Floats]


def group_means(group: Ints, values: Floats, weights: Floats | None = None) -> Floats:
    """Return the mean value of each group, weighted if `weights` is given; NaN for an empty group."""
    weight = np.ones(len(values)) if weights is None else weights
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.bincount(group, weight * values) / np.bincount(group, weight)
    return means


def plain_mos(photo: Ints, rater: Ints, score: Floats) -> Floats:
    """Return the mean opinion score."""
    return group_means(photo, score)


def corrected_mos(photo: Ints, rater: Ints, score: Floats) -> Floats:
    """Return the corrected MOS of the panel model: ours."""
    fit = panel_fit(photo, rater, score)
    found = np.full(int(photo.max()) + 1, np.nan)
    found[fit.image_ids] = fit.quality
    return found


def median_score(photo: Ints, rater: Ints, score: Floats) -> Floats:
    """Return the median of the scores of each photo."""
    return _by_photo(photo, score, np.median)


def trimmed_mean(photo: Ints, rater: Ints, score: Floats) -> Floats:
    """Return the mean without the lowest and the highest score. Photos with one or two votes keep both."""
    return _by_photo(photo, score, lambda scores: float(np.mean(np.sort(scores)[1:-1] if len(scores) > 2 else scores)))


def z_scores(photo: Ints, rater: Ints, score: Floats) -> Floats:
    """Return the mean of each annotator's z-scores, on the scale of all scores (BT.500)."""
    centred = score - group_means(rater, score)[rater]
    spread = np.sqrt(group_means(rater, centred**2))
    scaled = centred / np.where(spread > 0, spread, 1)[rater]
    return group_means(photo, score.mean() + score.std() * scaled)


def bias_only(photo: Ints, rater: Ints, score: Floats) -> Floats:
    """Return the quality of an additive model, score = quality + bias, with bias = Σe / (n + 3)."""
    quality, bias = group_means(photo, score), np.zeros(int(rater.max()) + 1)
    votes = np.bincount(rater)
    for _ in range(50):
        bias = np.bincount(rater, score - quality[photo]) / (votes + 3)
        quality = group_means(photo, score - bias[rater])
    return quality


def map_form(photo: Ints, rater: Ints, score: Floats) -> Floats:
    """Return the quality of the model with bias and noise, at the largest posterior probability.

    bias = Σe / (n + 3), noise² = (Σe² + 10·1.5²) / (n + 10), with 1.5 points on a scale of ten scores.
    """
    quality = group_means(photo, score)
    votes = np.bincount(rater)
    spread = 1.5 * (score.max() - score.min()) / 9
    for _ in range(50):
        bias = np.bincount(rater, score - quality[photo]) / (votes + 3)
        bias -= (bias * votes).sum() / votes.sum()
        errors = np.bincount(rater, (score - quality[photo] - bias[rater]) ** 2)
        noise = (errors + 10 * spread**2) / (votes + 10)
        quality = group_means(photo, score - bias[rater], 1 / noise[rater])
    return quality


def likelihood(photo: Ints, rater: Ints, score: Floats) -> Floats:
    """Return the quality by plain maximum likelihood of bias and noise, as sureal 0.9 does (ITU-T P.910, Annex E)."""
    quality, bias = group_means(photo, score), np.zeros(int(rater.max()) + 1)
    for _ in range(1000):
        before = quality
        bias = np.nan_to_num(group_means(rater, score - quality[photo]))
        rest = score - quality[photo] - bias[rater]
        noise = group_means(rater, (rest - group_means(rater, rest)[rater]) ** 2)
        quality = group_means(photo, score - bias[rater], 1 / (noise + 1e-8)[rater])
        if np.linalg.norm((quality - before)[~np.isnan(quality)]) < 1e-8:
            break
    return quality + float(np.nanmean(np.where(np.bincount(rater) > 0, bias, np.nan)))


def rejected_raters(photo: Ints, rater: Ints, score: Floats) -> NDArray[np.bool_]:
    """Return which annotators ITU-R BT.500 (2.3.1) rejects [M]."""
    mean, votes = group_means(photo, score), np.bincount(photo)
    deviation = np.sqrt(np.bincount(photo, (score - mean[photo]) ** 2) / np.maximum(votes - 1, 1))
    shape = _by_photo(photo, score, lambda scores: float(kurtosis(scores, fisher=False)) if np.ptp(scores) else 3.0)
    limit = deviation * np.where((shape >= 2) & (shape <= 4), 2, np.sqrt(20))
    far = deviation[photo] > 0
    above = np.bincount(rater, far & (score >= (mean + limit)[photo]))
    below = np.bincount(rater, far & (score <= (mean - limit)[photo]))
    outside = above + below
    rejected: NDArray[np.bool_] = outside / np.maximum(np.bincount(rater), 1) > 0.05
    return rejected & (np.abs(above - below) < 0.3 * outside)


def screened_mos(photo: Ints, rater: Ints, score: Floats) -> Floats:
    """Return the MOS without the annotators that BT.500 rejects; the plain MOS of a photo where nobody is left."""
    kept = ~rejected_raters(photo, rater, score)[rater]
    found = plain_mos(photo, rater, score)
    means = plain_mos(photo[kept], rater[kept], score[kept])
    found[: len(means)] = np.where(np.isnan(means), found[: len(means)], means)
    return found


def _by_photo(photo: Ints, score: Floats, function: Callable[[Floats], float]) -> Floats:
    """Return the function of the scores of each photo."""
    order = np.argsort(photo, kind="stable")
    places, starts = np.unique(photo[order], return_index=True)
    found = np.full(int(photo.max()) + 1, np.nan)
    for place, scores in zip(places, np.split(score[order], starts[1:]), strict=True):
        found[place] = function(scores)
    return found


#: Every rival by its name in the results.
RIVALS: dict[str, Estimate] = {
    "plain MOS": plain_mos,
    "median": median_score,
    "trimmed mean": trimmed_mean,
    "z-scores": z_scores,
    "bias only": bias_only,
    "MAP form": map_form,
    "P.910 maximum likelihood": likelihood,
    "BT.500 screening": screened_mos,
}
