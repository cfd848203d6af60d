"""Random clickers among real people: how many are found, and how many real people are flagged. Not a benchmark."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from annotation.consensus.panel_model import panel_fit
from benchmarks._claims import Claim
from benchmarks._draws import at, panel_places, with_clickers
from benchmarks._mos_rivals import rejected_raters
from benchmarks._votes import Votes, oasis

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DRAWS, FIRST_SEED = 40, 100
LEAST_INFORMATION = 0.15


def low_information(votes: Votes) -> Flags:
    """Flag annotators whose votes say less than .15 of what a typical vote says, by the panel model [M]."""
    return panel_fit(votes.photo, votes.rater, votes.score).information() < LEAST_INFORMATION


def low_correlation(votes: Votes) -> Flags:
    """Flag annotators whose rank correlation with the mean of the others may be 0 and is below the median [M].

    The interval is Fisher's with the standard error 1.06/√(n − 3) (Fieller, Hartley & Pearson, 1957). Annotators with
    fewer than 5 votes on photos that others rated are not flagged.
    """
    count, total = np.bincount(votes.photo), np.bincount(votes.photo, votes.score)
    others = (total[votes.photo] - votes.score) / np.maximum(count[votes.photo] - 1, 1)
    correlation, half = np.full(votes.raters, np.nan), np.zeros(votes.raters)
    for rater in range(votes.raters):
        mine = (votes.rater == rater) & (count[votes.photo] > 1)
        if mine.sum() >= 5 and np.ptp(votes.score[mine]) > 0:
            correlation[rater] = spearmanr(votes.score[mine], others[mine]).statistic
            half[rater] = 1.96 * 1.06 / np.sqrt(mine.sum() - 3)
    centre = np.arctanh(np.clip(correlation, -0.999, 0.999))
    flags: Flags = (np.tanh(centre - half) <= 0) & (np.tanh(centre + half) < np.nanmedian(correlation))
    return flags


def rejected(votes: Votes) -> Flags:
    """Flag annotators as ITU-R BT.500 does [M]."""
    return rejected_raters(votes.photo, votes.rater, votes.score)


RULES: dict[str, Callable[[Votes], Flags]] = {
    "rank correlation with the others that may be 0": low_correlation,
    "BT.500": rejected,
    "votes that say little by the panel model": low_information,
}


def clickers_found(data: Path) -> Iterator[Claim]:
    """Count the random clickers and the real people that each rule flags."""
    votes, _ = oasis(data)
    for name, k, draws in (("all votes", None, 5), ("panels of 3 votes a photo", 3, DRAWS), ("panels of 5", 5, DRAWS)):
        found: dict[str, list[bool]] = {rule: [] for rule in RULES}
        flagged: dict[str, list[bool]] = {rule: [] for rule in RULES}
        for draw in range(draws):
            rng = np.random.default_rng(FIRST_SEED + draw)
            part = votes if k is None else at(votes, panel_places(votes, k, rng))
            _, rater = np.unique(part.rater, return_inverse=True)
            part, clicked = with_clickers(Votes(part.photo, rater, part.score), 0.1, (1, 7), rng)
            is_clicker = np.isin(np.arange(part.raters), part.rater[clicked])
            for rule, flags in RULES.items():
                flag = flags(part)
                found[rule] += flag[is_clicker].tolist()
                flagged[rule] += flag[~is_clicker].tolist()
        first, *rest = RULES
        where = f"OASIS, {name}, 10 % of the people replaced by random clickers, {draws} draws, rule: {first}"
        others = "; ".join(
            f"{rule}: {100 * np.mean(found[rule]):.1f} % found, {100 * np.mean(flagged[rule]):.1f} % flagged"
            for rule in rest
        )
        yield Claim(
            claim=f"{where}: random clickers found (n = {len(found[first])})",
            value=100 * float(np.mean(found[first])),
            unit="% are found",
            baseline=others,
            target=90,
        )
        yield Claim(
            claim=f"{where}: real people flagged (n = {len(flagged[first])})",
            value=100 * float(np.mean(flagged[first])),
            unit="% of the real people are flagged",
            baseline=others,
            target=0,
            highest=5,
        )
