"""Rules that flag people whose scores do not depend on the photo: ours and its rivals. Not a benchmark.

Each rule takes a `Screened` panel and returns who is flagged [M].
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from annotation.consensus.panel_model import PanelFit, panel_fit
from annotation.measures.intervals import Interval
from annotation.raters.panel_agreement import Panel, bt500_counts, rank_correlations
from annotation.raters.screening import Verdict, group_median, scores_finding
from benchmarks._votes import Votes

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

_FIELLER = 1.06
_ONE_SIDED = 1.645
# For the rival with a share of clickers: its prior, the probability from which it flags, and the least spread of z.
_CLICKER_SHARE, _LIKELY, _LEAST_SPREAD = 0.1, 0.3, 0.1


@dataclass(frozen=True)
class Screened:
    """Votes of a panel with what all rules use."""

    panel: Panel

    @classmethod
    def of(cls, votes: Votes) -> "Screened":
        """Return the panel of votes whose annotators 0 … M − 1 all have a vote."""
        return cls(Panel.of(votes.photo, votes.rater, votes.score, raters=votes.raters))

    @cached_property
    def ranks(self) -> list[Interval]:
        """Return the rank correlation of each annotator with the others' means [M]."""
        return rank_correlations(self.panel)

    @cached_property
    def median(self) -> float:
        """Return the median of these correlations."""
        return group_median([one.value for one in self.ranks], [one.n for one in self.ranks])

    @cached_property
    def fit(self) -> PanelFit:
        """Return the panel model of the votes."""
        return panel_fit(self.panel.photo, self.panel.rater, self.panel.scores)

    @cached_property
    def left_out(self) -> tuple[Floats, Floats]:
        """Return each person's correlation with the qualities by the others' votes alone, and the number of photos."""
        fit, rater, photo = self.fit, self.panel.rater, self.panel.photo
        weight = (fit.gain / fit.noise**2)[rater] * (self.panel.scores - fit.mean - fit.bias[rater])
        precision = ((fit.gain**2 + fit.gain_deviation**2) / fit.noise**2)[rater]
        others = np.bincount(photo, precision)[photo] - precision
        quality = (np.bincount(photo, weight)[photo] - weight) / (others + 1 / fit.quality_spread**2)
        found = np.full((2, self.panel.raters), np.nan)
        for person, mine in enumerate(self.panel.of_each(others > 1e-9)):
            own, theirs = self.panel.scores[mine], quality[mine]
            found[1, person] = len(mine)
            if len(mine) > 3 and np.ptp(own) > 0 and np.ptp(theirs) > 0:
                found[0, person] = np.corrcoef(own, theirs)[0, 1]
        return found[0], found[1]


def verdicts(votes: Screened) -> list[Verdict]:
    """Return the verdict of the rule for scores about each annotator [M]: ours."""
    information = votes.fit.information()
    return [
        scores_finding(one, votes.median, float(each)).verdict
        for one, each in zip(votes.ranks, information, strict=True)
    ]


def ours(votes: Screened) -> Flags:
    """Flag by the rule for scores: a rank correlation that may be 0, and votes that say little."""
    return np.array([one == Verdict.FLAGGED for one in verdicts(votes)])


def low_correlation(votes: Screened) -> Flags:
    """Flag where the interval of the rank correlation includes 0 and ends below the median."""
    return np.array([one.low <= 0 and one.high < votes.median for one in votes.ranks])


def low_information(votes: Screened, least: float = 0.15) -> Flags:
    """Flag annotators whose votes say less than this part of what a typical vote says, by the panel model."""
    flags: Flags = votes.fit.information() < least
    return flags


def left_out_correlation(votes: Screened) -> Flags:
    """Flag where the correlation with the qualities by the others' votes may be 0, one-sided, and below the median."""
    value, n = votes.left_out
    half = _ONE_SIDED * np.sqrt(_FIELLER / np.maximum(n - 3, 1e-9))
    centre = np.arctanh(np.clip(value, -0.999, 0.999))
    flags: Flags = (n > 3) & (centre <= half) & (np.tanh(centre + half) < np.nanmedian(value[n >= 10]))
    return flags


def likely_clicker(votes: Screened) -> Flags:
    """Flag by the likelihood ratio of a random clicker and of the others, with a prior share of clickers.

    Fisher's z of the same correlation is normal around 0 for clickers, and around the median with a spread for others.
    """
    value, n = votes.left_out
    z = np.arctanh(np.clip(value, -0.999, 0.999))
    variance = _FIELLER / np.maximum(n - 3, 1e-9)
    known = (n >= 10) & ~np.isnan(z)
    centre = float(np.median(z[known]))
    spread = 1.4826 * float(np.median(np.abs(z[known] - centre)))
    between = max(spread**2 - float(np.median(variance[known])), _LEAST_SPREAD**2)
    clicker = _CLICKER_SHARE * norm.pdf(z, 0, np.sqrt(variance))
    other = (1 - _CLICKER_SHARE) * norm.pdf(z, centre, np.sqrt(variance + between))
    flags: Flags = (n > 3) & (z < centre) & (clicker > _LIKELY * (clicker + other))
    return flags


def rejected(votes: Screened) -> Flags:
    """Flag annotators as ITU-R BT.500 does."""
    return np.array([one.is_rejected for one in bt500_counts(votes.panel)])


RULES: dict[str, Callable[[Screened], Flags]] = {
    "rank correlation that may be 0, and votes that say little": ours,
    "rank correlation alone": low_correlation,
    "votes that say little alone, below .15": low_information,
    "the same, below .25": lambda votes: low_information(votes, 0.25),
    "correlation with qualities by the others, one-sided": left_out_correlation,
    "likelihood ratio of a clicker": likely_clicker,
    "BT.500": rejected,
}
