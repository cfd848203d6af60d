"""Learn the watch probability from people's votes: a logistic regression on zero-shot log-odds and pooled features.

The targets are the probabilities of a watch by Dawid & Skene (`annotation.consensus.dawid_skene`), not shares of
votes: a share puts a floor under photos without a watch, at the rate of wrong votes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from annotation.measures.classification import roc_auc
from training.learning.config import WatchConfig
from training.learning.sampling import group_folds, principal_directions
from training.learning.venn_abers import Intervals, probability_intervals
from training.learning.watch_thresholds import WatchAim, aimed_threshold, expected_f1, surely_better_threshold
from training.learning.watch_words import FEW_LABELS, FEW_OF_ONE_KIND, LOWER_F1

Floats = NDArray[np.float64]

# Units in which the penalty measures log-odds and features: it allows about 5 log-odds along the first.
_ODDS_UNIT, _FEATURES_UNIT = 5.0, 3.0
_DIRECTIONS = 256
# The threshold of a learned head moves from this first guess with the labels, as if this many photos had chosen it.
_FIRST, _FIRST_PHOTOS = 0.35, 50
# With fewer labels of one kind, nothing can be said about the other.
_FEWEST_EACH = 2


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
    """Expected F1 of the learned head on held-out images; None without a fit."""
    zero_shot_f1: float | None = None
    """The same of the zero-shot model, at the campaign's threshold or its own, on the same images."""
    intervals: Intervals | None = None
    """What the labels say about photos with a probability; None with few labels."""
    not_used: str = ""
    """Why the zero-shot model stays as it is; '' if it does not."""


def watch_fit(
    log_odds: NDArray[np.floating],
    pooled: NDArray[np.float32],
    posterior: NDArray[np.floating],
    *,
    groups: NDArray[np.generic],
    config: WatchConfig,
    seed: int,
    aim: WatchAim,
) -> WatchFit:
    """Learn from zero-shot log-odds [N], standardised pooled features [N, P] and probabilities of a watch [N].

    `posterior`: by people; NaN for images without votes, which are left out. The zero-shot model stays with few labels,
    with labels of one kind only, and when the learned one has a lower F1 on held-out images: with the aim 'fixed' at
    the threshold that stays, otherwise each with its own. The zero-shot model gets a threshold of its own where this
    surely does better than the campaign's.
    """
    known = ~np.isnan(posterior)
    watch = np.asarray(posterior, dtype=np.float64)[known]
    count, odds = len(watch), np.asarray(log_odds, dtype=np.float64)[known]
    rarer = min((watch > 0.5).sum(), (watch <= 0.5).sum())
    if rarer < _FEWEST_EACH:
        return WatchFit(labels=count, not_used=FEW_OF_ONE_KIND % {"labels": _FEWEST_EACH})

    def zero_shot(
        reason: str, roc_auc: float | None = None, f1: float | None = None, zero_shot_f1: float | None = None
    ) -> WatchFit:
        own = surely_better_threshold(expit(odds), watch, aim, groups=groups[known], seed=seed)
        return WatchFit(
            labels=count,
            roc_auc=roc_auc,
            threshold=_rounded(own),
            f1=f1,
            zero_shot_f1=zero_shot_f1,
            intervals=probability_intervals(odds, watch),
            not_used=reason,
        )

    if count < config.labels_from:
        return zero_shot(FEW_LABELS % {"labels": config.labels_from})
    features = pooled[known]
    unit = _FEATURES_UNIT / np.sqrt(features.shape[1])
    directions = principal_directions(features, count=_DIRECTIONS, seed=seed)
    columns = np.column_stack([odds / _ODDS_UNIT, (features @ directions).astype(np.float64) * unit])
    held_out = _held_out_logits(columns, watch, groups[known], config, seed)
    probabilities = expit(held_out)
    auc = float(roc_auc(held_out, (watch > 0.5).astype(np.int8)))
    threshold = None if aim.name == "fixed" else _threshold(probabilities, watch, aim)
    # The judgement is by F1, at the threshold for F1, whatever is asked of the threshold.
    at = rival_at = aim.threshold
    if aim.name != "fixed":
        for_f1 = WatchAim(aim.threshold)
        at = _threshold(probabilities, watch, for_f1)
        rival_at = surely_better_threshold(expit(odds), watch, for_f1, groups=groups[known], seed=seed) or rival_at
    learned, before = expected_f1(probabilities, watch, at), expected_f1(expit(odds), watch, rival_at)
    if learned < before:
        reason = LOWER_F1 % {"learned": f"{learned:.3f}", "before": f"{before:.3f}"}
        return zero_shot(reason, roc_auc=auc, f1=learned, zero_shot_f1=before)
    along, shift = _logistic(columns, watch, config)
    return WatchFit(
        scale=float(along[0]) / _ODDS_UNIT,
        shift=shift,
        weight=(directions @ along[1:] * unit).astype(np.float32),
        labels=count,
        roc_auc=auc,
        threshold=_rounded(threshold),
        f1=learned,
        zero_shot_f1=before,
        intervals=probability_intervals(held_out, watch),
    )


def _held_out_logits(
    columns: Floats, watch: Floats, groups: NDArray[np.generic], config: WatchConfig, seed: int
) -> Floats:
    """Return the logits [N] of models that have not learned from the image or its near-duplicates."""
    folds = group_folds(groups, folds=config.folds, seed=seed)
    held_out = np.empty(len(watch))
    for fold in np.unique(folds):
        held = folds == fold
        along, shift = _logistic(columns[~held], watch[~held], config)
        held_out[held] = columns[held] @ along + shift
    return held_out


def _logistic(columns: Floats, watch: Floats, config: WatchConfig) -> tuple[Floats, float]:
    """Return weights [R] and offset. Each photo counts as a watch and as none, with its probabilities of both."""
    from sklearn.linear_model import LogisticRegression

    labels = np.repeat([1, 0], len(watch))
    weights = np.concatenate([watch, 1 - watch]) + 1e-9  # no label is missing in a fold
    model = LogisticRegression(C=config.inverse_penalty, max_iter=300)
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


def _rounded(threshold: float | None) -> float | None:
    """Return the threshold as pages show it, so that a decision can be checked by hand."""
    return None if threshold is None else float(f"{threshold:.3g}")
