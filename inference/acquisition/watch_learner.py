"""A quick model of the watch label, learned again from all answers whenever the queue is refreshed.

Training a version takes minutes and comes after some hundred answers. What to ask next changes with every few answers,
so the queue has a small model of its own, which decides nothing else.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.acquisition.watch_uncertainty import log_odds

Floats = NDArray[np.float64]

#: Answered photos that it needs, and photos of each label among them. Until then, typical photos are asked about.
FEWEST_ANSWERED, FEWEST_OF_LABEL = 20, 2
_MEMBERS = 8


@dataclass(frozen=True)
class WatchOpinion:
    """What the quick model says about M photos."""

    probability: Floats
    """[M], 0 … 1."""
    spread: Floats | None
    """[M], mutual information of the label and the members of an ensemble, in nats, 0 … ln 2."""


def watch_opinion(
    answered: NDArray[np.floating],
    yes: NDArray[np.int64],
    no: NDArray[np.int64],
    asked: NDArray[np.floating],
    rng: np.random.Generator | None,
) -> WatchOpinion | None:
    """Learn from A answered photos and return the opinion about M others; None with too few answers.

    `answered` [A, D] and `asked` [M, D]: inputs with a mean squared length about 1. `yes`, `no` [A]: votes. `rng` draws
    the bootstrap samples of the ensemble; None leaves out the spread.

    A logistic regression with C = 1. Each photo weighs 1, shared among its votes. The ensemble: eight regressions on
    Poisson bootstrap samples of the photos.
    """
    from sklearn.linear_model import LogisticRegression  # loads SciPy, which web processes must not

    votes = yes + no
    label = np.concatenate([np.ones(len(yes)), np.zeros(len(no))])
    weight = np.concatenate([yes, no]) / np.maximum(np.tile(votes, 2), 1)
    inputs = np.concatenate([answered, answered])
    majority = np.where(yes > no, 1, np.where(no > yes, 0, -1))
    if (votes > 0).sum() < FEWEST_ANSWERED or min((majority == one).sum() for one in (0, 1)) < FEWEST_OF_LABEL:
        return None

    def fitted(weights: Floats) -> Floats:
        used = weights > 0
        model = LogisticRegression(max_iter=300).fit(inputs[used], label[used], sample_weight=weights[used])
        said: Floats = model.predict_proba(asked)[:, 1]
        return said

    probability = fitted(weight)
    if rng is None:
        return WatchOpinion(probability, None)
    said = []
    for _ in range(_MEMBERS):
        drawn = np.tile(rng.poisson(1.0, len(yes)), 2) * weight
        if (drawn * label).sum() > 0 and (drawn * (1 - label)).sum() > 0:
            said.append(fitted(drawn))
    return WatchOpinion(probability, mutual_information(np.array(said)) if said else None)


def mutual_information(said: Floats) -> Floats:
    """Return the mutual information of label and member [M], in nats, from the probabilities of members [E, M].

    The entropy of the mean probability minus the mean entropy.
    """
    between: Floats = np.maximum(_entropy(said.mean(axis=0)) - _entropy(said).mean(axis=0), 0)
    return between


def champion_input(probability: Floats, threshold: float) -> Floats:
    """Return the input for a version's watch probabilities [M]: log odds beyond those of its threshold; NaN becomes 0.

    So the deployed decision turns where the input is 0, and the quick model starts from it.
    """
    return np.nan_to_num(log_odds(probability) - float(log_odds(np.array(threshold))))


def _entropy(probability: Floats) -> Floats:
    inside = np.clip(probability, 1e-12, 1 - 1e-12)
    entropy: Floats = -inside * np.log(inside) - (1 - inside) * np.log1p(-inside)
    return entropy
