"""Quality of photos and the way annotators use the scale, estimated together from the opinion scores of a panel.

The model is one factor with a different line for every annotator:

    score of annotator j for photo i = μ + b_j + a_j·q_i + noise,    noise ~ N(0, s_j²)

q_i is the quality of the photo, b_j the bias (severe or lenient), a_j the gain (1: uses the scale as the panel does,
0: the scores do not depend on the photo) and s_j² the inconsistency. q ~ N(0, t²), b ~ N(0, v_b), a ~ N(1, v_a); the
variances t² and v_b and the mean μ come from the votes. With a_j = 1 this is the model of ITU-T P.910,
Annex E, and of Li & Bampis (2017), 'Recover subjective quality scores from noisy measurements'.

The fit is a mean-field variational approximation (Bishop, 2006, 'Pattern recognition and machine learning', 10.1): it
repeats the update of each unknown given the mean and the variance of the others. The variances matter. Plain maximum
likelihood, which takes the others as exact, collapses: one annotator's s_j² goes to zero and their scores become the
result. t² and v_b are set before the fit, from products of different votes on one photo and of different votes by one
annotator. Updating them in each round makes both too small when annotators have few votes.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.consensus.vote_weights import vote_weights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# An annotator's s² counts the panel's mean s² as this many further votes. With 10, random clickers with two or three
# votes each keep too much weight.
_NOISE_VOTES = 4.0
# v_a: most gains are between .4 and 1.6, as those of 757 people who rated the photos of OASIS.
_GAIN_VARIANCE = 0.1
# The mean-field approximation makes variances too small. With this factor, corrected MOS ± 1.96 standard errors
# contained the mean of all other votes for 95-96 % of the photos of OASIS (3 and 5 votes a photo, mean of 40 draws).
# In a single panel of 12 people it can be 82 %: all votes then share the same 12 people.
ERROR_FACTOR = 1.2
# t² and v_b without evidence, as parts of the variance of all votes, and how many pairs of votes this counts for.
_QUALITY_SHARE, _BIAS_SHARE, _SHARE_PAIRS = 0.3, 0.2, 20
# The smallest ones. A small v_b would keep the biases of annotators with few votes near 0.
_LEAST_QUALITY, _LEAST_BIAS = 0.05, 0.2
_LEAST_VARIANCE = 1e-4
_MOST_ROUNDS = 300
# The fit ends when no quality changes by more than this part of their standard deviation.
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class AnnotatorLines:
    """What a fit says about the annotators [M], enough to start another fit or to estimate single photos.

    The columns and their units are those of `PanelFit`.
    """

    annotator_ids: Ints
    annotator_votes: Ints
    bias: Floats
    bias_deviation: Floats
    gain: Floats
    gain_deviation: Floats
    noise: Floats
    mean: float
    quality_spread: float
    bias_spread: float


@dataclass(frozen=True)
class PhotoQuality:
    """Estimates for the photos [N] with votes, in the order of `image_ids`. The units are those of `PanelFit`."""

    image_ids: Ints
    quality: Floats
    quality_deviation: Floats
    image_votes: Ints


@dataclass(frozen=True)
class PanelFit:
    """Estimates for the photos [N] and the annotators [M] with votes, in the order of `image_ids`, `annotator_ids`."""

    image_ids: Ints
    annotator_ids: Ints
    quality: Floats
    """Corrected MOS [N]: μ + q, in points of the scale. It can lie a little outside the scale."""
    quality_deviation: Floats
    """Standard error of the corrected MOS [N], as an estimate of the mean score of everybody."""
    bias: Floats
    """b [M], in points: above 0 for lenient annotators."""
    bias_deviation: Floats
    gain: Floats
    """a [M]."""
    gain_deviation: Floats
    noise: Floats
    """s [M], in points: the standard deviation of the annotator's votes around their own line."""
    image_votes: Ints
    annotator_votes: Ints
    mean: float
    """μ."""
    quality_spread: float
    """t, in points."""
    bias_spread: float
    """√v_b, in points."""
    rounds: int
    """How many rounds of updates the fit took."""

    @property
    def lines(self) -> AnnotatorLines:
        """Return what the fit says about the annotators."""
        return AnnotatorLines(**{field.name: getattr(self, field.name) for field in fields(AnnotatorLines)})

    def expected(self, images: ArrayLike, annotators: ArrayLike) -> Floats:
        """Return μ + b + a·q for pairs of places in `image_ids` and `annotator_ids`."""
        photo, annotator = np.asarray(images), np.asarray(annotators)
        found: Floats = self.mean + self.bias[annotator] + self.gain[annotator] * (self.quality[photo] - self.mean)
        return found

    def information(self) -> Floats:
        """Return how much one vote of each annotator says about a quality, as a part of what the panel's mean says [M].

        0 for scores that do not depend on the photo. Infinite never; above 1 for precise annotators.
        """
        each = (self.gain**2 + self.gain_deviation**2) / self.noise**2
        typical = float(np.average(each, weights=self.annotator_votes))
        return each / typical


def panel_fit(
    image_ids: ArrayLike,
    annotator_ids: ArrayLike,
    scores: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    start: AnnotatorLines | None = None,
) -> PanelFit:
    """Fit the model to votes, given as three columns of equal length.

    `weights`: how much each vote counts, as a part of a vote; all 1 without it. The likelihood of a vote is raised to
    the power of its weight, so a weight of 1/2 doubles the variance that the model gives to the vote.

    The order of the votes, of the ids and a shift of all scores change nothing else. Photos and annotators without
    votes have no estimate. `start`: the annotators of an earlier fit, of fewer or other votes; the new fit then needs
    fewer rounds.
    Raises ValueError without votes, for columns of different length and for scores that are not finite.
    """
    scores = np.asarray(scores, dtype=np.float64).ravel()
    images, photo = np.unique(np.asarray(image_ids, dtype=np.int64).ravel(), return_inverse=True)
    annotators, rater = np.unique(np.asarray(annotator_ids, dtype=np.int64).ravel(), return_inverse=True)
    if not len(scores):
        raise ValueError("The model needs at least one vote.")
    if not len(photo) == len(rater) == len(scores):
        raise ValueError(f"{len(photo)} image ids, {len(rater)} annotator ids and {len(scores)} scores do not match.")
    if not np.isfinite(scores).all():
        raise ValueError("All scores must be finite.")
    fit = _Fit(photo, rater, scores, vote_weights(weights, len(scores)))
    if start is not None:
        fit.begin_at(start, annotators)
    fit.run()
    return PanelFit(
        image_ids=images,
        annotator_ids=annotators,
        quality=fit.mean + fit.quality,
        quality_deviation=np.sqrt(fit.quality_error()),
        bias=fit.bias,
        bias_deviation=np.sqrt(fit.bias_variance),
        gain=fit.gain,
        gain_deviation=np.sqrt(fit.gain_variance),
        noise=np.sqrt(fit.noise),
        image_votes=np.bincount(photo).astype(np.int64),
        annotator_votes=np.bincount(rater).astype(np.int64),
        mean=fit.mean,
        quality_spread=float(np.sqrt(fit.quality_prior)),
        bias_spread=float(np.sqrt(fit.bias_prior)),
        rounds=fit.rounds,
    )


def quality_given(
    lines: AnnotatorLines,
    image_ids: ArrayLike,
    annotator_ids: ArrayLike,
    scores: ArrayLike,
    *,
    weights: ArrayLike | None = None,
) -> PhotoQuality:
    """Estimate photos from all their votes, with annotators as an earlier fit found them.

    The votes are three columns of equal length, with `weights` as for `panel_fit`. This is one update of the qualities,
    without rounds. An annotator without a line is taken as typical: gain 1, the panel's mean noise, and an unknown
    bias, whose variance is added to the noise. Raises ValueError for columns of different length.
    """
    given = np.asarray(scores, dtype=np.float64).ravel()
    images, photo = np.unique(np.asarray(image_ids, dtype=np.int64).ravel(), return_inverse=True)
    annotators = np.asarray(annotator_ids, dtype=np.int64).ravel()
    if not len(photo) == len(annotators) == len(given):
        raise ValueError(f"{len(photo)} image ids, {len(annotators)} annotator ids and {len(given)} scores differ.")
    order = np.argsort(lines.annotator_ids)
    place = order[np.searchsorted(lines.annotator_ids, annotators, sorter=order).clip(max=len(order) - 1)]
    is_known = lines.annotator_ids[place] == annotators
    typical = float(np.average(lines.noise**2, weights=lines.annotator_votes))
    noise = np.where(is_known, lines.noise[place] ** 2, typical + lines.bias_spread**2)
    noise = noise / vote_weights(weights, len(given))
    gain = np.where(is_known, lines.gain[place], 1.0)
    gain_variance = np.where(is_known, lines.gain_deviation[place] ** 2, _GAIN_VARIANCE)
    bias = np.where(is_known, lines.bias[place], 0.0)
    bias_variance = np.where(is_known, lines.bias_deviation[place] ** 2, 0.0)

    def per_image(values: Floats) -> Floats:
        return np.bincount(photo, values, len(images)).astype(np.float64)

    variance = 1 / (1 / lines.quality_spread**2 + per_image((gain**2 + gain_variance) / noise))
    quality = variance * per_image(gain / noise * (given - lines.mean - bias))
    errors = bias_variance + gain_variance * quality[photo] ** 2
    others = variance**2 * per_image((gain / noise) ** 2 * errors)
    votes = lines.annotator_votes.astype(np.float64)
    mean = lines.bias_spread**2 * float((votes**2).sum()) / float(votes.sum()) ** 2
    deviation = np.sqrt(ERROR_FACTOR * (mean + variance + others))
    return PhotoQuality(images, lines.mean + quality, deviation, np.bincount(photo, minlength=len(images)))


class _Fit:
    """The state of one fit. `photo`, `rater`, `scores`, `weights`: one entry per vote; the first two are places."""

    def __init__(self, photo: Ints, rater: Ints, scores: Floats, weights: Floats) -> None:
        self.photo, self.rater, self.scores, self.weights = photo, rater, scores, weights
        # Sums of weights.
        self.image_votes = np.bincount(photo, weights).astype(np.float64)
        self.rater_votes = np.bincount(rater, weights).astype(np.float64)
        images, raters = len(self.image_votes), len(self.rater_votes)
        self.mean = float(np.average(scores, weights=weights))
        variance = max(float(np.average((scores - self.mean) ** 2, weights=weights)), _LEAST_VARIANCE)
        means = np.bincount(photo, weights * scores) / self.image_votes - self.mean
        self.quality = means * self.image_votes / (self.image_votes + 2)
        self.quality_variance = np.full(images, variance / 4)
        self.quality_prior = max(self._shared_variance(photo, _QUALITY_SHARE), variance * _LEAST_QUALITY)
        self.bias, self.bias_variance = np.zeros(raters), np.full(raters, variance / 10)
        self.bias_prior = max(self._shared_variance(rater, _BIAS_SHARE), variance * _LEAST_BIAS)
        self.gain, self.gain_variance = np.ones(raters), np.zeros(raters)
        self.noise = np.full(raters, variance * 0.7)
        self.rounds = 0

    def begin_at(self, start: AnnotatorLines, annotators: Ints) -> None:
        """Take over the estimates that `start` has for these annotators. Those of the photos follow from them."""
        _, here, there = np.intersect1d(annotators, start.annotator_ids, assume_unique=True, return_indices=True)
        self.bias[here], self.bias_variance[here] = start.bias[there], start.bias_deviation[there] ** 2
        self.gain[here], self.gain_variance[here] = start.gain[there], start.gain_deviation[there] ** 2
        self.noise[here] = start.noise[there] ** 2
        self.mean = start.mean

    def run(self) -> None:
        """Repeat all updates until the qualities stay the same."""
        while self.rounds < _MOST_ROUNDS:
            before = self.mean + self.quality
            self.rounds += 1
            self._qualities()
            self._biases()
            self._gains()
            self._noises()
            change = np.abs(self.mean + self.quality - before).max()
            if change <= _TOLERANCE * np.sqrt(self.quality_prior):
                return

    def quality_error(self) -> Floats:
        """Return the variance of the corrected MOS [N], with that of μ, the biases and the gains behind it."""
        votes = np.bincount(self.rater).astype(np.float64)  # as in quality_given, which knows no weights of others
        mean = self.bias_prior * float((votes**2).sum()) / float(votes.sum()) ** 2
        precision, gain = self.weights / self.noise[self.rater], self.gain[self.rater]
        errors = self.bias_variance[self.rater] + self.gain_variance[self.rater] * self.quality[self.photo] ** 2
        others = self.quality_variance**2 * _sums(self.photo, (precision * gain) ** 2 * errors, len(self.quality))
        return ERROR_FACTOR * (mean + self.quality_variance + others)

    def _per_image(self, values: Floats) -> Floats:
        """Return the weighted sum of the values [V] of each photo's votes."""
        return _sums(self.photo, self.weights * values, len(self.image_votes))

    def _per_rater(self, values: Floats) -> Floats:
        """Return the weighted sum of the values [V] of each annotator's votes."""
        return _sums(self.rater, self.weights * values, len(self.rater_votes))

    def _qualities(self) -> None:
        precision = (1 / self.noise)[self.rater]
        gain = self.gain[self.rater]
        squared_gain = (self.gain**2 + self.gain_variance)[self.rater]
        centred = self.scores - self.mean - self.bias[self.rater]
        self.quality_variance = 1 / (1 / self.quality_prior + self._per_image(precision * squared_gain))
        self.quality = self.quality_variance * self._per_image(precision * gain * centred)

    def _biases(self) -> None:
        rest = self.scores - self.mean - self.gain[self.rater] * self.quality[self.photo]
        self.bias_variance = 1 / (1 / self.bias_prior + self.rater_votes / self.noise)
        self.bias = self.bias_variance * self._per_rater(rest) / self.noise

    def _gains(self) -> None:
        quality = self.quality[self.photo]
        squares = self._per_rater(quality**2 + self.quality_variance[self.photo])
        products = self._per_rater(quality * (self.scores - self.mean - self.bias[self.rater]))
        self.gain_variance = 1 / (1 / _GAIN_VARIANCE + squares / self.noise)
        self.gain = self.gain_variance * (1 / _GAIN_VARIANCE + products / self.noise)

    def _noises(self) -> None:
        precision = (1 / self.noise)[self.rater]
        rest = self.scores - self.bias[self.rater] - self.gain[self.rater] * self.quality[self.photo]
        self.mean = float(np.average(rest, weights=self.weights * precision))
        gain, quality = self.gain[self.rater], self.quality[self.photo]
        gain_variance, quality_variance = self.gain_variance[self.rater], self.quality_variance[self.photo]
        squares = self._per_rater(
            (rest - self.mean) ** 2
            + self.bias_variance[self.rater]
            + gain**2 * quality_variance
            + gain_variance * (quality**2 + quality_variance)
        )
        typical = max(float(squares.sum()) / float(self.weights.sum()), _LEAST_VARIANCE)
        self.noise = (squares + _NOISE_VOTES * typical) / (self.rater_votes + _NOISE_VOTES)

    def _shared_variance(self, group: Ints, share: float) -> float:
        """Return the mean product of two different votes of one group: the variance of what they have in common.

        `share` of the variance of all votes counts as the product of `_SHARE_PAIRS` more pairs.
        """
        weights, centred = self.weights, self.scores - self.mean
        votes, sums = np.bincount(group, weights), np.bincount(group, weights * centred)
        products = float((sums**2).sum() - ((weights * centred) ** 2).sum())
        pairs = float((votes**2).sum() - (weights**2).sum())
        variance = float(np.average(centred**2, weights=weights))
        return (products + _SHARE_PAIRS * share * variance) / (pairs + _SHARE_PAIRS)


def _sums(group: Ints, values: Floats, groups: int) -> Floats:
    """Return the sum of the values of each group [groups]."""
    sums: Floats = np.bincount(group, values, groups).astype(np.float64)
    return sums
