"""Corrected MOS against the mean of other people's votes, and against other methods. Not a benchmark."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from annotation.consensus.panel_model import panel_fit
from annotation.measures.opinion import image_histograms, mos_interval
from annotation.measures.vote_variance import vote_variance
from benchmarks._claims import Claim
from benchmarks._draws import at, panel_places, places_a_photo, simulated_panel, with_clickers
from benchmarks._gains import Gain, gain
from benchmarks._mos_rivals import RIVALS, corrected_mos, group_means
from benchmarks._votes import Votes, oasis

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS, FIRST_SEED, STRICT_DRAWS = 40, 100, 10


@dataclass
class Scores:
    """SRCC and RMSE of each method [draws], and the SRCC of the corrected MOS when the clickers are known.

    covered, width: of the intervals of the corrected MOS and of the plain MOS, in this order [draws, 2].
    """

    srcc: dict[str, Floats]
    rmse: dict[str, Floats]
    known: Floats
    covered: Floats
    width: Floats

    @property
    def best_rival(self) -> str:
        """Return the name of the rival with the highest mean SRCC."""
        return max(RIVALS, key=lambda name: float(self.srcc[name].mean()))

    def over(self, rival: str) -> Gain:
        """Return the gain in SRCC of the corrected MOS over a rival."""
        return gain(self.srcc["corrected"], self.srcc[rival])

    def rivals(self) -> str:
        """Return the mean SRCC and RMSE of all rivals in words."""
        return "; ".join(f"{name} {self.srcc[name].mean():.3f} / {self.rmse[name].mean():.2f}" for name in RIVALS)


def real_scores(data: Path) -> Iterator[Claim]:
    """Compare the methods on the votes of OASIS, in two designs, without and with random clickers."""
    votes, _ = oasis(data)
    designs = {
        "random votes out of all {people} people, {each:.1f} a person": places_a_photo,
        "panels of {people} people with all their votes, {each:.0f} a person": panel_places,
    }
    for design, places in designs.items():
        for k in (3, 5):
            drawn = [places(votes, k, np.random.default_rng(FIRST_SEED + draw)) for draw in range(DRAWS)]
            # The photos of a panel have k votes on average; the people of a draw of random votes differ a little.
            people = round(float(np.mean([len(np.unique(votes.rater[each])) for each in drawn])))
            name = design.format(people=people, each=float(np.mean([len(each) for each in drawn])) / people)
            where = f"OASIS, {k} votes a photo, {name}"
            yield from _clean(where, _scores(votes, drawn, 0.0))
            yield from _clicked(where, _scores(votes, drawn, 0.1))


def _clean(where: str, scores: Scores) -> Iterator[Claim]:
    differences = (scores.srcc["corrected"] - scores.srcc["plain MOS"])[:STRICT_DRAWS]
    yield Claim(
        claim=f"{where}: smallest gain of corrected over plain MOS in {STRICT_DRAWS} draws "
        f"(SRCC with the mean of all other votes); at least as good in {int((differences >= 0).sum())} draws",
        value=100 * float(differences.min()),
        unit="hundredths of SRCC",
        baseline="plain MOS of the same votes",
        target=0,
    )
    yield _mean_gain(where, scores, 0.01)
    yield _against_rivals(where, scores)
    covered, width = scores.covered.mean(axis=0), scores.width.mean(axis=0)
    yield Claim(
        claim=f"{where}, {len(scores.known)} draws: corrected MOS ± 1.96 standard errors, {width[0]:.2f} points wide; "
        f"{100 * scores.covered[:, 0].min():.0f} % in the worst draw",
        value=100 * float(covered[0]),
        unit="% of the intervals contain the mean of all other votes",
        baseline=f"interval of the plain MOS: {100 * covered[1]:.1f} %, {width[1]:.2f} points wide",
        target=93,
        highest=98,
    )


def _clicked(where: str, scores: Scores) -> Iterator[Claim]:
    possible = gain(scores.known, scores.srcc["plain MOS"])
    where = f"{where}, 10 % of the people replaced by random clickers"
    yield _mean_gain(where, scores, 3, f"; best possible, with all clickers known: {possible.mean:+.3f}")
    yield _against_rivals(where, scores)


def _mean_gain(where: str, scores: Scores, target: float, more: str = "") -> Claim:
    over = scores.over("plain MOS")
    return Claim(
        claim=f"{where}, {len(scores.known)} draws: SRCC of the corrected MOS {scores.srcc['corrected'].mean():.3f}, "
        f"{over.text()} against plain; RMSE {scores.rmse['corrected'].mean():.2f} points{more}",
        value=100 * over.mean,
        unit="hundredths of SRCC more",
        baseline=f"plain MOS {scores.srcc['plain MOS'].mean():.3f}, RMSE {scores.rmse['plain MOS'].mean():.2f}",
        target=target,
    )


def _against_rivals(where: str, scores: Scores) -> Claim:
    best = scores.best_rival
    over = scores.over(best)
    return Claim(
        claim=f"{where}, against the best of {len(RIVALS)} other methods: {over.text()} of SRCC; "
        f"RMSE {scores.rmse['corrected'].mean():.2f} against {scores.rmse[best].mean():.2f}",
        value=100 * over.high,
        unit="hundredths of SRCC more, upper end of the interval",
        baseline=f"best: {best}. SRCC / RMSE: {scores.rivals()}",
        target=0,
    )


def _scores(votes: Votes, drawn: list[Ints], clickers: float) -> Scores:
    """Measure all methods on the drawn votes against the mean of the other votes, which stay as they were."""
    found = []
    for draw, places in enumerate(drawn):
        rest = np.ones(len(votes.score), dtype=bool)
        rest[places] = False
        truth = group_means(votes.photo[rest], votes.score[rest])
        part, clicked = at(votes, places), np.zeros(len(places), dtype=bool)
        if clickers:
            part, clicked = with_clickers(part, clickers, (1, 7), np.random.default_rng(1000 + draw))
        found.append(_measured(part, truth, at(part, ~clicked), (1, 7)))
    return _together(found)


def _measured(votes: Votes, truth: Floats, honest: Votes, scale: tuple[int, int]) -> dict[str, tuple[float, float]]:
    """Return SRCC and RMSE of each method over the photos with votes, and coverage and width of two intervals.

    `truth`: per photo. `honest`: the votes without random clickers. `scale`: the lowest and the highest score.
    """
    seen = np.flatnonzero(np.bincount(votes.photo, minlength=len(truth)))
    _, rater = np.unique(votes.rater, return_inverse=True)
    methods = {**RIVALS, "corrected": corrected_mos}
    estimates = {name: method(votes.photo, rater, votes.score) for name, method in methods.items()}
    known = np.full(len(truth), np.nan)
    estimate = corrected_mos(honest.photo, honest.rater, honest.score)
    known[: len(estimate)] = estimate
    estimates["known"] = np.where(np.isnan(known), np.nanmean(known), known)
    found = {
        name: (
            float(spearmanr(estimate[seen], truth[seen]).statistic),
            float(np.sqrt(np.mean((estimate[seen] - truth[seen]) ** 2))),
        )
        for name, estimate in estimates.items()
    }
    fit = panel_fit(votes.photo, rater, votes.score)
    half = 1.96 * fit.quality_deviation
    ids, counts = image_histograms(votes.photo, votes.score, lowest=scale[0], highest=scale[1])
    found["corrected interval"] = _covered(fit.quality - half, fit.quality + half, truth[fit.image_ids])
    found["plain interval"] = _covered(*mos_interval(counts, scale[0], vote_variance(counts)), truth[ids])
    return found


def _covered(low: Floats, high: Floats, truth: Floats) -> tuple[float, float]:
    """Return the share of the intervals that contain the truth, and their mean width."""
    return float(np.mean((low <= truth) & (truth <= high))), float(np.mean(high - low))


def _together(found: list[dict[str, tuple[float, float]]]) -> Scores:
    methods = [*RIVALS, "corrected"]
    srcc, rmse = ({name: np.array([each[name][place] for each in found]) for name in methods} for place in (0, 1))
    covered, width = (
        np.array([[each[f"{kind} interval"][place] for kind in ("corrected", "plain")] for each in found])
        for place in (0, 1)
    )
    return Scores(srcc, rmse, np.array([each["known"][0] for each in found]), covered, width)


def simulated_scores(draws: int, photos: int) -> Iterator[Claim]:
    """Compare the methods on simulated annotators whose photos have a known quality."""
    for clickers, target in ((0.1, 5.0), (0.0, 0.01)):
        found = []
        for draw in range(draws):
            panel = simulated_panel(photos, 20, 3, clickers=clickers, rng=np.random.default_rng(FIRST_SEED + draw))
            found.append(_measured(panel.votes, panel.truth, panel.votes, (1, 10)))
        scores = _together(found)
        name = f"Simulation, {photos} photos, 20 simulated annotators, 3 votes a photo"
        name += f", {clickers:.0%} random clickers" if clickers else ""
        yield _mean_gain(name, scores, target)
        yield _against_rivals(name, scores)
