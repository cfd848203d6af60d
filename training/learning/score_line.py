"""A ridge regression of scores on features, with the prior's mean score as offset.

Its two settings, the decay of the weights and the weight of the prior, come from the errors of groups of near-
duplicates that were left out, and from what they were in other campaigns: with 20 photos the errors alone say little.
For a ridge regression that error has a closed form: with B, the inverse of the penalised kernel matrix that leaves the
intercept free, the errors of a group g that is left out are (B_gg)⁻¹·(B·y)_g (Hastie, Tibshirani & Friedman 2009, 'The
elements of statistical learning', 7.10, for single photos). They are linear in y, so the best weight of the prior
follows from the errors of the scores and those of the prior.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inference.networks.heads import INPUT_LIMIT, HeadsConfig

Floats = NDArray[np.float64]

# The settings before any errors are seen: log10 of the decay and the weight of the prior, each with the standard
# deviation of a normal distribution. With them, lines learned from 20 photos were better in four sets of photos and
# votes; from 100 photos on they hardly matter.
_DECAY, _DECAY_DEVIATION = -0.5, 0.5
_TRUST, _TRUST_DEVIATION = 0.5, 0.3
# A feature that hardly varies is not scaled up.
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True)
class Inputs:
    """Features, standardised by the photos that are learned from and weighted by blocks.

    The blocks are the statistics of the stages (how a photo looks) and the class log-probabilities (what it shows), or
    the pooled last layer if there are no classes.
    """

    mean: NDArray[np.float32]
    """[D]"""
    spread: NDArray[np.float32]
    """[D]"""
    block_weight: Floats
    """[D]: with it, each block counts as much as the other, whatever its size."""
    views: tuple[slice, ...]
    """The columns that describe the photo in each size in which the network saw it. Each has its own line."""

    @classmethod
    def of(cls, features: NDArray[np.float32], config: HeadsConfig) -> "Inputs":
        """Return the standardisation of features [N, D]."""
        weight = np.zeros(features.shape[1])
        shown = config.class_part if config.classes else slice(config.pooled_start, config.pooled_stop)
        parts = [[slice(0, config.pooled_start), shown]]
        if config.second_size:
            second = slice(config.class_part.stop, config.feature_size)
            classes = second.stop - config.classes
            parts.append([slice(second.start, classes), slice(classes, second.stop)])
        for part in parts:
            blocks = [block for block in part if len(weight[block])]
            for block in blocks:
                weight[block] = (len(blocks) * len(weight[block])) ** -0.5
        views = tuple(slice(part[0].start, part[-1].stop) for part in parts)
        return cls(features.mean(axis=0), features.std(axis=0) + _LEAST_SPREAD, weight, views)

    def of_photos(self, features: NDArray[np.float32]) -> Floats:
        """Return the weighted inputs of photos [N, D]; in each view a typical photo has length one."""
        standardised = np.clip((features - self.mean) / self.spread, -INPUT_LIMIT, INPUT_LIMIT)
        inputs: Floats = standardised * self.block_weight
        return inputs


@dataclass(frozen=True)
class ScoreLine:
    """Score = weight·inputs + prior_weight·prior mean + offset, in points above the lowest score."""

    weight: Floats
    """[D], of the weighted inputs."""
    prior_weight: float
    offset: float
    decay: float
    left_out: Floats
    """The score of each photo [N] by the line that was learned without its group."""

    def predict(self, inputs: Floats, prior_mean: Floats) -> Floats:
        """Return scores [N]."""
        scores: Floats = inputs @ self.weight + self.prior_weight * prior_mean + self.offset
        return scores


def mean_line(lines: Sequence[ScoreLine]) -> ScoreLine:
    """Return the line that predicts the mean of what lines on the views of a photo predict.

    Their weights [D_1], [D_2] … are joined in this order. With one line, this is that line.
    """
    return ScoreLine(
        np.concatenate([line.weight for line in lines]) / len(lines),
        float(np.mean([line.prior_weight for line in lines])),
        float(np.mean([line.offset for line in lines])),
        float(np.exp(np.mean([np.log(line.decay) for line in lines]))) if len(lines) > 1 else lines[0].decay,
        np.mean([line.left_out for line in lines], axis=0),
    )


def score_line_fit(
    inputs: Floats,
    scores: Floats,
    weights: Floats,
    prior_mean: Floats,
    *,
    groups: NDArray[np.generic],
    decays: tuple[float, ...],
    most_prior: float,
) -> ScoreLine:
    """Fit a line to scores [N] of photos with `inputs` [N, D]; `weights` [N] are inverse variances of their errors.

    The weight of the prior lies between 0 and `most_prior`. A single group cannot be left out: then the line has the
    largest decay, and the prior's weight is 1.
    """
    root = np.sqrt(weights / weights.mean())
    penalised = PenalisedKernel.of(inputs, root)
    targets = np.column_stack([root * scores, root * prior_mean])
    members = group_members(groups)
    if len(members) < 2:
        decay, trust, rest = max(decays), 1.0, root * (scores - scores.mean())
    else:
        decay, trust, rest = _settings_chosen(penalised, targets, members, decays=decays, most_prior=most_prior)
    weight = inputs.T @ (root * penalised.solve(root * (scores - trust * prior_mean), decay))
    offset = float(np.average(scores - trust * prior_mean - inputs @ weight, weights=weights))
    return ScoreLine(weight, trust, offset, decay, scores - rest / root)


def _settings_chosen(
    penalised: "PenalisedKernel",
    targets: Floats,
    members: list[NDArray[np.intp]],
    *,
    decays: tuple[float, ...],
    most_prior: float,
) -> tuple[float, float, Floats]:
    """Return the most probable decay and weight of the prior, and the weighted errors with them [N].

    `targets` [N, 2]: the weighted scores and prior means. With normal errors, minus twice the logarithm of the
    likelihood is n·ln(Σ errors²); a group counts as one observation.
    """
    left: tuple[float, float, float, Floats] | None = None
    for decay in decays:
        of_scores, of_prior = penalised.left_out_errors(targets, decay, members).T
        known = max(float(of_scores @ of_scores), 1e-12) / len(of_scores) / _TRUST_DEVIATION**2
        best = (float(of_scores @ of_prior) + known * _TRUST) / (float(of_prior @ of_prior) + known)
        trust = float(np.clip(best, 0.0, most_prior))
        rest = of_scores - trust * of_prior
        loss = len(members) * np.log(max(float(rest @ rest), 1e-12))
        loss += ((np.log10(decay) - _DECAY) / _DECAY_DEVIATION) ** 2
        if left is None or loss < left[0]:
            left = (loss, decay, trust, rest)
    assert left is not None
    return left[1:]


@dataclass(frozen=True)
class PenalisedKernel:
    """The kernel matrix of weighted photos [N, N] by its eigenvectors: one decay then costs N² instead of N³ steps."""

    values: Floats
    vectors: Floats
    root: Floats
    """Square roots of the weights [N]: the direction of the intercept, which has no penalty."""

    @classmethod
    def of(cls, inputs: Floats, root: Floats) -> "PenalisedKernel":
        """Return the kernel of inputs [N, D] with the square roots of their weights."""
        values, vectors = np.linalg.eigh(root[:, None] * (inputs @ inputs.T) * root)
        return cls(np.maximum(values, 0.0), vectors, root)

    def solve(self, targets: Floats, decay: float) -> Floats:
        """Return B·targets [N] or [N, T]."""
        plain = self._plain(targets, decay)
        towards = self._plain(self.root, decay)
        found: Floats = plain - np.multiply.outer(towards, self.root @ plain) / float(self.root @ towards)
        return found

    def left_out_errors(self, targets: Floats, decay: float, members: list[NDArray[np.intp]]) -> Floats:
        """Return the errors of targets [N, T] in the groups that are left out: (B_gg)⁻¹·(B·y)_g for each group."""
        products = self.solve(targets, decay)
        towards = self._plain(self.root, decay)
        towards = towards / np.sqrt(float(self.root @ towards))
        shrunk = 1 / (self.values + decay)
        alone = np.array([rows[0] for rows in members if len(rows) == 1], dtype=np.intp)
        errors = np.empty_like(products)
        diagonal = (self.squares @ shrunk - towards**2)[alone]
        errors[alone] = products[alone] / diagonal[:, None]
        for rows in members:
            if len(rows) > 1:
                block = (self.vectors[rows] * shrunk) @ self.vectors[rows].T - np.outer(towards[rows], towards[rows])
                errors[rows] = np.linalg.solve(block, products[rows])
        return errors

    @cached_property
    def squares(self) -> Floats:
        """Return the squared eigenvectors [N, N], which every decay needs."""
        found: Floats = self.vectors**2
        return found

    def _plain(self, targets: Floats, decay: float) -> Floats:
        """Return (kernel + decay)⁻¹·targets."""
        found: Floats = self.vectors @ ((self.vectors.T @ targets).T / (self.values + decay)).T
        return found


def group_members(groups: NDArray[np.generic]) -> list[NDArray[np.intp]]:
    """Return the rows of each group."""
    _, member_of = np.unique(groups, return_inverse=True)
    order = np.argsort(member_of, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(member_of[order])) + 1)
