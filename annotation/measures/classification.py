"""Metrics for classification: watch or no watch, and the three quality classes.

`roc_auc`, `f1`, `accuracy`, `brier` and `log_loss` take arrays [..., N] whose last axis is images, and return [...], so
that one call measures all resamples of a bootstrap. They are implemented here because scikit-learn measures one
resample per call, which is 20 to 1,700 times slower for up to 1,000 images; the tests compare them with scikit-learn.
Tables and thresholds use scikit-learn. It is imported inside the functions, because the import takes 0.2 s and 16 MB
that most web processes do not need.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

#: How near to 0 and 1 the log loss lets a probability come.
LEAST_PROBABILITY = 1e-6

THRESHOLDS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)


@dataclass(frozen=True)
class ThresholdRow:
    """Metrics of deciding 'watch' above one threshold. NaN where undefined."""

    threshold: float
    roc_auc: float
    """Of the probabilities, so the same in each row."""
    balanced_accuracy: float
    """(sensitivity + specificity) / 2 of the decisions at this threshold, which is also their ROC AUC."""
    f1: float
    accuracy: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int


def roc_auc(probabilities: ArrayLike, labels: ArrayLike) -> Floats:
    """Return the area under the ROC curve of arrays [..., N]; labels are 1 (watch) and 0.

    Computed as the Mann-Whitney statistic: the probability that a random watch has a higher predicted probability than
    a random other photo; ties count half. NaN where one of the two labels is missing.
    """
    from scipy.stats import rankdata

    truth = np.asarray(labels, dtype=np.float64)
    ranks = rankdata(probabilities, axis=-1)
    positives = truth.sum(axis=-1)
    negatives = truth.shape[-1] - positives
    with np.errstate(divide="ignore", invalid="ignore"):
        area: Floats = ((ranks * truth).sum(axis=-1) - positives * (positives + 1) / 2) / (positives * negatives)
    return area


def f1(decisions: ArrayLike, labels: ArrayLike) -> Floats:
    """Return F1 = 2·TP / (2·TP + FP + FN) of 0/1 arrays [..., N]; NaN when neither has a 1."""
    decided, truth = np.asarray(decisions, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        score: Floats = 2 * (decided * truth).sum(axis=-1) / (decided.sum(axis=-1) + truth.sum(axis=-1))
    return score


def macro_f1(decisions: ArrayLike, labels: ArrayLike, *, classes: int = 3) -> Floats:
    """Return the mean F1 of the classes 0 … `classes` − 1, of two arrays of codes [..., N]; each class counts the same.

    A class that neither array has is left out. NaN without entries.
    """
    decided, truth = np.asarray(decisions), np.asarray(labels)
    scores = np.stack([f1(decided == code, truth == code) for code in range(classes)])
    known = ~np.isnan(scores)
    with np.errstate(invalid="ignore"):
        mean: Floats = np.where(known, scores, 0.0).sum(axis=0) / known.sum(axis=0)
    return mean


def accuracy(decisions: ArrayLike, labels: ArrayLike) -> Floats:
    """Return the share of equal entries of two arrays of codes [..., N], in [0, 1]; NaN without entries."""
    equal = np.asarray(decisions) == np.asarray(labels)
    with np.errstate(invalid="ignore"):
        share: Floats = equal.sum(axis=-1, dtype=np.float64) / equal.shape[-1]
    return share


def brier(probabilities: ArrayLike, labels: ArrayLike) -> Floats:
    """Return the Brier score, the mean squared error of probabilities [..., N] against 0/1 labels, in [0, 1]."""
    difference = np.asarray(probabilities, dtype=np.float64) - np.asarray(labels, dtype=np.float64)
    score: Floats = (difference**2).mean(axis=-1)
    return score


def log_loss(probabilities: ArrayLike, labels: ArrayLike) -> Floats:
    """Return the mean of −log of the probability [..., N] that was given to the 0/1 label that came, in nats.

    0 is perfect, log 2 = 0.69 is a coin. A probability counts as at least `LEAST_PROBABILITY` and at most 1 minus that:
    otherwise one wrong answer with certainty would make the mean infinite.
    """
    p = np.clip(np.asarray(probabilities, dtype=np.float64), LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    truth = np.asarray(labels, dtype=np.float64)
    loss: Floats = -(truth * np.log(p) + (1 - truth) * np.log1p(-p)).mean(axis=-1)
    return loss


def brier_skill(probabilities: ArrayLike, labels: ArrayLike) -> Floats:
    """Return 1 − Brier/(r·(1 − r)) of arrays [..., N], where r is the share of watches among the labels.

    The divisor is the Brier score of saying r for every photo. 1 is perfect; 0 or less is no better than knowing r
    alone. NaN where one of the two labels is missing. Source: Murphy (1973), 'A new vector partition of the probability
    score'.
    """
    share = np.asarray(labels, dtype=np.float64).mean(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        skill: Floats = 1 - brier(probabilities, labels) / (share * (1 - share))
    return np.where(np.isfinite(skill), skill, np.nan)


def quality_classes(means: ArrayLike, *, reject_at: float, pending_at: float) -> NDArray[np.int8]:
    """Return 0 (rejected: up to `reject_at`), 1 (pending: up to `pending_at`) or 2 (accepted) per mean score."""
    values = np.asarray(means, dtype=np.float64)
    return ((values > reject_at).astype(np.int8) + (values > pending_at)).astype(np.int8)


def threshold_table(
    probabilities: ArrayLike, labels: ArrayLike, thresholds: ArrayLike = THRESHOLDS
) -> list[ThresholdRow]:
    """Return a row per threshold for deciding 'watch' when the probability [N] is above it. Labels [N] are 0/1."""
    from sklearn.metrics import confusion_matrix

    p, truth = np.asarray(probabilities, dtype=np.float64), np.asarray(labels).astype(bool)
    area = float(roc_auc(p, truth))
    rows = []
    for threshold in np.asarray(thresholds, dtype=np.float64):
        decided = p > threshold
        counts = confusion_matrix(truth, decided, labels=[False, True]).tolist() if p.size else [[0, 0], [0, 0]]
        (true_negatives, false_positives), (false_negatives, true_positives) = counts
        rows.append(
            ThresholdRow(
                threshold=float(threshold),
                roc_auc=area,
                balanced_accuracy=float(roc_auc(decided, truth)),
                f1=float(f1(decided, truth)),
                accuracy=float(accuracy(decided, truth)),
                true_positives=true_positives,
                false_positives=false_positives,
                false_negatives=false_negatives,
                true_negatives=true_negatives,
            )
        )
    return rows


def best_threshold(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Return the threshold with the highest F1: the middle between two neighbouring probabilities [N].

    The highest of equally good thresholds. NaN when the labels [N] have no watch.
    """
    from sklearn.metrics import confusion_matrix_at_thresholds

    p, truth = np.asarray(probabilities, dtype=np.float64), np.asarray(labels).astype(np.int64)
    if not truth.sum():
        return float("nan")
    # One row per distinct probability, highest first: the decision is 'watch' at or above it.
    _, false_positives, false_negatives, true_positives, lowest_watch = confusion_matrix_at_thresholds(
        truth, p, pos_label=1
    )
    scores = 2 * true_positives / (2 * true_positives + false_positives + false_negatives)
    scores[lowest_watch == 0] = -1.0  # no threshold is below the probability 0
    best = int(np.argmax(scores))
    return float((lowest_watch[best] + np.append(lowest_watch, 0.0)[best + 1]) / 2)
