"""How many annotators a model is worth: so many whose mean would correlate with the MOS as well as the model does.

With r_K the reliability of the MOS, the model's correlation with the opinion of everybody is ρ/√r_K, where ρ is its
Pearson correlation with the MOS. The mean of k other annotators correlates with the opinion of everybody by √r_k, so
r_k = ρ²/r_K and k = r_k·(1 − ICC)/(ICC·(1 − r_k)), by the formula of Spearman (1910) and Brown (1910) solved for k. The
ICC has the form that fits the votes (`ceiling`). k may be a fraction: a model worth .6 annotators is worse than one.
"""

from dataclasses import dataclass
from math import inf, nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.language import gettext, ngettext
from annotation.measures.agreement.ceiling import FEWEST_PHOTOS, Form, vote_ceiling
from annotation.measures.agreement.jackknife import jackknife
from annotation.measures.correlation import plcc
from annotation.measures.intervals import Interval
from annotation.measures.signs import ends_shown

Floats = NDArray[np.float64]

MOST = 1000.0
"""More annotators are 'as good as everybody': the interval ends there."""
_LEAST = 0.001


@dataclass(frozen=True)
class Worth:
    """The number of annotators that a model is worth."""

    form: Form
    """The form of the intraclass correlation, that of the ceiling."""
    annotators: Interval
    """k with its interval, in [0, ∞]; n is the number of photos. NaN when it is undefined. The interval is [0, ∞] below
    20 groups of photos, and an end of 1,000 or more is infinite."""

    @property
    def is_known(self) -> bool:
        """Return whether there is a value."""
        return not np.isnan(self.annotators.value)

    @property
    def text(self) -> str:
        """Return for example '3.2 annotators (2.1–5.4)', or '' when it is unknown."""
        return worth_text(self.annotators.value, self.annotators.low, self.annotators.high) if self.is_known else ""


def worth_text(value: float, low: float, high: float) -> str:
    """Return for example '3.2 annotators (2.1–5.4)'; ends of 1,000 or more become 'everybody'."""
    values = {"number": _number(value), "interval": ends_shown(_number(low), _number(high))}
    if value >= MOST:
        return gettext("as many annotators as there are (%(interval)s)") % values
    return (
        ngettext(
            "%(number)s annotator (%(interval)s)",
            "%(number)s annotators (%(interval)s)",
            1 if _number(value) == "1.0" else 2,
        )
        % values
    )


def annotators_worth(
    image_ids: ArrayLike, annotator_ids: ArrayLike, scores: ArrayLike, predicted: ArrayLike, groups: ArrayLike
) -> Worth:
    """Return how many annotators a model is worth that has scored these photos.

    All are columns of the votes [V]: `predicted` is the model's score of the vote's photo, and `groups` its group of
    near-duplicates. The interval is a jackknife over 20 parts of the groups, on the scale of log k, with Student's t.
    Correlation and ICC are left out together, because both come from the same votes. Raises ValueError for columns of
    different length, and for two votes of an annotator on one photo.
    """
    images, raters, values = (np.asarray(one).ravel() for one in (image_ids, annotator_ids, scores))
    model, names = np.asarray(predicted, dtype=np.float64).ravel(), np.asarray(groups).ravel()
    if not len(images) == len(raters) == len(values) == len(model) == len(names):
        raise ValueError("The columns of votes, scores of the model and groups have different lengths.")
    full = vote_ceiling(images, raters, values)
    everything = np.ones(len(images), dtype=bool)
    photos = len(np.unique(images))

    def estimate(kept: NDArray[np.bool_]) -> float:
        # Without the interval of the ceiling, which would take a jackknife in each of these 20 estimates.
        ceiling = vote_ceiling(images[kept], raters[kept], values[kept], has_interval=False)
        return _worth(ceiling.icc.value, ceiling.value.value, _correlation(images[kept], values[kept], model[kept]))

    value = estimate(everything) if full.is_known else nan
    if np.isnan(value):
        return Worth(full.form, Interval(nan, nan, nan, photos))
    _, group = np.unique(names, return_inverse=True)
    ends = None
    if len(np.unique(group)) >= FEWEST_PHOTOS:
        ends = jackknife(
            estimate, group.astype(np.int64), value, scale=lambda k: np.log(np.clip(k, _LEAST, MOST)), back=_annotators
        )
    low, high = ends or (0.0, inf)
    return Worth(full.form, Interval(value, min(low, value), max(high, value), photos))


def _worth(icc: float, ceiling: float, correlation: float) -> float:
    if np.isnan([icc, ceiling, correlation]).any() or ceiling <= 0 or not 0 < icc < 1:
        return nan
    reached = min((max(correlation, 0.0) / ceiling) ** 2, 1.0)
    return inf if reached == 1 else float(reached * (1 - icc) / (icc * (1 - reached)))


def _correlation(images: NDArray[np.generic], scores: Floats, model: Floats) -> float:
    """Return the Pearson correlation of the model with the MOS over the photos."""
    _, first, photo = np.unique(images, return_index=True, return_inverse=True)
    mos = np.bincount(photo, scores) / np.bincount(photo)
    return float(plcc(model[first], mos))


def _annotators(place: float) -> float:
    """Return k of a place on the scale of log k; ends beyond the limits are 0 and infinite."""
    k = float(np.exp(place))
    return inf if k >= MOST else 0.0 if k <= _LEAST else k


def _number(k: float) -> str:
    return gettext("everybody") if k >= MOST else f"{k:.1f}" if k < 10 else f"{k:.0f}"
