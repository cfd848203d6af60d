"""Choose the threshold of the watch probability from held-out probabilities, for what a campaign wants to avoid.

The labels are uncertain, so true and false alarms are expected counts: a photo that is a watch with probability .9
counts as .9 watches.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from annotation.measures.intervals import paired_interval
from training.learning.sampling import group_folds

Floats = NDArray[np.float64]
_CLIP = 1e-7
_FOLDS = 10


@dataclass(frozen=True)
class WatchAim:
    """What a threshold is chosen for."""

    threshold: float
    """Of the campaign: the zero-shot model decides there, and with 'fixed' every model."""
    name: Literal["fixed", "f1", "cost", "misses"] = "f1"
    """'f1': the best F1; 'cost': the least cost; 'misses': the fewest false alarms with few missed watches."""
    cost: float = 1.0
    """Of a missed watch, in false alarms; for 'cost'."""
    misses: float = 0.05
    """The largest share of watches that may be missed, 0 … 1; for 'misses'."""


def aimed_threshold(probabilities: ArrayLike, watch: ArrayLike, aim: WatchAim) -> float | None:
    """Return the threshold that reaches the aim best on photos with these probabilities, [N] each.

    `watch`: the probability that the photo shows a watch, by people. The threshold is the middle, in log-odds, of two
    neighbouring probabilities; of equally good ones, the highest. None without an expected watch or other photo. With
    the aim 'fixed' it is that of the campaign.
    """
    if aim.name == "fixed":
        return aim.threshold
    p, label = np.asarray(probabilities, dtype=np.float64), np.asarray(watch, dtype=np.float64)
    if label.sum() < 0.5 or (1 - label).sum() < 0.5:
        return None
    cuts, caught, alarms = _counts(p, label)
    missed = label.sum() - caught
    if aim.name == "f1":
        worth = 2 * caught / (2 * caught + alarms + missed)
    elif aim.name == "cost":
        worth = -(aim.cost * missed + alarms)
    else:
        worth = np.where(missed <= aim.misses * label.sum() + 1e-9, -alarms, -np.inf)
    return float(cuts[int(np.argmax(worth))])


def expected_f1(probabilities: ArrayLike, watch: ArrayLike, threshold: float) -> float:
    """Return the F1 of the decisions 'above the threshold', against labels that are probabilities, [N] each.

    Zero without a watch.
    """
    return float(_f1(np.asarray(probabilities) > threshold, np.asarray(watch, dtype=np.float64)))


def surely_better_threshold(
    probabilities: ArrayLike, watch: ArrayLike, aim: WatchAim, *, groups: ArrayLike, seed: int
) -> float | None:
    """Return the threshold for the aim if it surely does better than the campaign's on these photos, otherwise None.

    'Surely': the 95 % interval of the difference of the F1 (or of the cost) is above 0, by the bootstrap over `groups`
    of near-duplicates [N]. Each group is decided at a threshold that the other folds have chosen, because the best
    threshold of some photos always looks better on them. The aim 'misses' takes the lower of both thresholds instead.
    """
    found = aimed_threshold(probabilities, watch, aim)
    if found is None or aim.name == "fixed":
        return None
    if aim.name == "misses":
        return min(found, aim.threshold)
    p, label = np.asarray(probabilities, dtype=np.float64), np.asarray(watch, dtype=np.float64)
    decided = p > aim.threshold
    before = decided.copy()
    folds = group_folds(np.asarray(groups), folds=_FOLDS, seed=seed)
    for fold in np.unique(folds):
        held = folds == fold
        chosen = aimed_threshold(p[~held], label[~held], aim)
        if chosen is not None:
            decided[held] = p[held] > chosen

    def saved(decided: NDArray[np.bool_], label: Floats) -> Floats:
        missed, alarms = np.where(decided, 0, label).sum(axis=-1), np.where(decided, 1 - label, 0).sum(axis=-1)
        return np.asarray(-(aim.cost * missed + alarms) / label.shape[-1])

    metric = saved if aim.name == "cost" else _f1
    gain = paired_interval(metric, decided, before, label, seed=seed, groups=groups)
    return found if gain.low > 0 else None


def _f1(decided: NDArray[np.bool_], label: Floats) -> Floats:
    """Return the F1 of decisions [..., N] against the probabilities of a watch [..., N]."""
    sizes = decided.sum(axis=-1) + label.sum(axis=-1)
    return np.asarray(2 * np.where(decided, label, 0).sum(axis=-1) / np.where(sizes, sizes, 1))


def _counts(p: Floats, label: Floats) -> tuple[Floats, Floats, Floats]:
    """Return thresholds, highest first, with the expected watches and other photos above each."""
    values, place = np.unique(-p, return_inverse=True)
    caught = np.cumsum(np.bincount(place, weights=label))
    alarms = np.cumsum(np.bincount(place, weights=1 - label))
    odds = logit(np.clip(-values, _CLIP, 1 - _CLIP))
    below = np.append(odds[1:], logit(_CLIP))
    thresholds: Floats = np.asarray(expit((odds + below) / 2), dtype=np.float64)
    return thresholds, caught.astype(np.float64), alarms.astype(np.float64)
