"""Learn the watch probability from people's votes: a logistic regression on zero-shot log-odds and pooled features.

The targets are the probabilities of a watch by Dawid & Skene (`annotation.consensus.dawid_skene`), not shares of
votes: a share puts a floor under photos without a watch, at the rate of wrong votes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from annotation.measures.classification import roc_auc
from training.learning.sampling import group_folds, principal_directions
from training.learning.watch_thresholds import WatchAim, aimed_threshold, expected_f1

Floats = NDArray[np.float64]

# Units in which the penalty measures log-odds and features: it allows about 5 log-odds along the first.
_ODDS_UNIT, _FEATURES_UNIT = 5.0, 3.0
_INVERSE_PENALTY = 10.0
_DIRECTIONS = 256
# The threshold of a version moves from the first guess with the labels, as if this many photos had chosen it.
_FIRST, _FIRST_PHOTOS = 0.35, 50
#: The threshold of the zero-shot sum of class probabilities with the best F1 on photos of Caltech-101.
ZERO_SHOT_THRESHOLD = 0.05
# Learning from 50 labels lowered the F1 by .03 in the worst simulated promotion.
_FEWEST_EACH, _FEWEST_LABELS = 2, 100
_FOLDS = 10


@dataclass(frozen=True)
class WatchFit:
    """Log-odds become scale·zero-shot log-odds + shift + weight·standardised pooled features."""

    scale: float = 1.0
    shift: float = 0.0
    weight: NDArray[np.float32] | None = None
    """[P]; None: no weights on the features."""
    labels: int = 0
    """Images with votes."""
    roc_auc: float | None = None
    """Of held-out images; None without a fit."""
    threshold: float | None = None
    """The watch probability above which the version decides 'watch'; None: that of the campaign."""
    f1: float | None = None
    """Expected F1 of held-out images at the threshold with the best F1; None without a fit."""
    zero_shot_f1: float | None = None
    """The same of the zero-shot model at its threshold, on the same images."""
    not_used: str = ""
    """Why the zero-shot model stays as it is; '' if it does not."""


def watch_fit(
    log_odds: NDArray[np.floating],
    pooled: NDArray[np.float32],
    posterior: NDArray[np.floating],
    *,
    groups: NDArray[np.generic],
    seed: int,
    aim: WatchAim | None = None,
) -> WatchFit:
    """Learn from zero-shot log-odds [N], standardised pooled features [N, P] and probabilities of a watch [N].

    `posterior`: by people; NaN for images without votes, which are left out. The zero-shot model stays with few labels,
    with labels of one kind only, and when the learned one has a lower F1 on held-out images.
    """
    aim = aim or WatchAim()
    known = ~np.isnan(posterior)
    watch = np.asarray(posterior, dtype=np.float64)[known]
    count = len(watch)
    if count < _FEWEST_LABELS:
        return WatchFit(labels=count, not_used=f"there are fewer than {_FEWEST_LABELS} labels")
    is_watch = (watch > 0.5).astype(np.int8)
    if min(is_watch.sum(), count - is_watch.sum()) < _FEWEST_EACH:
        return WatchFit(labels=count, not_used="there are fewer than 2 labels of one kind")
    odds, features = np.asarray(log_odds, dtype=np.float64)[known], pooled[known]
    unit = _FEATURES_UNIT / np.sqrt(features.shape[1])
    directions = principal_directions(features, count=_DIRECTIONS, seed=seed)
    columns = np.column_stack([odds / _ODDS_UNIT, (features @ directions).astype(np.float64) * unit])
    folds = group_folds(groups[known], folds=_FOLDS, seed=seed)
    held_out = np.empty(count)
    for fold in range(_FOLDS):
        held = folds == fold
        if not held.any():
            continue
        along, shift = _logistic(columns[~held], watch[~held])
        held_out[held] = columns[held] @ along + shift
    probabilities = expit(held_out)
    threshold = _threshold(probabilities, watch, aim)
    # The judgement is by F1, at the threshold for F1, whatever the aim.
    f1 = expected_f1(probabilities, watch, _threshold(probabilities, watch, WatchAim()))
    before = expected_f1(expit(odds), watch, ZERO_SHOT_THRESHOLD)
    auc = float(roc_auc(held_out, is_watch)) if 0 < is_watch.sum() < count else None
    if f1 < before:
        reason = f"its F1 on held-out photos is {f1:.3f}, and that of the zero-shot model {before:.3f}"
        return WatchFit(labels=count, roc_auc=auc, f1=f1, zero_shot_f1=before, not_used=reason)
    along, shift = _logistic(columns, watch)
    return WatchFit(
        scale=float(along[0]) / _ODDS_UNIT,
        shift=shift,
        weight=(directions @ along[1:] * unit).astype(np.float32),
        labels=count,
        roc_auc=auc,
        threshold=threshold,
        f1=f1,
        zero_shot_f1=before,
    )


def _logistic(columns: Floats, watch: Floats) -> tuple[Floats, float]:
    """Return weights [R] and offset. Each photo counts as a watch and as none, with its probabilities of both."""
    from sklearn.linear_model import LogisticRegression

    labels = np.repeat([1, 0], len(watch))
    weights = np.concatenate([watch, 1 - watch]) + 1e-9  # no label is missing in a fold
    model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=300)
    model.fit(np.concatenate([columns, columns]), labels, sample_weight=weights)
    along: Floats = model.coef_[0]
    return along, float(model.intercept_[0])


def _threshold(probabilities: Floats, watch: Floats, aim: WatchAim) -> float:
    """Return the threshold for the aim, nearer to the first guess the fewer photos there are."""
    found = aimed_threshold(probabilities, watch, aim)
    first = 1 / (1 + aim.cost) if aim.name == "cost" else _FIRST
    if found is None:
        return first
    if aim.name == "misses":
        return min(found, first)
    share = len(watch) / (len(watch) + _FIRST_PHOTOS)
    return float(expit(share * logit(found) + (1 - share) * logit(first)))
