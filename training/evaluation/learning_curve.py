"""The learning curve of a campaign: how well votes are predicted after learning from more and more answers.

The photos that were learned from are tested too, by cross-validation over groups of near-duplicates: each photo is
predicted by heads that learned from other groups. So the holdout is not looked at and not used up.
An answer is taken away or added together with all other answers to its photo, because further answers go to further
photos: the queue stops at the campaign's number of votes for each.

The numbers of answers are those that the heads learned from, so the largest is nine tenths of all.

Sources: Figueroa et al. (2012), 'Predicting sample size required for classification performance', for curves from
random subsets. Bates, Hastie & Tibshirani (2023), 'Cross-validation: what does it estimate and how well does it do
it?': it estimates the mean over training sets of this size, which is what somebody who plans further answers asks for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop

if TYPE_CHECKING:  # web processes import this package and must not load torch
    from training.learning.quality_data import QualityData

Floats = NDArray[np.float64]
# Called with the number of fits that are done, and their number.
Progress = Callable[[int, int], None]

#: The gain of this many answers is measured, and that of as many further ones forecast.
STEP = 200
#: Below these numbers nothing is measured: 70 answers would be left when 200 are taken away.
FEWEST_ANSWERS, FEWEST_GROUPS = 300, 40
#: Learns every subset. The automatic choice takes about ten times as long, and nearly always chooses this recipe.
RECIPE = "ridge"
FOLDS = 10
#: Stored with a curve that cannot be measured.
MISSING = gettext_noop(
    "Not enough answers to tell: a learning curve needs %(needed)s answers to train photos of %(needed_groups)s groups "
    "of near-duplicates, given without seeing a prediction. There are %(answers)s answers to photos of %(groups)s "
    "groups."
)
# A fit costs the cube of the number of photos.
_MANY_PHOTOS, _FEWER_FOLDS = 2000, 5
# Of the answers of all other folds.
_SHARES = (1.0, 2**-0.5, 2**-1.0, 2**-1.5, 2**-2.0, 2**-3.0, 2**-4.0)
_FEWEST_LEARNED = 45  # answers
_TOO_NEAR = 0.1


@dataclass(frozen=True)
class CurveScores:
    """How the photos of each fold [K] were predicted after learning from each number of answers [S] to the others."""

    answers: Floats
    """[S], ascending. The last is that of all other folds; `before` is the place of the one with 200 fewer."""
    photos: Floats
    """[S], which have these answers."""
    before: int
    rps: Floats
    """Mean ranked probability score [S, K]: lower is better."""
    srcc: Floats
    """Rank correlation with the MOS within the fold [S, K]. Predictions of several folds are not ranked together: each
    fold's have another mean, which is too low where the fold's scores are high, because its photos are left out."""
    prior_rps: Floats
    """[K]"""
    prior_srcc: Floats
    """[K]"""
    total: int
    """All answers."""
    rated: int
    """All photos."""
    groups: int
    """All groups of near-duplicates."""


def answers_missing(answers: int, groups: int) -> str:
    """Return what is missing for a curve, as an English sentence to store; "" with enough answers and groups."""
    if answers >= FEWEST_ANSWERS and groups >= FEWEST_GROUPS:
        return ""
    return MISSING % {
        "needed": FEWEST_ANSWERS,
        "needed_groups": FEWEST_GROUPS,
        "answers": f"{answers:,}",
        "groups": f"{groups:,}",
    }


def curve_measure(data: "QualityData", *, seed: int, progress: Progress) -> CurveScores:
    """Learn from subsets of the answers, and predict the photos that were left out; exceptions of `progress` pass on.

    Raises ValueError with too few answers (`answers_missing`).
    """
    from annotation.measures.correlation import srcc
    from annotation.measures.distribution import rps
    from training.learning.quality_data import predicted
    from training.learning.registry import RECIPES
    from training.learning.sampling import group_folds

    histograms = data.rated.histograms.astype(np.float64)
    votes = _answers(data)
    total = int(votes.sum())
    groups = len(np.unique(data.rated.groups))
    if missing := answers_missing(total, groups):
        raise ValueError(missing)
    folds = FOLDS if len(data) <= _MANY_PHOTOS else _FEWER_FOLDS
    shares, before = _sizes(total * (folds - 1) / folds)
    recipe = RECIPES[RECIPE]
    rng = np.random.default_rng(seed)
    fold_of = group_folds(data.rated.groups, folds=folds, seed=seed)
    found, of_prior = np.empty((2, len(shares), folds)), np.empty((2, folds))
    counts = np.zeros((2, len(shares)))
    mos = histograms @ np.arange(data.bins) / histograms.sum(axis=1)
    steps = folds * len(shares)

    def figures(distribution: Floats, held: NDArray[np.bool_]) -> tuple[float, float]:
        ranked = float(srcc(distribution @ np.arange(data.bins), mos[held]))
        # Equal predictions, or equal scores, rank nothing.
        return float(rps(distribution, histograms[held]).mean()), 0.0 if np.isnan(ranked) else ranked

    for fold in range(folds):
        held = fold_of == fold
        of_prior[:, fold] = figures(predicted(data.prior, data.features[held]), held)
        order = _in_random_order(data.rated.groups, ~held, rng)
        given = np.cumsum(votes[order])
        for place, share in enumerate(shares):
            wanted = given[-1] - STEP if place == before else share * given[-1]
            rows = np.zeros(len(data), dtype=bool)
            rows[order[: _whole_groups(data.rated.groups[order], given, wanted)]] = True
            fitted = recipe.fit(data.part(rows), config=recipe.config_class(), seed=seed, report=_silent)
            found[:, place, fold] = figures(predicted(fitted.heads, data.features[held]), held)
            counts[:, place] += votes[rows].sum() / folds, rows.sum() / folds
            progress(fold * len(shares) + place + 1, steps)
    return CurveScores(
        answers=counts[0],
        photos=counts[1],
        before=before,
        rps=found[0],
        srcc=found[1],
        prior_rps=of_prior[0],
        prior_srcc=of_prior[1],
        total=total,
        rated=len(data),
        groups=groups,
    )


def _answers(data: "QualityData") -> Floats:
    """Return the number of answers to each photo [N]; an answer counts as one whatever its weight."""
    votes = data.rated.votes
    if votes is None:
        totals: Floats = data.rated.histograms.sum(axis=1).astype(np.float64)
        return totals
    counts: Floats = np.bincount(votes.photos, minlength=len(data)).astype(np.float64)
    return counts


def _sizes(most: float) -> tuple[list[float], int]:
    """Return shares of the answers of a training part, ascending, and the place of that with 200 fewer.

    Those that are near to it are left out.
    """
    last = 1 - STEP / most
    kept = [one for one in _SHARES if one * most >= _FEWEST_LEARNED and (one == 1 or abs(one / last - 1) > _TOO_NEAR)]
    found = sorted([*kept, last])
    return found, found.index(last)


def _in_random_order(groups: NDArray[np.str_], rows: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the places selected by `rows`, group by group, the groups in random order."""
    places = np.flatnonzero(rows)
    _, member_of = np.unique(groups[places], return_inverse=True)
    rank = rng.permutation(int(member_of.max()) + 1)
    found: NDArray[np.intp] = places[np.argsort(rank[member_of], kind="stable")]
    return found


def _whole_groups(groups: NDArray[np.str_], given: Floats, wanted: float) -> int:
    """Return how many of the first photos have about `wanted` answers, in whole groups; at least one group.

    groups, given: group of each photo, in order, and the answers up to it.
    """
    ends = np.append(np.flatnonzero(groups[1:] != groups[:-1]), len(groups) - 1)
    return int(ends[np.abs(given[ends] - wanted).argmin()]) + 1


def _silent(stage: str, share: float, history: object) -> None:
    """Report nothing: a fit takes less than a second."""
