"""Votes of single people predicted from those of others. Not a benchmark."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from annotation.consensus.panel_model import panel_fit
from benchmarks._claims import Claim
from benchmarks._gains import gain
from benchmarks._mos_rivals import corrected_mos, group_means, plain_mos
from benchmarks._votes import oasis, oasis_repeats, observers

Floats = NDArray[np.float64]

SEED = 100


def observer_scores(data: Path) -> Iterator[Claim]:
    """Predict the mean of two observers from the votes of the other three, and the agreement of two with two."""
    table = observers(data)
    photos, people = table.shape
    gains = []
    for three in combinations(range(people), 3):
        two = [person for person in range(people) if person not in three]
        photo, rater = np.repeat(np.arange(photos), 3), np.tile(np.arange(3), photos)
        score = table[:, three].ravel()
        truth = table[:, two].mean(axis=1)
        ours, plain = (
            float(spearmanr(method(photo, rater, score), truth).statistic) for method in (corrected_mos, plain_mos)
        )
        gains.append((ours, plain))
    ours, plain = np.array(gains).T
    yield Claim(
        claim=f"Observers, {photos} photos: corrected MOS of 3 people against the mean of the other 2, all {len(ours)} "
        f"splits: SRCC {ours.mean():.3f}, {gain(ours, plain).text()} against plain; "
        f"at least as good in {int((ours >= plain).sum())} splits",
        value=100 * gain(ours, plain).high,
        unit="hundredths of SRCC more, upper end of the interval",
        baseline=f"plain MOS of the same votes: {plain.mean():.3f}",
        target=0,
    )
    real = np.mean([_two_by_two(table, pair, other) for pair, other in _pairs(people)])
    single = _consistency(table)
    predicted = 2 * single / (1 + single)
    one_way = _one_way(table)
    yield Claim(
        claim=f"Observers: the mean of two people against that of two others correlates {real:.3f}; predicted from "
        f"ICC(C,1) = {single:.3f}: {predicted:.3f}",
        value=100 * (predicted - float(real)),
        unit="hundredths too high",
        baseline=f"predicted from ICC(1): {2 * one_way / (1 + one_way):.3f}",
        target=-2,
        highest=2,
    )


def own_repeats(data: Path) -> Iterator[Claim]:
    """Predict the second votes of people who rated some photos twice."""
    votes, files = oasis(data)
    first, second = oasis_repeats(data, files)
    rng = np.random.default_rng(SEED)
    used = rng.random(len(first.score)) < 0.5
    rater = first.rater + votes.raters
    fit = panel_fit(
        np.r_[votes.photo, first.photo[used]], np.r_[votes.rater, rater[used]], np.r_[votes.score, first.score[used]]
    )
    test = ~used & np.isin(rater, fit.annotator_ids)
    expected = fit.expected(
        np.searchsorted(fit.image_ids, first.photo[test]), np.searchsorted(fit.annotator_ids, rater[test])
    )
    mean = group_means(votes.photo, votes.score)
    own = group_means(first.rater[used], first.score[used] - mean[first.photo[used]])
    score = second.score[test]
    ours, plain, shifted, again = (
        float(np.sqrt(np.mean((predicted - score) ** 2)))
        for predicted in (
            expected,
            mean[first.photo[test]],
            mean[first.photo[test]] + own[first.rater[test]],
            first.score[test],
        )
    )
    yield Claim(
        claim=f"OASIS, people who rated photos twice: the second score, predicted from each person's line by half of "
        f"their other photos: RMSE {ours:.2f} points (n = {len(score)} votes, {len(np.unique(first.rater))} people)",
        value=plain / ours,
        unit="times as near",
        baseline=f"mean of all votes on the photo: {plain:.2f}; that plus the person's mean difference: {shifted:.2f}; "
        f"the person's own first score of the same photo: {again:.2f}",
        target=1.0,
    )


def _pairs(people: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    for pair in combinations(range(people), 2):
        rest = [person for person in range(people) if person not in pair]
        yield from ((pair, other) for other in combinations(rest, 2) if pair < other)


def _two_by_two(table: Floats, pair: tuple[int, ...], other: tuple[int, ...]) -> float:
    return float(np.corrcoef(table[:, pair].mean(axis=1), table[:, other].mean(axis=1))[0, 1])


def _consistency(table: Floats) -> float:
    """Return ICC(C,1) of a complete table [N, M] (McGraw & Wong, 1996)."""
    photos, people = table.shape
    between = people * table.mean(axis=1).var(ddof=1)
    rest = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    error = float((rest**2).sum()) / ((photos - 1) * (people - 1))
    return float((between - error) / (between + (people - 1) * error))


def _one_way(table: Floats) -> float:
    """Return ICC(1) of a complete table [N, M]."""
    people = table.shape[1]
    between, within = people * table.mean(axis=1).var(ddof=1), float(table.var(axis=1, ddof=1).mean())
    return float((between - within) / (between + (people - 1) * within))
