"""Faults that make the figures of an evaluation unusable, each with a sentence that names it.

* The challenger has learned from holdout photos or their near-duplicates.
* The scores of an annotator on the holdout run against those of all others.
* The scores of the challenger are unrelated to the votes, although those of the champion are related.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from annotation.language import gettext, gettext_noop
from annotation.measures.intervals import Interval
from annotation.raters.panel_agreement import Panel, rank_correlations
from training.evaluation.measured import measured
from training.evaluation.promotion_rule import HOLDOUT_FOR_PROMOTION, Decision, Problem
from training.evaluation.registry import METRICS

#: An annotator with fewer common photos is not tested.
FEWEST_PHOTOS = 10
_ERROR_RATE = 0.01  # of one holdout, shared by its annotators
_FIELLER = 1.06


#: Stored with an evaluation, with figures.
ONE_INVERTED = gettext_noop(
    "On the holdout, the scores of an annotator run against those of the others: rank correlation %(listed)s. "
    "See annotator quality, leave these votes out or correct them, and evaluate again."
)
SEVERAL_INVERTED = gettext_noop(
    "On the holdout, the scores of %(count)s annotators run against those of the others: rank correlation %(listed)s. "
    "See annotator quality, leave these votes out or correct them, and evaluate again."
)
LEAK = gettext_noop(
    "The challenger has learned from %(photos)s of the %(holdout)s rated holdout photos, or from near-duplicates of "
    "them, so its figures are too good."
)
FAULTS = (ONE_INVERTED, SEVERAL_INVERTED, LEAK)


@dataclass(frozen=True)
class Inverted:
    """An annotator whose scores run against those of the others."""

    annotator_id: int
    correlation: Interval
    """SRCC with the means of the others."""


def inverted_annotators(image_ids: ArrayLike, annotator_ids: ArrayLike, scores: ArrayLike) -> list[Inverted]:
    """Return the annotators whose rank correlation with the others' means is below zero, the lowest first.

    Votes are columns of one length. The test is Fisher's, at 1 % for all annotators together (Bonferroni), for those
    with ten or more photos that others rated too. Of two annotators that contradict each other, both are returned.
    """
    from scipy.special import ndtri

    names, rater = np.unique(np.asarray(annotator_ids).ravel(), return_inverse=True)
    if not len(names):
        return []
    found = rank_correlations(Panel.of(image_ids, rater, scores, raters=len(names)))
    known = [
        Inverted(int(name), one)
        for name, one in zip(names, found, strict=True)
        if one.n >= FEWEST_PHOTOS and not np.isnan(one.value)
    ]
    if not known:
        return []
    limit = float(ndtri(_ERROR_RATE / len(known)))
    below = [one for one in known if _fisher_z(one.correlation) < limit]
    return sorted(below, key=lambda one: one.correlation.value)


def inverted_problem(inverted: Sequence[Inverted]) -> Problem:
    """Return what to do about such annotators. The text is English and has no name, because it is stored."""
    listed = ", ".join(
        f"{one.correlation.value:.2f} ({one.correlation.low:.2f} to {one.correlation.high:.2f}, "
        f"n = {one.correlation.n})"
        for one in inverted
    ).replace("-", "−")
    text = ONE_INVERTED if len(inverted) == 1 else SEVERAL_INVERTED
    return Problem(Decision.CANNOT_TELL, text % {"count": len(inverted), "listed": listed})


def leak_problem(photos: int, holdout: int) -> Problem:
    """Return that the challenger has learned from `photos` of the `holdout` photos or their near-duplicates."""
    return Problem(Decision.REFUSE, LEAK % {"photos": f"{photos:,}", "holdout": f"{holdout:,}"})


def unrelated_problem(metrics: Mapping[str, Mapping[str, Any]], differences: Mapping[str, Any]) -> Problem | None:
    """Return that the challenger's scores do not rank the photos although the champion's do; None otherwise."""
    name = METRICS["quality_srcc"].name
    own = {one.metric.name: one for one in measured(metrics)}.get(name)
    change = {one.metric.name: one for one in measured(differences)}.get(name)
    if own is None or change is None or own.low is None or change.value is None or own.value is None:
        return None
    champion = own.value - change.value
    counted = own.n if own.groups is None else own.groups
    if counted < HOLDOUT_FOR_PROMOTION or own.low > 0 or change.verdict != "worse" or champion <= 0:
        return None
    return Problem(
        Decision.REFUSE,
        gettext(
            "The challenger's scores are unrelated to the votes: %(metric)s %(value)s (%(interval)s), the champion's "
            "is %(champion)s. A model that learned from shuffled or inverted answers looks like this."
        )
        % {
            "metric": gettext(own.metric.label),
            "value": own.text,
            "interval": own.interval,
            "champion": f"{champion:.3f}",
        },
    )


def _fisher_z(correlation: Interval) -> float:
    r = float(np.clip(correlation.value, -0.999, 0.999))
    return float(np.arctanh(r) * np.sqrt((correlation.n - 3) / _FIELLER))
