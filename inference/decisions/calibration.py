"""From audit votes to the limits beyond which a model decides on its own: learn then test.

**What is stated.** A rule states up to five tolerances, for example 'of the photos that the model accepts, at most 2 %
are not acceptable'. For each, the most generous limit is taken that the audit votes support: with the stated
confidence, the error over the photos of the campaign is within the tolerance. Each statement holds by itself.

**What 'not acceptable' means.** What a *fresh panel* of a stated number of people would say about the photo: the class
of their mean score, and the majority of their watch labels. A fresh panel can be observed, so the statement can be
checked. What all people together would say can not, and bounds for it from few votes are too wide to be of use.

**The test.** Candidate limits are places among the predictions of all photos, so they do not depend on the votes. They
are tested in a fixed order, the most cautious first, until one fails. The test of one limit is exact: the binomial
probability of at most the observed number of errors, if the error were the tolerance. A fixed order needs no correction
for the number of tests. The tests of a share of decided photos begin where the audit photos on the decided side could
pass with no error, and a second time where they could with `_ERRORS` errors. Each of the two orders has half of the
risk, so one early error does not end everything.

Source: Angelopoulos, Bates, Candès, Jordan & Lei (2021), 'Learn then Test: Calibrating Predictive Algorithms to Achieve
Risk Control', arXiv:2110.01052, fixed-sequence testing with several starts (section 3.1, algorithm 1).

Near-duplicates are not independent: the caller gives one photo per group.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from inference.decisions.limits import Limits

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_CANDIDATES = 200
#: The second order of tests begins where so many errors would pass.
_ERRORS = 2


class Statement(StrEnum):
    """What a rule can state; the values are stored."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WATCH = "watch"
    MISSED = "missed"
    SCORE = "score"


@dataclass(frozen=True)
class Tolerances:
    """What a campaign allows, as shares 0 … 1. None: people decide."""

    accepted: float | None
    """Of the photos that the model accepts: not acceptable."""
    rejected: float | None
    """Of the photos that the model rejects: not to be rejected."""
    watch: float | None
    """Of the photos that the model calls a watch: no watch."""
    missed: float | None
    """Of the watches: called 'no watch' by the model."""
    score_points: float | None
    """The score is within so many points of the panel's mean …"""
    score_share: float = 0.9
    """… for this share of the photos."""
    confidence: float = 0.95
    panel: int = 1
    """Votes in the panel that the model is compared with."""


@dataclass(frozen=True)
class AuditPhotos:
    """Photos drawn at random that the version has not learned from, as columns [N]; one photo per group."""

    quality_mean: Floats
    """Predicted, on the campaign's scale."""
    watch_probability: Floats
    people_mean: Floats
    """Mean score of the panel; NaN if its people gave no score."""
    people_watch: Bools
    """Whether more people of the panel say 'watch' than 'no watch'."""
    has_watch: Bools
    """Whether the panel was asked about the watch."""

    def __len__(self) -> int:
        return len(self.quality_mean)


@dataclass(frozen=True)
class Finding:
    """What the audit votes support for one statement."""

    statement: Statement
    tolerance: float
    """Share 0 … 1 of errors; of `SCORE`: points."""
    limit: float | None
    """None: cannot tell, nothing is decided."""
    photos: int
    """Audit photos that the statement is about, with the limit; without a limit: where its tests began."""
    wrong: int
    """Of these."""
    upper: float
    """Highest share of errors that the audit photos allow with the stated confidence; NaN without photos."""
    needed: int | None
    """Audit photos that are needed in all, if the model makes no error; None: not known."""
    decided: float
    """Share of all photos that the model decides by this limit."""


@dataclass(frozen=True)
class Calibration:
    """The limits, and what they rest on."""

    limits: Limits
    findings: tuple[Finding, ...]

    def finding(self, statement: Statement) -> Finding | None:
        """Return the finding of a statement; None if the rule does not make it."""
        return next((one for one in self.findings if one.statement == statement), None)


def fewest_photos(tolerance: float, confidence: float, errors: int = 0) -> int:
    """Return how many photos support a tolerance when so many of them are wrong; tolerance and confidence in (0, 1)."""
    n = max(errors + 1, math.ceil(math.log(1 - confidence) / math.log1p(-tolerance)))
    while upper_bound(errors, n, confidence) > tolerance:
        n += 1
    return n


def upper_bound(wrong: int, photos: int, confidence: float) -> float:
    """Return the highest share of errors that `wrong` of `photos` allow (Clopper & Pearson, one-sided)."""
    from scipy.special import betaincinv

    if not photos:
        return float("nan")
    return 1.0 if wrong >= photos else float(betaincinv(wrong + 1, photos - wrong, confidence))


def calibrate(
    tolerances: Tolerances,
    audit: AuditPhotos,
    *,
    class_limits: tuple[float, float],
    pool_quality: Floats,
    pool_watch: Floats,
    predicted_limits: tuple[float, float] | None = None,
    watch_threshold: float = 0.5,
) -> Calibration:
    """Return the limits that the audit photos support.

    class_limits: scores up to which people's mean is 'rejected' and 'pending', on the campaign's scale. pool_quality
    and pool_watch [M]: predictions of all photos of the campaign, the audit photos among them. predicted_limits: as
    class_limits, for predicted means; None: the same. The model only decides what it says by itself: it never accepts
    a photo that it calls pending, even where so many photos are acceptable that the tolerance would allow it.
    """
    findings = []
    reject_at, pending_at = class_limits
    says_reject, says_pending = predicted_limits or class_limits
    scored = np.isfinite(audit.people_mean)
    mean, people = audit.quality_mean[scored], audit.people_mean[scored]
    labelled = audit.has_watch
    probability, watch = audit.watch_probability[labelled], audit.people_watch[labelled]
    confidence = tolerances.confidence
    if tolerances.accepted is not None:
        findings.append(
            _share_finding(
                Statement.ACCEPTED,
                tolerances.accepted,
                confidence,
                mean,
                people <= pending_at,
                pool_quality,
                says_pending,
            )
        )
    if tolerances.rejected is not None:
        # The same as accepting, with the scale turned round.
        found = _share_finding(
            Statement.REJECTED, tolerances.rejected, confidence, -mean, people > reject_at, -pool_quality, -says_reject
        )
        findings.append(_turned(found))
    if tolerances.watch is not None:
        findings.append(
            _share_finding(
                Statement.WATCH, tolerances.watch, confidence, probability, ~watch, pool_watch, watch_threshold
            )
        )
    if tolerances.missed is not None:
        findings.append(_missed_finding(tolerances.missed, confidence, probability, watch, pool_watch, watch_threshold))
    if tolerances.score_points is not None:
        findings.append(_score_finding(tolerances, np.abs(mean - people)))
    at = {one.statement: one.limit for one in findings}
    accept, reject = at.get(Statement.ACCEPTED), at.get(Statement.REJECTED)
    yes, no = at.get(Statement.WATCH), at.get(Statement.MISSED)
    limits = Limits(accept, reject, yes, no, at.get(Statement.SCORE), confidence, len(audit))
    return Calibration(limits, tuple(findings))


def candidate_limits(pool: Floats) -> Floats:
    """Return the candidate limits, descending: up to 200 places among the predictions."""
    finite = np.unique(pool[np.isfinite(pool)])
    if len(finite) > _CANDIDATES:
        finite = finite[np.linspace(0, len(finite) - 1, _CANDIDATES).round().astype(int)]
    return finite[::-1]


def _share_finding(
    statement: Statement,
    tolerance: float,
    confidence: float,
    scores: Floats,
    wrong: Bools,
    pool: Floats,
    class_from: float,
) -> Finding:
    """Test limits on `scores`, high ones first: a photo is decided from the limit on.

    class_from: from where on the model says the class without any guarantee. Limits are never lower.
    """
    candidates = candidate_limits(pool[pool >= class_from])
    photos = (scores >= candidates[:, None]).sum(axis=1)
    errors = ((scores >= candidates[:, None]) & wrong).sum(axis=1)
    # Two orders of tests, each with half of the risk.
    half = 1 - (1 - confidence) / 2
    passed = np.array(
        [upper_bound(int(e), int(n), half) <= tolerance for e, n in zip(errors, photos, strict=True)], dtype=bool
    )
    best = -1
    starts = [fewest_photos(tolerance, half, allowed) for allowed in (0, _ERRORS)]
    for start in starts:
        first = int(np.searchsorted(photos, start))
        fails = np.flatnonzero(~passed[first:])
        last = first + (int(fails[0]) if len(fails) else len(passed) - first) - 1
        if last >= first:
            best = max(best, last)
    share = float(np.mean(pool >= class_from)) if len(pool) else 0.0
    needed = math.ceil(starts[0] / share) if share else None
    if best < 0:
        place = min(int(np.searchsorted(photos, starts[0])), len(candidates) - 1)
        n, e = (int(photos[place]), int(errors[place])) if len(candidates) else (0, 0)
        return Finding(statement, tolerance, None, n, e, upper_bound(e, n, half), needed, 0.0)
    limit, n, e = float(candidates[best]), int(photos[best]), int(errors[best])
    return Finding(statement, tolerance, limit, n, e, upper_bound(e, n, half), needed, float(np.mean(pool >= limit)))


def _turned(found: Finding) -> Finding:
    """Return a finding about turned scores for the scores themselves: decided below the limit.

    `nextafter`, because the limit itself was decided too.
    """
    return found if found.limit is None else replace(found, limit=float(np.nextafter(-found.limit, np.inf)))


def _missed_finding(
    tolerance: float, confidence: float, probability: Floats, watch: Bools, pool: Floats, highest: float
) -> Finding:
    """Test limits on the watch probability, low ones first: below the limit the model says 'no watch'.

    The share of missed watches only grows with the limit, so the order has one start, at the lowest limit.
    No limit is above `highest`.
    """
    own = np.sort(probability[watch])
    n = len(own)
    needed_watches = fewest_photos(tolerance, confidence)
    share = float(np.mean(watch)) if len(watch) else 0.0
    needed = math.ceil(needed_watches / share) if share else None
    candidates = candidate_limits(pool[pool <= highest])[::-1]
    missed = np.searchsorted(own, candidates, side="left")
    best = -1
    for place, count in enumerate(missed):
        if not n or upper_bound(int(count), n, confidence) > tolerance:
            break
        best = place
    if best < 0:
        return Finding(Statement.MISSED, tolerance, None, n, 0, upper_bound(0, n, confidence), needed, 0.0)
    limit, count = float(candidates[best]), int(missed[best])
    decided = float(np.mean(pool < limit))
    return Finding(Statement.MISSED, tolerance, limit, n, count, upper_bound(count, n, confidence), needed, decided)


def _score_finding(tolerances: Tolerances, errors: Floats) -> Finding:
    """Return the smallest half width that holds for the share of photos, a one-sided tolerance limit.

    The limit is one of the audit photos' own errors: the number of photos outside it is binomial (Wilks 1941,
    'Determination of sample sizes for setting tolerance limits'). The model decides when it is within the tolerance.
    """
    points, allowed, n = tolerances.score_points, 1 - tolerances.score_share, len(errors)
    assert points is not None
    needed = fewest_photos(allowed, tolerances.confidence)
    ordered = np.sort(errors)
    outside = -1
    while outside + 1 < n and upper_bound(outside + 1, n, tolerances.confidence) <= allowed:
        outside += 1
    width = float(ordered[n - 1 - outside]) if outside >= 0 else float("nan")
    beyond = int((errors > points).sum())
    upper = upper_bound(beyond, n, tolerances.confidence)
    is_decided = width <= points
    return Finding(
        Statement.SCORE, points, width if is_decided else None, n, beyond, upper, needed, 1.0 if is_decided else 0.0
    )


@dataclass(frozen=True)
class Achieved:
    """What fresh audit photos say about one statement: photos answered after the calibration."""

    statement: Statement
    tolerance: float
    """Share of errors, also of `SCORE`."""
    photos: int
    """Of those that the model decided; of `MISSED`: watches; of `SCORE`: all."""
    wrong: int
    low: float
    """Ends of the two-sided exact interval of the share of errors; NaN without photos."""
    high: float

    @property
    def is_broken(self) -> bool:
        """Return whether the fresh photos contradict the tolerance: the whole interval is above it."""
        return self.low > self.tolerance


@dataclass(frozen=True)
class Checked:
    """What fresh audit photos say about all statements with a limit."""

    photos: int
    """Fresh audit photos."""
    achieved: tuple[Achieved, ...]

    @property
    def broken(self) -> Achieved | None:
        """Return the first statement that they contradict."""
        return next((one for one in self.achieved if one.is_broken), None)


def achieved(
    tolerances: Tolerances, limits: Limits, fresh: AuditPhotos, *, class_limits: tuple[float, float]
) -> tuple[Achieved, ...]:
    """Return the errors among fresh audit photos, for each statement with a limit. Arguments are as for `calibrate`."""
    reject_at, pending_at = class_limits
    scored = np.isfinite(fresh.people_mean)
    mean, people = fresh.quality_mean[scored], fresh.people_mean[scored]
    probability, watch = fresh.watch_probability[fresh.has_watch], fresh.people_watch[fresh.has_watch]
    found = []

    def add(statement: Statement, tolerance: float, wrong: Bools) -> None:
        n, errors = len(wrong), int(wrong.sum())
        low, high = exact_interval(errors, n, tolerances.confidence)
        found.append(Achieved(statement, tolerance, n, errors, low, high))

    if tolerances.accepted is not None and limits.accept_from is not None:
        add(Statement.ACCEPTED, tolerances.accepted, people[mean >= limits.accept_from] <= pending_at)
    if tolerances.rejected is not None and limits.reject_below is not None:
        add(Statement.REJECTED, tolerances.rejected, people[mean < limits.reject_below] > reject_at)
    if tolerances.watch is not None and limits.watch_from is not None:
        add(Statement.WATCH, tolerances.watch, ~watch[probability >= limits.watch_from])
    if tolerances.missed is not None and limits.no_watch_below is not None:
        add(Statement.MISSED, tolerances.missed, probability[watch] < limits.no_watch_below)
    if tolerances.score_points is not None and limits.half_width is not None:
        add(Statement.SCORE, round(1 - tolerances.score_share, 9), np.abs(mean - people) > limits.half_width)
    return tuple(found)


def exact_interval(wrong: int, photos: int, confidence: float) -> tuple[float, float]:
    """Return the two-sided interval of a share by Clopper & Pearson (1934); NaN without photos."""
    if not photos:
        return float("nan"), float("nan")
    one_sided = (1 + confidence) / 2
    return 1 - upper_bound(photos - wrong, photos, one_sided), upper_bound(wrong, photos, one_sided)
