"""95 % intervals of accuracy, F1 and ROC AUC, which a bootstrap makes too narrow where models are nearly always right.

A bootstrap draws from the mistakes that were seen. With one or two of them it covers the F1 in 71 % of the cases, and
without any its interval has no width. Accuracy is a share. F1 is 2J/(1 + J), where J = TP/(TP + FP + FN) is a share of
the photos that show a watch or are called one. So both have Wilson's interval of a share, in which near-duplicates do
not count as several photos (`annotation.measures.group_shares`).

The variance of a ROC AUC A is at most A(1 − A)/min(watches, others) (Birnbaum & Klose, 1957, 'Bounds for the variance
of the Mann-Whitney statistic'). An AUC without a wrong pair has Wilson's interval for so many trials.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from annotation.measures.classification import f1, roc_auc
from annotation.measures.group_shares import independent_photos, share_interval, wilson_ends
from annotation.measures.intervals import Interval, interval


def accuracy_interval(decisions: ArrayLike, labels: ArrayLike, *, groups: ArrayLike) -> Interval:
    """Return the share of equal entries of two columns of codes [N]; NaN without entries."""
    return share_interval(np.asarray(decisions) == np.asarray(labels), groups)


def f1_interval(decisions: ArrayLike, labels: ArrayLike, *, groups: ArrayLike) -> Interval:
    """Return F1 of 0/1 columns [N]; NaN when neither has a 1. `n` and `groups` count all photos."""
    decided, truth, names = np.asarray(decisions) == 1, np.asarray(labels) == 1, np.asarray(groups)
    either = decided | truth
    found = share_interval((decided & truth)[either], names[either])
    value = float(f1(decided, truth))
    low, high = (2 * end / (1 + end) for end in (found.low, found.high))
    return Interval(value, min(low, value), max(high, value), len(truth), len(np.unique(names)))


def roc_auc_interval(probabilities: ArrayLike, labels: ArrayLike, *, groups: ArrayLike, seed: int) -> Interval:
    """Return the ROC AUC of probabilities [N] against 0/1 labels [N], with its bootstrap interval over groups.

    Where all pairs are right, or all are wrong, the bootstrap knows no end, and the interval is the one above.
    """
    found = interval(roc_auc, probabilities, labels, groups=groups, seed=seed)
    if np.isnan(found.value) or found.low < found.high:
        return found
    is_watch, names = np.asarray(labels) == 1, np.asarray(groups)
    low, high = wilson_ends(found.value, min(independent_photos(names[side]) for side in (is_watch, ~is_watch)))
    return replace(found, low=low, high=high)
