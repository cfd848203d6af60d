"""What a campaign will be able to say, computed before it starts from the noise of a panel.

* Width of the MOS interval: 2·t(k − 1 + ν)·σ/√k, with the deviation σ of votes on one photo (`vote_variance`).
* Alpha (interval level) is near ICC(1), whose standard error is that of Fisher (1925), as in Donner (1986), 'A review
  of inference procedures for the intraclass correlation coefficient': √(2(1 − ρ)²(1 + (k − 1)ρ)²/(k(k − 1)(N − 1))).
* Gain that the promotion rule detects when SRCC must be better, at the first look at a holdout without near-duplicates:
  two rank correlations with the MOS of the same photos are compared, and the 95 % interval of their difference must lie
  above zero. The default rule compares RPS, which detects a little more. The standard error of the difference of two
  dependent correlations is that of Olkin & Siotani (1976), as in Steiger (1980), 'Tests for comparing elements of a
  correlation matrix'. For ranks, the variance is greater by the factor 1 + r²/2 (Bonett & Wright, 2000). Both
  correlations are lower than with the opinion of everybody, by the ceiling √r_k.
"""

from dataclasses import dataclass, replace
from math import inf, nan, sqrt

from annotation.language import gettext
from annotation.measures.agreement.ceiling import reliability
from annotation.measures.intervals import CONFIDENCE, Interval
from annotation.measures.panels import Panel

POWER = 0.8
#: The promotion rule needs this many holdout photos.
FEWEST_HOLDOUT = 20


@dataclass(frozen=True)
class Study:
    """A planned campaign. Numbers of photos and votes may be fractions, to see what a little more would do."""

    photos: float
    """Photos that models learn from."""
    votes: float
    """Votes on each of them."""
    holdout_photos: float
    holdout_votes: float
    people: int
    seconds: float
    """Time of one vote."""
    cost_per_hour: float
    champion: float = 0.6
    """SRCC of the present model with the mean opinion of everybody, in (0, 1)."""
    similarity: float = 0.9
    """Rank correlation of the two models' predictions, in (0, 1)."""

    def __post_init__(self) -> None:
        if min(self.photos, self.holdout_photos) < 0 or self.people < 1 or self.seconds <= 0:
            raise ValueError("Numbers of photos are 0 or more, there is one annotator or more, and votes take time.")
        if self.votes < 1 or self.holdout_votes < 1 or self.votes > self.people or self.holdout_votes > self.people:
            raise ValueError("Each photo needs at least one vote, and at most one of each annotator.")
        if not (0 < self.champion < 1 and 0 < self.similarity < 1):
            raise ValueError("Correlations must lie between 0 and 1.")

    @property
    def all_votes(self) -> float:
        """Return how many votes the campaign needs."""
        return self.photos * self.votes + self.holdout_photos * self.holdout_votes

    @property
    def hours(self) -> float:
        """Return the hours of all annotators together."""
        return self.all_votes * self.seconds / 3600

    @property
    def cost(self) -> float:
        """Return the cost of these hours."""
        return self.hours * self.cost_per_hour


@dataclass(frozen=True)
class Outcome:
    """What a study can say."""

    mos_width: float
    """Mean width of the 95 % interval of a MOS, in points, over the photos that models learn from."""
    holdout_width: float
    """The same over the holdout photos."""
    alpha: Interval
    """Expected alpha with the expected ends of its interval; n photos have two votes. NaN if none has."""
    ceiling: float
    """√r_k on the holdout."""
    gain: float
    """Smallest true gain in SRCC that the promotion rule detects with a probability of 80 %; infinite if it cannot."""

    @property
    def half_width(self) -> float:
        """Return half of `mos_width`, for '±'."""
        return self.mos_width / 2

    @property
    def holdout_half_width(self) -> float:
        """Return half of `holdout_width`."""
        return self.holdout_width / 2


@dataclass(frozen=True)
class Change:
    """What one more hour of votes does, if it is spent on one thing. Negative numbers are better."""

    name: str
    mos_width: float
    """Relative change of the width of the MOS intervals, for example −0.05; 0 when it stays."""
    alpha_width: float
    gain: float

    @property
    def percents(self) -> list[str]:
        """Return the three changes as text in percent, '–' for none."""
        changed = (self.mos_width, self.alpha_width, self.gain)
        return [f"{100 * one:+.1f} %".replace("-", "−") if abs(one) >= 0.0005 else "–" for one in changed]


def outcome(study: Study, panel: Panel) -> Outcome:
    """Return what the study can say if its votes are like those of the panel."""
    return Outcome(
        mos_width=mos_width(panel, study.votes),
        holdout_width=mos_width(panel, study.holdout_votes),
        alpha=expected_alpha(study, panel),
        ceiling=sqrt(reliability(panel.reliability, study.holdout_votes)),
        gain=detectable_gain(study, panel),
    )


def mos_width(panel: Panel, votes: float) -> float:
    """Return the expected width of the 95 % interval of a MOS of this many votes, in points, at most the scale."""
    from scipy.special import stdtrit

    width = 2 * float(stdtrit(votes - 1 + panel.degrees, (1 + CONFIDENCE) / 2)) * panel.votes / sqrt(votes)
    return min(width, float(panel.highest - panel.lowest))


def expected_alpha(study: Study, panel: Panel) -> Interval:
    """Return the expected alpha of all photos, with the expected ends of its 95 % interval."""
    r = panel.reliability
    information = photos = 0.0
    for count, votes in ((study.photos, study.votes), (study.holdout_photos, study.holdout_votes)):
        if votes > 1 and count > 1:
            information += votes * (votes - 1) * (count - 1) / (2 * (1 - r) ** 2 * (1 + (votes - 1) * r) ** 2)
            photos += count
    if not information:
        return Interval(nan, nan, nan, 0)
    half = 1.96 / sqrt(information)
    return Interval(r, r - half, min(r + half, 1.0), round(photos))


def power(gain: float, study: Study, panel: Panel) -> float:
    """Return the probability that the promotion rule promotes a model that is better by `gain`, in SRCC."""
    from scipy.special import ndtr

    ceiling = sqrt(reliability(panel.reliability, study.holdout_votes))
    first, second = study.champion * ceiling, min(study.champion + gain, 1.0) * ceiling
    error = _standard_error(first, second, study.similarity, study.holdout_photos)
    return float(ndtr((second - first) / error - 1.96)) if error > 0 else float(second > first)


def detectable_gain(study: Study, panel: Panel) -> float:
    """Return the smallest true gain in SRCC with a power of 80 %; infinite if no possible gain has it."""
    from scipy.optimize import brentq

    if study.holdout_photos < FEWEST_HOLDOUT:
        return inf
    # A model that is this similar to the present one cannot be better than this.
    c, s = study.champion, study.similarity
    most = min(c * s + sqrt((1 - c**2) * (1 - s**2)), 1.0) - c
    if most <= 0 or power(most, study, panel) < POWER:
        return inf
    return float(brentq(lambda gain: power(gain, study, panel) - POWER, 0.0, most, xtol=1e-5))


def changes(study: Study, panel: Panel) -> list[Change]:
    """Return what one more hour does on each thing that it can be spent on.

    The MOS intervals of the photos that are planned already count, and alpha of all photos. A photo has at most one
    vote of each annotator: the rest of the hour is not used, and without any vote to add the change is left out.
    """
    more, most = 3600 / study.seconds, float(study.people)
    found = []
    if study.votes < most and study.photos:
        after = replace(study, votes=min(study.votes + more / study.photos, most))
        found.append(_change(gettext("more votes on each photo"), study, after, panel))
    after = replace(study, photos=study.photos + more / study.votes)
    found.append(_change(gettext("more photos"), study, after, panel))
    if study.holdout_votes < most and study.holdout_photos:
        votes = min(study.holdout_votes + more / study.holdout_photos, most)
        found.append(
            _change(gettext("more votes on each holdout photo"), study, replace(study, holdout_votes=votes), panel)
        )
    after = replace(study, holdout_photos=study.holdout_photos + more / study.holdout_votes)
    found.append(_change(gettext("more holdout photos"), study, after, panel))
    return found


def best_change(found: list[Change], measure: str) -> Change | None:
    """Return the change with the largest effect on `measure`, a field of `Change`; None if none has any."""
    best = min(found, key=lambda one: float(getattr(one, measure)), default=None)
    return best if best is not None and getattr(best, measure) < -1e-6 else None


def _change(name: str, before: Study, after: Study, panel: Panel) -> Change:
    one, two = outcome(before, panel), outcome(after, panel)
    gain = two.gain / one.gain - 1 if one.gain < inf else (-1.0 if two.gain < inf else 0.0)
    # With the same weights, so that more photos that have more votes do not count as narrower intervals.
    width = _mean_width(before, two) / _mean_width(before, one) - 1
    length = (two.alpha.high - two.alpha.low) / (one.alpha.high - one.alpha.low) - 1
    return Change(name, width, length if length == length else 0.0, gain)


def _mean_width(study: Study, found: Outcome) -> float:
    photos = study.photos + study.holdout_photos
    return (study.photos * found.mos_width + study.holdout_photos * found.holdout_width) / photos


def _standard_error(first: float, second: float, similarity: float, photos: float) -> float:
    """Return the standard error of the difference of two dependent rank correlations, of one column with two others."""
    left = 1 - first**2 - second**2
    shared = similarity * left - first * second * (left - similarity**2) / 2
    variance = (1 - first**2) ** 2 + (1 - second**2) ** 2 - 2 * shared
    of_ranks = 1 + ((first + second) / 2) ** 2 / 2
    return sqrt(max(variance, 0.0) * of_ranks / max(photos, 1.0))
