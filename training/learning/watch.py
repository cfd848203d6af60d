"""Learn the watch probability: scale and offset of the zero-shot log-odds, then weights on pooled features.

Source: Platt (1999), 'Probabilistic outputs for support vector machines', for fitting scale and offset
to smoothed labels, so that a perfect separation of a few photos does not push the probabilities to 0 and 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from annotation.consensus.labels import UNDECIDED, majority_labels
from annotation.measures.classification import best_threshold, f1, roc_auc
from training.learning.config import WatchConfig
from training.learning.sampling import group_folds, principal_directions

Floats = NDArray[np.float64]

# Decay towards scale 1 and offset 0, the zero-shot model.
_SCALE_DECAY = 5.0
_SHIFT_DECAY = 1.0
_DIRECTIONS = 256


@dataclass(frozen=True)
class WatchFit:
    """Log-odds become scale·zero-shot log-odds + shift + weight·standardised pooled features."""

    scale: float = 1.0
    shift: float = 0.0
    weight: NDArray[np.float32] | None = None
    """[P]; None: no weights on the features."""
    labels: int = 0
    """Images with a majority label."""
    roc_auc: float | None = None
    """Of held-out images; None without a fit."""
    threshold: float | None = None
    """The watch probability with the best F1 on held-out images; None without a fit."""
    not_used: str = ""
    """Why a learned model was not used, as a sentence."""


def watch_fit(
    log_odds: NDArray[np.floating],
    pooled: NDArray[np.float32],
    yes: NDArray[np.floating],
    no: NDArray[np.floating],
    *,
    groups: NDArray[np.generic],
    config: WatchConfig,
    seed: int,
    decides_at: float | None = None,
) -> WatchFit:
    """Learn from zero-shot log-odds [N], standardised pooled features [N, P] and votes for and against [N],
    as numbers of votes or sums of weights.

    Images without such votes, or with a tie, are left out. With too few labels, or labels of one kind only, the
    zero-shot model stays as it is. The features get weights only if these lower the log loss of held-out
    images by more than its standard error and do not lower their ROC AUC.

    `decides_at`: the threshold at which the campaign decides. The learned model is used only if its F1 there, on
    held-out images, is not lower than that of the zero-shot model: new probabilities at an old threshold can make
    nearly every photo a watch, which the ROC AUC does not show.
    """
    majority = majority_labels(yes, no)
    decided = majority != UNDECIDED
    labels = majority[decided].astype(np.float64)
    minority = int(min(labels.sum(), (1 - labels).sum()))
    if len(labels) < config.platt_from or minority < 2:
        return WatchFit(labels=len(labels))
    odds, features = np.asarray(log_odds, dtype=np.float64)[decided], pooled[decided]
    votes = (yes + no)[decided].astype(np.float64)
    weights = votes / (votes + 1.0)
    targets = yes[decided].astype(np.float64) / votes
    folds = group_folds(groups[decided], folds=config.folds, seed=seed)

    candidates: list[float | None] = [None]
    if len(labels) >= config.weights_from and minority >= config.minority_from:
        candidates += list(config.decays)
    directions = principal_directions(features, count=_DIRECTIONS, seed=seed) / np.sqrt(features.shape[1])
    coordinates = (features @ directions).astype(np.float64)

    def fit(rows: NDArray[np.bool_], decay: float | None) -> tuple[float, float, Floats]:
        columns = coordinates[rows] if decay is not None else coordinates[rows, :0]
        return _logistic(odds[rows], columns, targets[rows], weights[rows], decay or 0.0)

    held_out = {}
    for decay in candidates:
        logits = np.empty_like(odds)
        for fold in range(config.folds):
            held = folds == fold
            scale, shift, along = fit(~held, decay)
            logits[held] = scale * odds[held] + shift + coordinates[held, : len(along)] @ along
        held_out[decay] = logits
    chosen = _choose(held_out, targets, labels, weights)
    probabilities = expit(held_out[chosen])
    if decides_at is not None:
        learned, zero_shot = (float(f1(some > decides_at, labels)) for some in (probabilities, expit(odds)))
        if not learned >= zero_shot:
            reason = (
                f"The learned watch head is not used: on held-out photos its F1 at the threshold {decides_at:g} is "
                f"{learned:.2f}, that of the zero-shot model {zero_shot:.2f}."
            )
            return WatchFit(labels=len(labels), not_used=reason)
    scale, shift, along = fit(np.ones(len(odds), dtype=bool), chosen)
    return WatchFit(
        scale=scale,
        shift=shift,
        weight=(directions @ along).astype(np.float32) if len(along) else None,
        labels=len(labels),
        roc_auc=float(roc_auc(probabilities, labels)),
        threshold=best_threshold(probabilities, labels),
    )


def _logistic(
    odds: Floats, columns: Floats, targets: Floats, weights: Floats, decay: float
) -> tuple[float, float, Floats]:
    """Return scale, shift and weights [R] of the logistic model with the least penalised log loss."""

    def loss(numbers: Floats) -> tuple[float, Floats]:
        scale, shift, along = numbers[0], numbers[1], numbers[2:]
        logits = scale * odds + shift + columns @ along
        error = weights * (expit(logits) - targets)
        value = (weights * (np.logaddexp(0, logits) - targets * logits)).sum()
        penalty = _SCALE_DECAY * (scale - 1) ** 2 + _SHIFT_DECAY * shift**2 + decay * (along**2).sum()
        slope = np.concatenate([[error @ odds, error.sum()], error @ columns])
        slope[0] += _SCALE_DECAY * (scale - 1)
        slope[1] += _SHIFT_DECAY * shift
        slope[2:] += decay * along
        return float(value + penalty / 2), slope

    start = np.zeros(2 + columns.shape[1])
    start[0] = 1.0
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    # A negative scale would reverse the zero-shot order. Labels that lead to this are unreliable.
    return max(float(found[0]), 0.05), float(found[1]), found[2:]


def _choose(held_out: dict[float | None, Floats], targets: Floats, labels: Floats, weights: Floats) -> float | None:
    """Return the selected weight decay, or None for no weights."""

    def losses(logits: Floats) -> Floats:
        result: Floats = weights * (np.logaddexp(0, logits) - targets * logits)
        return result

    plain, plain_auc = losses(held_out[None]), float(roc_auc(held_out[None], labels))
    best, best_gain = None, 0.0
    for decay, logits in held_out.items():
        if decay is None:
            continue
        gains = plain - losses(logits)
        gain, error = float(gains.mean()), float(gains.std(ddof=1) / np.sqrt(len(gains)))
        if gain > max(error, best_gain) and float(roc_auc(logits, labels)) >= plain_auc:
            best, best_gain = decay, gain
    return best
