"""What one annotator would answer: the crowd's score of a photo, plus what their own answers say beyond it.

    answer = c + b + g·(c − c̄) + w·x + noise

c is the crowd's score, b the annotator's bias, g what their gain differs from 1, and w·x their taste: a line on the
photo's standardised features x. b, g, w and the noise are normal around 0, so few answers stay near the crowd (ridge
regression with a penalty for each part; Rasmussen & Williams 2006, 'Gaussian processes for machine learning', 2.2).
The variances of b and w are those of all annotators of the campaign: one person's answers say little about them.

A **left-out** score of a photo is what the line says without the answers to the photo and its near-duplicates. It has a
closed form: with M, the covariance of the answers, the errors of a group g that is left out are
((M⁻¹)_gg)⁻¹·(M⁻¹·y)_g.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

#: With fewer answers there is no line, and with fewer than `FEWEST_FOR_TASTE` the line has no taste: on the votes of
#: OASIS it then was no nearer to an annotator's next answers than bias and gain alone.
FEWEST_ANSWERS, FEWEST_FOR_TASTE = 10, 20
#: The latest answers of an annotator that a line learns from.
MOST_ANSWERS = 500

# Variances as parts of the noise where little is known, and for how many annotators this counts. Those of OASIS.
_BIAS, _BIAS_PEOPLE, _LEAST_BIAS = 0.3, 5, 0.05
# Variance of g, as in the panel model.
_GAIN = 0.1
_TASTES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
# log10 of the variance of taste before any answers are seen, with its standard deviation.
_TASTE, _TASTE_DEVIATION = -0.5, 0.5
# An annotator's deviation counts that of everybody as this many further answers.
_DEVIATION_ANSWERS = 100
# The crowd's scores of photos that the model has learned from are too near to their votes. So deviations are made as
# much larger as the errors of all annotators are for new photos. Without new photos: by this factor, which counts as
# many answers.
_NEW_FACTOR, _NEW_ANSWERS = 1.2, 50
# An answer is surprising if fewer than one in a hundred left-out answers of the campaign is as far away. With fewer
# answers than this, it is the distance for a normal distribution.
_SURPRISING, _NORMAL_DISTANCE, _DISTANCES_NEEDED = 0.99, 2.58, 500
_INPUT_LIMIT = 8.0
_LEAST_SPREAD = 1e-3
_LEAST_VARIANCE = 1e-4


@dataclass(frozen=True)
class Standardisation:
    """Mean and standard deviation of the features of the campaign's photos, each [D]."""

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]

    @classmethod
    def of(cls, features: NDArray[np.float32]) -> "Standardisation":
        """Return that of features [N, D]."""
        mean, spread = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64) + _LEAST_SPREAD
        return cls(mean.astype(np.float32), spread.astype(np.float32))

    def inputs(self, features: NDArray[np.float32]) -> Floats:
        """Return the inputs [N, D] of photos with these features; a typical photo has length one."""
        limited = np.clip((features - self.mean) / self.spread, -_INPUT_LIMIT, _INPUT_LIMIT)
        scaled: Floats = limited.astype(np.float64) / np.sqrt(features.shape[-1])
        return scaled


@dataclass(frozen=True)
class OwnAnswers:
    """The answers of one annotator, as columns of one length [N]."""

    kernel: Floats
    """Products of the photos' inputs x [N, N]."""
    crowd: Floats
    """The crowd's scores of the photos, on the campaign's scale."""
    scores: Floats
    """What the annotator answered."""
    groups: NDArray[np.generic]
    """Of near-duplicates."""
    is_new: NDArray[np.bool_]
    """Whether the crowd's model has not learned from the photo."""

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True)
class Spreads:
    """How much the annotators of a campaign differ."""

    centre: float
    """c̄: the mean of the crowd's scores of answered photos."""
    noise: float
    """Variance of an answer around the annotator's own bias and the crowd, in squared points."""
    bias: float
    """Variance of b, as a part of the noise."""
    taste: float
    """Variance of w·x for a typical photo, as a part of the noise."""

    @property
    def gain(self) -> float:
        """Return the variance of g, as a part of the noise."""
        return _GAIN / self.noise


@dataclass(frozen=True)
class Line:
    """What is known about one annotator."""

    answers: int
    bias: float
    """b, in points."""
    gain: float
    """g: 0 for an annotator who uses the scale as the crowd does."""
    duals: Floats
    """[N], with which the inputs of the photos that it learned from give w; [0] without a taste."""
    left_out: Floats
    """The left-out scores of the photos that it learned from [N]."""
    deviation: float
    """Standard deviation of the answers around the left-out scores, in points."""

    def weights(self, inputs: Floats) -> Floats:
        """Return w [D] from the inputs of the photos that the line learned from [N, D]; [0] without a taste."""
        found: Floats = inputs.T @ self.duals if len(self.duals) else np.zeros(0)
        return found

    def expected(self, crowd: ArrayLike, taste: ArrayLike, *, centre: float) -> Floats:
        """Return the expected answers to photos with these scores of the crowd and w·x. They can leave the scale."""
        base = np.asarray(crowd, dtype=np.float64)
        found: Floats = base + self.bias + self.gain * (base - centre) + np.asarray(taste, dtype=np.float64)
        return found


def spreads_fit(people: Sequence[OwnAnswers]) -> Spreads:
    """Return how much these annotators differ. The variance of taste has the highest posterior probability.

    Raises ValueError without answers.
    """
    if not sum(len(one) for one in people):
        raise ValueError("There are no answers.")
    people = [one for one in people if len(one)]
    centre = float(np.concatenate([one.crowd for one in people]).mean())
    rest = [one.scores - one.crowd for one in people]
    counts = np.array([len(one) for one in rest])
    inside = sum(float(((one - one.mean()) ** 2).sum()) for one in rest)
    noise = max(inside / max(int((counts - 1).sum()), 1), _LEAST_VARIANCE)
    between = np.array([one.mean() for one in rest]) ** 2 - noise / counts
    bias = (float(between.sum()) / noise + _BIAS_PEOPLE * _BIAS) / (len(people) + _BIAS_PEOPLE)
    spreads = [Spreads(centre, noise, max(bias, _LEAST_BIAS), taste) for taste in _TASTES]
    large = [one for one in people if len(one) >= FEWEST_FOR_TASTE]

    def log_posterior(spread: Spreads) -> float:
        known = ((np.log10(spread.taste) - _TASTE) / _TASTE_DEVIATION) ** 2 / 2
        return sum(_log_likelihood(one, spread) for one in large) - float(known)

    return max(spreads, key=log_posterior)


def lines_fit(people: Sequence[OwnAnswers], spreads: Spreads) -> list[Line]:
    """Return the line of each annotator, in the same order. Raises ValueError for one without answers."""
    parts = [_parts(one, spreads) for one in people]
    if not parts:
        return []
    squares = [left**2 for *_, left in parts]
    everybody = float(np.concatenate(squares).mean())
    factor = _new_factor(np.concatenate(squares), np.concatenate([one.is_new for one in people]))
    return [
        Line(
            answers=len(one),
            bias=bias,
            gain=gain,
            duals=duals,
            left_out=one.scores - left,
            deviation=float(np.sqrt(max(factor * _shrunk(left**2, everybody), _LEAST_VARIANCE))),
        )
        for one, (bias, gain, duals, left) in zip(people, parts, strict=True)
    ]


def _shrunk(squares: Floats, everybody: float) -> float:
    """Return the mean square of an annotator's errors, nearer to that of everybody where there are few."""
    return float(squares.sum() + _DEVIATION_ANSWERS * everybody) / (len(squares) + _DEVIATION_ANSWERS)


def _new_factor(squares: Floats, is_new: NDArray[np.bool_]) -> float:
    """Return how many times larger the squared errors of new photos are than those of all; at least 1."""
    everybody = max(float(squares.mean()), _LEAST_VARIANCE)
    known = float(squares[is_new].sum()) / everybody
    prior = _NEW_FACTOR if not is_new.all() else 1.0
    return max((known + _NEW_ANSWERS * prior) / (int(is_new.sum()) + _NEW_ANSWERS), 1.0)


def surprising_distance(people: Sequence[OwnAnswers], lines: Sequence[Line]) -> float:
    """Return how many deviations from the expected score an answer has to be to surprise, by answers to new photos."""
    far = [
        (np.abs(one.scores - line.left_out) / line.deviation)[one.is_new]
        for one, line in zip(people, lines, strict=True)
    ]
    distances = np.concatenate(far) if far else np.zeros(0)
    return float(np.quantile(distances, _SURPRISING)) if len(distances) >= _DISTANCES_NEEDED else _NORMAL_DISTANCE


def _parts(one: OwnAnswers, spreads: Spreads) -> tuple[float, float, Floats, Floats]:
    """Return b, g, the duals, and the errors of the left-out scores [N]."""
    if not len(one):
        raise ValueError("A line needs at least one answer.")
    taste = spreads.taste if len(one) >= FEWEST_FOR_TASTE else 0.0
    inverse = np.linalg.inv(_covariance(one, spreads, taste))
    solved = inverse @ (one.scores - one.crowd)
    left = np.empty(len(one))
    for rows in _group_rows(one.groups):
        left[rows] = np.linalg.solve(inverse[np.ix_(rows, rows)], solved[rows])
    duals = taste * solved if taste else np.zeros(0)
    return spreads.bias * float(solved.sum()), spreads.gain * float((one.crowd - spreads.centre) @ solved), duals, left


def _covariance(one: OwnAnswers, spreads: Spreads, taste: float) -> Floats:
    """Return the covariance of the answers around the crowd [N, N], as a part of the noise."""
    apart = one.crowd - spreads.centre
    found: Floats = spreads.bias + spreads.gain * np.outer(apart, apart) + taste * one.kernel + np.eye(len(one))
    return found


def _log_likelihood(one: OwnAnswers, spreads: Spreads) -> float:
    """Return the logarithm of the likelihood of the answers, without constants, for the likeliest noise."""
    root = np.linalg.cholesky(_covariance(one, spreads, spreads.taste))
    rest = np.linalg.solve(root, one.scores - one.crowd)
    variance = max(float(rest @ rest) / len(one), _LEAST_VARIANCE)
    return float(-len(one) / 2 * np.log(variance) - np.log(np.diag(root)).sum())


def _group_rows(groups: NDArray[np.generic]) -> list[NDArray[np.intp]]:
    """Return the rows of each group."""
    _, member_of = np.unique(groups, return_inverse=True)
    order = np.argsort(member_of, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(member_of[order])) + 1)
