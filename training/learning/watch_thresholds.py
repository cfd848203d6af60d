"""Choose the threshold of the watch probability from held-out probabilities, for what a campaign wants to avoid.

The labels are uncertain, so true and false alarms are expected counts: a photo that is a watch with probability .9
counts as .9 watches.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

Floats = NDArray[np.float64]
_CLIP = 1e-7


@dataclass(frozen=True)
class WatchAim:
    """What a threshold is chosen for."""

    name: Literal["f1", "cost", "misses"] = "f1"
    """'f1': the best F1; 'cost': the least cost; 'misses': the fewest false alarms with few missed watches."""
    cost: float = 1.0
    """Of a missed watch, in false alarms; for 'cost'."""
    misses: float = 0.05
    """The largest share of watches that may be missed, 0 … 1; for 'misses'."""


def aimed_threshold(probabilities: ArrayLike, watch: ArrayLike, aim: WatchAim) -> float | None:
    """Return the threshold that reaches the aim best on photos with these probabilities, [N] each.

    `watch`: the probability that the photo shows a watch, by people. The threshold is the middle, in log-odds, of two
    neighbouring probabilities; of equally good ones, the highest. None without an expected watch or other photo.
    """
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
    label = np.asarray(watch, dtype=np.float64)
    decided = np.asarray(probabilities) > threshold
    sizes = float(decided.sum() + label.sum())
    return 2 * float(label[decided].sum()) / sizes if sizes else 0.0


def _counts(p: Floats, label: Floats) -> tuple[Floats, Floats, Floats]:
    """Return thresholds, highest first, with the expected watches and other photos above each."""
    values, place = np.unique(-p, return_inverse=True)
    caught = np.cumsum(np.bincount(place, weights=label))
    alarms = np.cumsum(np.bincount(place, weights=1 - label))
    odds = logit(np.clip(-values, _CLIP, 1 - _CLIP))
    below = np.append(odds[1:], logit(_CLIP))
    thresholds: Floats = np.asarray(expit((odds + below) / 2), dtype=np.float64)
    return thresholds, caught.astype(np.float64), alarms.astype(np.float64)
