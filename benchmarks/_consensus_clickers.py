"""Random clickers among real people: how many are found, and how many real people are flagged. Not a benchmark."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotation.raters.screening import Verdict
from benchmarks._claims import Claim
from benchmarks._consensus_screening import RULES, Screened, verdicts
from benchmarks._draws import at, panel_places, places_a_photo, with_clickers
from benchmarks._votes import Votes, bluebirds, oasis, observers

Flags = NDArray[np.bool_]
Draw = Callable[[np.random.Generator], Votes]

DRAWS, FIRST_SEED = 40, 100
SHARE = 0.1


def clickers_found(data: Path) -> Iterator[Claim]:
    """Count the random clickers and the real people of OASIS that each rule flags."""
    votes, _ = oasis(data)
    designs: dict[str, tuple[Draw, int]] = {
        "all votes": (lambda rng: votes, 5),
        "panels of 12 people": (lambda rng: at(votes, panel_places(votes, 3, rng)), DRAWS),
        "panels of 20 people": (lambda rng: at(votes, panel_places(votes, 5, rng)), DRAWS),
        "5 random votes a photo of all people": (lambda rng: at(votes, places_a_photo(votes, 5, rng)), 5),
    }
    for name, (draw, draws) in designs.items():
        counted = _Counts(draw, (1, 7), draws)
        where = f"OASIS, {name}, 10 % of them replaced by random clickers, {draws} draws, rule: {next(iter(RULES))}"
        if counted.known > 0.5:  # three votes a person say nothing about a person
            yield counted.found_claim(where)
        yield counted.flagged_claim(where)


def clickers_among_observers(data: Path) -> Iterator[Claim]:
    """Count the same among five observers, one of them replaced."""
    table = observers(data)
    photos, people = table.shape
    votes = Votes(np.repeat(np.arange(photos), people), np.tile(np.arange(people), photos), table.ravel())
    counted = _Counts(lambda rng: votes, (1, 5), DRAWS)
    where = f"Observers, one of {people} replaced by a random clicker, {DRAWS} draws, rule: {next(iter(RULES))}"
    yield counted.found_claim(where)
    yield counted.flagged_claim(where)


def clickers_among_bluebirds(data: Path) -> Iterator[Claim]:
    """Count the same among annotators of labels, with 0 and 1 as scores."""
    votes, _ = bluebirds(data)
    counted = _Counts(lambda rng: votes, (0, 1), DRAWS)
    where = f"Bluebirds, 10 % of {votes.raters} replaced by random clickers, {DRAWS} draws, rule: {next(iter(RULES))}"
    yield counted.found_claim(where)
    # Some of these annotators really do no better than chance, so nobody knows how many should be flagged.


class _Counts:
    """Whom each rule flags in some draws, and of how many people our rule says that nobody can tell."""

    def __init__(self, draw: Draw, scale: tuple[int, int], draws: int) -> None:
        self.found: dict[str, list[bool]] = {rule: [] for rule in RULES}
        self.flagged: dict[str, list[bool]] = {rule: [] for rule in RULES}
        known: list[bool] = []
        for number in range(draws):
            rng = np.random.default_rng(FIRST_SEED + number)
            part = draw(rng)
            _, photo = np.unique(part.photo, return_inverse=True)
            _, rater = np.unique(part.rater, return_inverse=True)
            part, clicked = with_clickers(Votes(photo, rater, part.score), SHARE, scale, rng)
            is_clicker = np.isin(np.arange(part.raters), part.rater[clicked])
            screened = Screened.of(part)
            for rule, flags in RULES.items():
                flag = flags(screened)
                self.found[rule] += flag[is_clicker].tolist()
                self.flagged[rule] += flag[~is_clicker].tolist()
            known += [one != Verdict.UNKNOWN for one in verdicts(screened)]
        self.known = float(np.mean(known))
        self.rule = next(iter(RULES))

    def found_claim(self, where: str) -> Claim:
        """Return how many clickers our rule finds."""
        return Claim(
            claim=f"{where}: random clickers found (n = {len(self.found[self.rule])})",
            value=100 * float(np.mean(self.found[self.rule])),
            unit="% are found",
            baseline=self._rivals(),
            target=90,
        )

    def flagged_claim(self, where: str) -> Claim:
        """Return how many real people our rule flags."""
        unknown = f"; not enough to tell about {100 * (1 - self.known):.0f} % of all people"
        return Claim(
            claim=f"{where}: real people flagged (n = {len(self.flagged[self.rule])}){unknown}",
            value=100 * float(np.mean(self.flagged[self.rule])),
            unit="% of the real people are flagged",
            baseline=self._rivals(),
            target=0,
            highest=5,
        )

    def _rivals(self) -> str:
        return "; ".join(
            f"{rule}: {100 * np.mean(self.found[rule]):.1f} % found, {100 * np.mean(self.flagged[rule]):.1f} % flagged"
            for rule in RULES
            if rule != self.rule
        )
