"""Labels from several annotators, on the bluebirds of Welinder et al. (2010). Not a benchmark."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotation.consensus.dawid_skene import labels_fit
from benchmarks._claims import Claim
from benchmarks._draws import votes_a_photo
from benchmarks._gains import gain
from benchmarks._votes import Votes, bluebirds

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SEEDS = range(100, 140)


def labels(data: Path) -> Iterator[Claim]:
    """Compare Dawid and Skene's model with the majority and with the model without a prior."""
    votes, truth = bluebirds(data)
    ours, majority, plain = (_right(method(votes), truth) for method in (_model, _majority, likelihood_labels))
    yield Claim(
        claim=f"Bluebirds, {votes.raters} annotators × {votes.photos} photos: Dawid-Skene labels "
        f"{100 * ours:.1f} % of the photos right",
        value=100 * (ours - majority),
        unit="percentage points more",
        baseline=f"majority: {100 * majority:.1f} %; Dawid-Skene without a prior: {100 * plain:.1f} %",
        target=5,
    )
    for k in (3, 5, 10):
        found = [_compared(votes, truth, k, seed) for seed in SEEDS]
        right = {name: np.array([each[name] for each in found]) for name in found[0]}
        than_majority = gain(right["model"], right["majority"])
        yield Claim(
            claim=f"Bluebirds, {k} random votes a photo (about {k * votes.photos / votes.raters:.0f} an annotator), "
            f"{len(SEEDS)} draws: Dawid-Skene labels {100 * right['model'].mean():.1f} % right, "
            f"{than_majority.text(100, ' points')} against the majority",
            value=100 * than_majority.high,
            unit="percentage points more, upper end of the interval",
            baseline=f"majority: {100 * right['majority'].mean():.1f} %; without a prior: "
            f"{100 * right['without a prior'].mean():.1f} %",
            target=0,
        )


def _compared(votes: Votes, truth: Ints, k: int, seed: int) -> dict[str, float]:
    drawn = votes_a_photo(votes, k, np.random.default_rng(seed))
    return {
        "model": _right(_model(drawn), truth),
        "majority": _right(_majority(drawn), truth),
        "without a prior": _right(likelihood_labels(drawn), truth),
    }


def _right(probability: Floats, truth: Ints) -> float:
    """Return the share of right labels; a probability of exactly one half counts for one half."""
    half = np.isclose(probability, 0.5, atol=1e-9)
    return float(np.where(half, 0.5, (probability > 0.5) == truth).mean())


def _model(votes: Votes) -> Floats:
    return labels_fit(votes.photo, votes.rater, votes.score).posterior[:, 1]


def _majority(votes: Votes) -> Floats:
    share: Floats = np.bincount(votes.photo, votes.score) / np.bincount(votes.photo)
    return share


def likelihood_labels(votes: Votes, *, rounds: int = 1000) -> Floats:
    """Return the probability of label 1 by Dawid and Skene's (1979) maximum likelihood, as crowd-kit 1.4 does."""
    answer = votes.score.astype(np.int64)
    posterior = np.stack([1 - _majority(votes), _majority(votes)], axis=1)
    for _ in range(rounds):
        share = np.maximum(posterior.mean(axis=0), 1e-10)
        confusion = np.zeros((votes.raters, 2, 2))  # annotator, answer, label
        np.add.at(confusion, (votes.rater, answer), posterior[votes.photo])
        confusion = np.maximum(confusion, 1e-10)
        confusion /= confusion.sum(axis=1, keepdims=True)
        logarithm = np.tile(np.log(share), (votes.photos, 1))
        np.add.at(logarithm, votes.photo, np.log(confusion)[votes.rater, answer])
        before, posterior = posterior, np.exp(logarithm - logarithm.max(axis=1, keepdims=True))
        posterior /= posterior.sum(axis=1, keepdims=True)
        if np.abs(posterior - before).max() < 1e-10:
            break
    found: Floats = posterior[:, 1]
    return found
