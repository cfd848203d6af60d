"""The highest correlation with a MOS that a model can expect: √r_k.

r_k = σ²(photos) / (σ²(photos) + σ²(rest)·h + σ²(annotators)·c), where h is the mean of 1/k over the photos. c is how
much the mean of the annotators' parts differs between photos, relative to σ²(annotators). With the same people on all
photos c is 0, because severe people lower every MOS alike; then r_k follows from ICC(C,1). With other people on each
photo c is h, and r_k follows from ICC(1). Between the two, c = Σ_j var_i(w_ij), where w_ij is 1/k for the voters j of
photo i and 0 for others.

Sources: McGraw & Wong (1996), 'Forming inferences about some intraclass correlation coefficients', for the forms;
Spearman (1910) and Brown (1910) for the reliability of a mean of k votes; Searle, Casella & McCulloch (1992) for the
variances.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.language import gettext_noop
from annotation.measures.agreement.crossed import components_of, vote_columns
from annotation.measures.agreement.jackknife import PARTS, jackknife
from annotation.measures.agreement.one_way import one_way_variances
from annotation.measures.intervals import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: With fewer photos that have two votes, figures of agreement say nothing.
FEWEST_PHOTOS = PARTS
# c/h below and above which a simple form fits.
_SAME, _OTHER = 0.05, 0.95


class Form(Enum):
    """Which intraclass correlation fits the votes, by its name."""

    CONSISTENCY = "ICC(C,1)"
    MIXED = gettext_noop("variance components")
    ONE_WAY = "ICC(1)"

    @property
    def label(self) -> str:
        """Return the name of the form, in English. What shows it translates it."""
        return self.value

    @property
    def reason(self) -> str:
        """Return which people voted, as part of a sentence in English. What shows it translates it."""
        return _REASONS[self]


_REASONS = {
    Form.CONSISTENCY: gettext_noop("the same people rated all photos"),
    Form.MIXED: gettext_noop("some people rated many photos, and no photo has votes of all"),
    Form.ONE_WAY: gettext_noop("each photo has votes of other people"),
}


@dataclass(frozen=True)
class Ceiling:
    """√r_k of given votes."""

    form: Form
    icc: Interval
    """Reliability of one vote in this form, in [0, 1], with its interval; NaN when it is undefined."""
    value: Interval
    """√r_k with its interval; n is the number of photos. The interval is [0, 1] below `FEWEST_PHOTOS` photos with two
    votes, and NaN when √r_k is undefined."""

    @property
    def is_known(self) -> bool:
        """Return whether there is a value."""
        return not np.isnan(self.value.value)


@dataclass(frozen=True)
class _Parts:
    """Variances in squared points, each 0 or more."""

    photos: float
    annotators: float
    rest: float

    def reliability(self, each: float, differing: float) -> float:
        total = self.photos + self.rest * each + self.annotators * differing
        return self.photos / total if total > 0 else float("nan")


def vote_form(image_ids: ArrayLike, annotator_ids: ArrayLike) -> Form:
    """Return which form fits the votes, by who voted on which photos; `ONE_WAY` without votes.

    Raises ValueError for columns of different length, and for two votes of an annotator on one photo.
    """
    ids = np.asarray(image_ids).ravel()
    photo, rater, _ = vote_columns(ids, annotator_ids, np.zeros(len(ids)))
    return vote_form_of(photo, rater)[0] if len(ids) else Form.ONE_WAY


def vote_form_of(photo: Ints, rater: Ints) -> tuple[Form, float]:
    """Return the same from places without gaps, and c/h: which part of σ²(annotators) differs between photos, 0 to 1.

    Raises ValueError without votes.
    """
    if not len(photo):
        raise ValueError("Without votes, nobody knows which people voted on which photos.")
    each, differing = _design(photo, rater)
    return _form(each, differing), differing / each


def vote_ceiling(
    image_ids: ArrayLike, annotator_ids: ArrayLike, scores: ArrayLike, *, has_interval: bool = True
) -> Ceiling:
    """Return √r_k of the MOS that these votes have, in the form that fits them; columns of equal length.

    When the votes cannot tell annotators from the rest, for example with one vote for each annotator, the form is
    `ONE_WAY`. The interval is a jackknife over 20 parts of the photos on the scale of log r/(1 − r), with Student's t;
    without `has_interval` it is that of too few photos.
    Raises ValueError as `vote_form`.
    """
    photo, rater, values = vote_columns(image_ids, annotator_ids, scores)
    if not len(values):
        return _unknown(Form.ONE_WAY, 0)
    each, differing = _design(photo, rater)
    form = _form(each, differing)
    found = _variances(photo, rater, values, form)
    if found is None and form is not Form.ONE_WAY:
        form = Form.ONE_WAY
        found = _variances(photo, rater, values, form)
    counts = np.bincount(photo)
    photos = len(counts)
    if found is None:
        return _unknown(form, photos)
    value = found.reliability(each, differing)
    is_enough = has_interval and (counts > 1).sum() >= FEWEST_PHOTOS
    low, high = (is_enough and _ends(photo, rater, values, form, (each, differing), value)) or (0.0, 1.0)
    ends = np.array([value, min(low, value), max(high, value)])
    # r_k = σ²/(σ² + h·x), and the reliability of one vote is σ²/(σ² + x).
    one = each * ends / (each * ends + 1 - ends)
    return Ceiling(form, _interval(one, photos), _interval(np.sqrt(ends), photos))


def reliability(icc: float, votes: ArrayLike) -> float:
    """Return r_k, the reliability of a MOS of k votes: k·ICC/(1 + (k − 1)·ICC), in [0, 1].

    `votes` is one k, or one per image. Unequal k count by their harmonic mean, because the error variance of the MOS
    over the images is that of one vote times the mean of 1/k. Images without votes have no MOS and are left out. An
    ICC below 0 counts as 0. NaN when the ICC is NaN, or without votes.
    """
    counts = np.atleast_1d(np.asarray(votes, dtype=np.float64))
    counts = counts[counts > 0]
    if not len(counts) or np.isnan(icc):
        return float("nan")
    if icc <= 0:
        return 0.0
    return float(icc / (icc + (1 - icc) * np.mean(1 / counts)))


def correlation_ceiling(icc: float, votes: ArrayLike) -> float:
    """Return √r_k, the highest linear correlation with a MOS of k votes that any model can expect.

    Even a model that knows the average opinion of all people cannot predict the noise of these k votes. The ICC must
    have the form that fits the votes; `vote_ceiling` chooses it.
    """
    return float(np.sqrt(reliability(icc, votes)))


def _unknown(form: Form, photos: int) -> Ceiling:
    nothing = _interval(np.full(3, np.nan), photos)
    return Ceiling(form, nothing, nothing)


def _interval(ends: Floats, photos: int) -> Interval:
    value, low, high = ends.tolist()
    return Interval(value, low, high, photos)


def _design(photo: Ints, rater: Ints) -> tuple[float, float]:
    """Return h, the mean of 1/k over the photos, and c, the part of σ²(annotators) that differs between photos."""
    counts = np.bincount(photo).astype(np.float64)
    photos = len(counts)
    each = float((1 / counts).mean())
    if photos < 2:
        return each, each
    weights = 1 / counts[photo]
    means = np.bincount(rater, weights) / photos
    differing = (float((weights**2).sum()) - photos * float((means**2).sum())) / (photos - 1)
    return each, min(max(differing, 0.0), each)


def _form(each: float, differing: float) -> Form:
    share = differing / each
    return Form.CONSISTENCY if share < _SAME else Form.ONE_WAY if share > _OTHER else Form.MIXED


def _variances(photo: Ints, rater: Ints, scores: Floats, form: Form) -> _Parts | None:
    """Return the variances, the negative ones as 0; None when they are undefined."""
    if form is Form.ONE_WAY:
        between, within = one_way_variances(photo, scores)
        return None if np.isnan(between) or between + within <= 0 else _Parts(max(between, 0.0), 0.0, within)
    found = components_of(photo, rater, scores)
    if found is None or not max(found.photos, 0.0) + found.rest > 0:
        return None
    return _Parts(max(found.photos, 0.0), max(found.annotators, 0.0), found.rest)


def _ends(
    photo: Ints, rater: Ints, scores: Floats, form: Form, design: tuple[float, float], value: float
) -> tuple[float, float] | None:
    """Return the interval of r_k; None when it is unknown."""
    from scipy.special import expit, logit

    def estimate(kept: NDArray[np.bool_]) -> float:
        found = _variances(*_without_gaps(photo[kept], rater[kept]), scores[kept], form)
        return float("nan") if found is None else found.reliability(*design)

    return jackknife(estimate, photo, value, scale=lambda r: logit(np.clip(r, 1e-4, 1 - 1e-9)), back=expit)


def _without_gaps(photo: Ints, rater: Ints) -> tuple[Ints, Ints]:
    return np.unique(photo, return_inverse=True)[1], np.unique(rater, return_inverse=True)[1]
