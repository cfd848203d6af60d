"""What one annotator would answer, on photos of themes that nobody has rated, against simpler rivals.

With `--data DIR`, a folder of photos with votes of real people (`benchmarks/_learning_data.py`), or `oasis` in it: in
each draw, a third of the themes is tested. Without one, the votes are those of simulated annotators. The crowd's score
is what a ridge regression predicts from the votes of all people in the draw. Every figure is a mean over draws, and in
a draw over annotators.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from benchmarks._claims import Claim, Setting
from benchmarks._gains import gain
from benchmarks._learning_data import Extractor, has_votes, photos_read
from benchmarks._personal_rivals import (
    BIAS,
    CROWD,
    GAIN,
    OURS,
    RIVALS,
    Answers,
    Floats,
    Ints,
    Votes,
    crowd_fit,
    expectations,
    inputs_of,
    learned,
)
from inference.networks.config import EFFICIENTNET_LITE2
from inference.personal.crowd import crowd_score
from inference.personal.line import FEWEST_ANSWERS, FEWEST_FOR_TASTE

DRAWS = 10
TESTED, PANEL = 100, 12
#: Answers that a line learns from, for the learning curve.
CURVE = (10, 20, 50)
_OTHERS = 2
_Z80 = 1.2816


@dataclass(frozen=True)
class Draw:
    """One draw: what each tested annotator answered before, and answers to be expected."""

    people: list[Answers]
    asked: list[Answers]
    others: list[list[Floats]]
    """Up to two votes of others on each of the asked photos."""


def measure(setting: Setting) -> Iterator[Claim]:
    """Compare the personal line with its rivals."""
    draws = 2 if setting.tiny else DRAWS
    folder = next(
        (one for one in (setting.data, setting.data / "oasis" if setting.data else None) if one and has_votes(one)),
        None,
    )
    if folder is None:
        votes, scale, named = _simulated_votes(people=10 if setting.tiny else 60), 9.0, "votes of simulated annotators"
    else:
        with tempfile.TemporaryDirectory() as name:
            read = photos_read(folder, Extractor(EFFICIENTNET_LITE2, Path(name)), most=60 if setting.tiny else None)
        votes = Votes(inputs_of(read.features), read.groups, read.photo, read.annotator, read.steps.astype(np.float64))
        scale, named = float(read.bins - 1), f"{folder.name}, {EFFICIENTNET_LITE2.name}"
    yield from _claims(f"{named}, votes of all people", lambda seed: _draw(votes, seed, None), draws, scale)
    yield from _claims(f"{named}, panels of {PANEL}", lambda seed: _draw(votes, seed, PANEL), 2 * draws, scale)


def _claims(kind: str, draw: Callable[[int], Draw], draws: int, scale: float) -> Iterator[Claim]:
    drawn = [draw(seed) for seed in range(draws)]
    srcc: dict[str, list[float]] = {}
    rmse: dict[str, list[float]] = {}
    curve: dict[int, list[tuple[float, ...]]] = {}
    for one in drawn:
        for name, expected in expectations(one.people, one.asked).items():
            srcc.setdefault(name, []).append(_mean_srcc(expected, one.asked))
            rmse.setdefault(name, []).append(_rmse(expected, one.asked))
        for most in CURVE:
            fewer = [person.first(most) for person in one.people]
            found = expectations(fewer, one.asked)
            pairs = [(_mean_srcc(found[name], one.asked), _rmse(found[name], one.asked)) for name in (GAIN, OURS)]
            curve.setdefault(most, []).append((*pairs[0], *pairs[1]))
    answers = np.mean([len(person) for one in drawn for person in one.people])
    best = max(RIVALS, key=lambda name: float(np.mean(srcc[name])))
    figures = "; ".join(f"{name} {np.mean(srcc[name]):.3f}, {np.mean(rmse[name]):.3f}" for name in RIVALS)
    yield Claim(
        claim=f"{kind}: after {answers:.0f} answers, an annotator's next answers: SRCC {np.mean(srcc[OURS]):.3f}, RMSE "
        f"{np.mean(rmse[OURS]):.3f}; SRCC over the crowd {gain(np.array(srcc[OURS]), np.array(srcc[CROWD])).text()}, "
        f"over the best rival, {best}, {gain(np.array(srcc[OURS]), np.array(srcc[best])).text()}; RMSE below "
        f"'{GAIN}' by {gain(np.array(rmse[GAIN]), np.array(rmse[OURS])).text()}",
        value=float(np.mean(srcc[OURS]) / np.mean(srcc[CROWD])),
        unit="times the SRCC of the crowd's score",
        baseline=f"SRCC and RMSE of {figures}",
        target=1.02,
    )
    yield _curve_claim(kind, curve)
    yield from _slip_claims(kind, drawn, scale)


def _curve_claim(kind: str, curve: dict[int, list[tuple[float, ...]]]) -> Claim:
    """Compare with bias and gain alone, by the number of answers that the line has learned from."""
    columns = {most: np.array(rows) for most, rows in curve.items()}
    texts = [
        f"{most} answers: SRCC {gain(rows[:, 2], rows[:, 0]).text()}, RMSE lower by "
        f"{gain(rows[:, 1], rows[:, 3]).text()}"
        for most, rows in columns.items()
    ]
    return Claim(
        claim=f"{kind}: the line against '{GAIN}' after {'; '.join(texts)}. Below {FEWEST_FOR_TASTE} answers they are "
        "the same",
        value=min(float(rows[:, 1].mean() / rows[:, 3].mean()) for rows in columns.values()),
        unit="times as near, at the worst number of answers",
        baseline=f"RMSE of '{GAIN}'",
        target=1.0,
    )


def _slip_claims(kind: str, drawn: list[Draw], scale: float) -> Iterator[Claim]:
    """Hints about slips: mirrored scores, such as 1 for 10. And how many answers the interval covers."""
    honest: dict[str, list[Floats]] = {}
    slips: dict[str, list[Floats]] = {}
    covered, false, caught = [], [], []
    for one in drawn:
        fitted = learned(one.people)
        for place, (line, asked, others) in enumerate(zip(fitted.lines, one.asked, one.others, strict=True)):
            own = fitted.expected(place, asked)
            covered.append(_share_inside(asked.scores, own, _Z80 * line.deviation))
            variance = fitted.spreads.noise * (1 + fitted.spreads.bias)
            base = np.array(
                [
                    crowd_score(predicted, votes.tolist(), vote_variance=variance, width=scale)
                    for predicted, votes in zip(asked.crowd, others, strict=True)
                ]
            )
            with_votes = fitted.expected(place, asked, base)
            mirrored = scale - asked.scores
            is_slip = np.abs(mirrored - asked.scores) >= scale / 2
            ways = {
                CROWD: (base, 1.0),
                BIAS: (base + line.bias, 1.0),
                OURS: (with_votes, line.deviation),
            }
            for name, (expected, deviation) in ways.items():
                honest.setdefault(name, []).append(np.abs(asked.scores - expected) / deviation)
                slips.setdefault(name, []).append(np.abs(mirrored - expected)[is_slip] / deviation)
            false.append(honest[OURS][-1] > fitted.surprising)
            caught.append(slips[OURS][-1] > fitted.surprising)
    shares = {
        name: float((np.concatenate(honest[name]) > np.median(np.concatenate(slips[name]))).mean()) for name in honest
    }
    yield Claim(
        claim=f"{kind}: false hints where half of {sum(map(len, slips[OURS])):,} simulated slips (mirrored scores) are "
        f"caught: {100 * shares[OURS]:.1f} % of {sum(map(len, honest[OURS])):,} honest answers. At the distance that "
        f"the site uses, {100 * np.concatenate(false).mean():.1f} % are false and "
        f"{100 * np.concatenate(caught).mean():.0f} % caught",
        value=shares[CROWD] / max(shares[OURS], 1e-4),
        unit="times fewer false hints",
        baseline=f"distance from the crowd's score: {100 * shares[CROWD]:.1f} %; with the annotator's bias: "
        f"{100 * shares[BIAS]:.1f} %",
        target=2,
    )
    inside = 100 * float(np.concatenate(covered).mean())
    yield Claim(
        claim=f"{kind}: 80 % interval of an annotator's next answer",
        value=inside,
        unit="% covered",
        baseline="80 %",
        target=75,
        highest=87,
    )


def _share_inside(scores: Floats, middle: Floats, half: float) -> Floats:
    """Return which part of each score, a piece of length one, lies in its interval [N]."""
    low, high = np.maximum(scores - 0.5, middle - half), np.minimum(scores + 0.5, middle + half)
    inside: Floats = np.clip(high - low, 0, 1)
    return inside


def _mean_srcc(expected: list[Floats], asked: list[Answers]) -> float:
    """Return the mean over annotators; one whose answers are all equal has no correlation."""
    pairs = [(a, b.scores) for a, b in zip(expected, asked, strict=True) if np.ptp(b.scores) > 0 and np.ptp(a) > 1e-9]
    return float(np.mean([spearmanr(a, b)[0] for a, b in pairs])) if pairs else 0.0


def _rmse(expected: list[Floats], asked: list[Answers]) -> float:
    squares = [((a - b.scores) ** 2).mean() for a, b in zip(expected, asked, strict=True)]
    return float(np.sqrt(np.mean(squares)))


def _draw(votes: Votes, seed: int, panel: int | None) -> Draw:
    """Hold out a third of the groups, and a sixth from the crowd's model only.

    `panel`: only so many people vote, and all of them are tested.
    """
    rng = np.random.default_rng(5000 + seed)
    names = rng.permutation(np.unique(votes.groups))
    held, new = names[: len(names) // 3], names[len(names) // 3 : len(names) // 2]
    everybody = np.unique(votes.annotator)
    people = rng.choice(everybody, min(panel or TESTED, len(everybody)), replace=False)
    voting = votes.of(np.isin(votes.annotator, people)) if panel else votes
    is_held = np.isin(votes.groups, held)
    before, after = voting.of(~is_held[voting.photo]), voting.of(is_held[voting.photo])
    # As in a campaign, the model has not learned from the photos of a holdout, which annotators rate too.
    is_new = is_held | np.isin(votes.groups, new)
    crowd = crowd_fit(before.of(~is_new[before.photo]))
    kept = [one for one in people if min((part.annotator == one).sum() for part in (before, after)) >= FEWEST_ANSWERS]
    rows = [after.rows_of(one, seed) for one in kept]
    return Draw(
        people=[before.answers(before.rows_of(one, seed), crowd, is_new) for one in kept],
        asked=[after.answers(own, crowd, is_new) for own in rows],
        others=[[_votes_of_others(after, row, rng) for row in own] for own in rows],
    )


def _votes_of_others(votes: Votes, row: int, rng: np.random.Generator) -> Floats:
    """Return up to two votes of others on the photo of this vote."""
    given = votes.scores[(votes.photo == votes.photo[row]) & (votes.annotator != votes.annotator[row])]
    return rng.permutation(given)[:_OTHERS]


def _simulated_votes(people: int, photos: int = 300, each: int = 110) -> Votes:
    """Return votes on 0 … 9 of simulated annotators, who differ in bias, gain and taste, on photos in groups of two."""
    rng = np.random.default_rng(4)
    factors = np.repeat(rng.normal(size=(photos // 2, 12)), 2, axis=0) + 0.2 * rng.normal(size=(photos, 12))
    features = factors @ rng.normal(size=(12, 80)) + rng.normal(size=(photos, 80))
    opinion = 4.5 + 1.4 * factors[:, 0]
    rows: list[tuple[Ints, Ints, Floats]] = []
    for person in range(people):
        chosen = rng.choice(photos, each, replace=False)
        taste = 0.35 * factors[chosen, 1:] @ rng.normal(size=11)
        gained = 4.5 + rng.normal(1, 0.25) * (opinion[chosen] - 4.5)
        given = gained + taste + rng.normal(0, 0.8) + rng.normal(0, 1.2, each)
        rows.append((chosen, np.full(each, person), np.clip(np.rint(given), 0, 9)))
    photo, annotator, scores = (np.concatenate(column) for column in zip(*rows, strict=True))
    return Votes(inputs_of(features.astype(np.float32)), np.arange(photos) // 2, photo, annotator, scores)
