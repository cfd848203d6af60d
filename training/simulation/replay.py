"""One simulated campaign: strategies choose photos, votes are drawn, and the learner is trained and measured."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.acquisition.registry import STRATEGIES
from inference.acquisition.strategy import Pool
from training.simulation.learners import Answers, Columns, Learner
from training.simulation.mixture import Mixture
from training.simulation.ratings import QUALITY, WATCH, Ratings
from training.simulation.votes import PEOPLE, VoteSource

Ints = NDArray[np.int64]

# Of the groups, the part that no campaign asks about: it is the same for all strategies with the same seed.
TESTED_SHARE = 1 / 3


@dataclass(frozen=True)
class Plan:
    """How long a campaign is, and how often it learns."""

    budgets: tuple[int, ...]
    """Numbers of answers, ascending, after which the learner is measured."""
    votes_per_photo: int
    """At most so many votes on one photo."""
    clicks: float = 0.0
    """Share of the votes that are random clicks, 0 … 1."""
    round_answers: int = 10
    """The learner is trained, and photos are ranked, after this many answers …"""
    round_share: float = 0.1
    """… or after this share of the answers so far, if that is more: with many answers, ten more change little."""

    def round_after(self, answers: int, end: int) -> int:
        """Return how many answers the next round has; it ends at `end` at the latest."""
        return min(max(self.round_answers, int(self.round_share * answers)), end - answers)


@dataclass(frozen=True)
class Replay:
    """The figures of one campaign."""

    label: str
    """Of the mixture."""
    clicks: float
    seed: int
    answers: tuple[int, ...]
    """The budgets that were reached, ascending: a campaign ends when no photo can be asked about any more."""
    figures: dict[str, tuple[float, ...]]
    """Figure: its value after each of `answers`."""
    ceiling: dict[str, float]
    """The figures with every vote of every photo, without random clicks; empty where they were not asked for."""


def photos_split(groups: Ints, seed: int, *, only_tested: NDArray[np.bool_] | None = None) -> tuple[Ints, Ints]:
    """Return the places of the photos that are asked about and of those that are tested, ascending.

    A third of the groups of near-duplicates is tested. With photos that are only tested (`only_tested` [N]), this third
    is neither asked about nor tested.
    """
    rng = np.random.default_rng([seed, 0])
    names = rng.permutation(np.unique(groups if only_tested is None else groups[~only_tested]))
    left_out = np.isin(groups, names[: round(len(names) * TESTED_SHARE)])
    if only_tested is None:
        return np.flatnonzero(~left_out), np.flatnonzero(left_out)
    return np.flatnonzero(~left_out & ~only_tested), np.flatnonzero(only_tested)


def campaign_replay(ratings: Ratings, mixture: Mixture, plan: Plan, *, seed: int, has_ceiling: bool = True) -> Replay:
    """Play one campaign. The same seed splits the photos alike and gives the same votes for every mixture."""
    photos, tested = photos_split(ratings.groups, seed, only_tested=ratings.only_tested)
    learner = _learner_for(ratings, photos, tested, seed=seed)
    source = VoteSource(ratings, photos, most=plan.votes_per_photo, clicks=plan.clicks, seed=seed)
    campaign = _Campaign(learner, source, ratings.groups[photos], mixture, plan, np.random.default_rng([seed, 2]))
    reached: list[int] = []
    rows: list[dict[str, float]] = []
    for budget in plan.budgets:
        campaign.run(budget)
        if campaign.given < budget and reached and campaign.given == reached[-1]:
            break
        reached.append(campaign.given)
        rows.append(learner.measure(campaign.answers))
    figures = {name: tuple(row[name] for row in rows) for name in learner.figures}
    ceiling = learner.measure(_all_votes(ratings, photos, seed)) if has_ceiling else {}
    return Replay(mixture.label, plan.clicks, seed, tuple(reached), figures, ceiling)


def _learner_for(ratings: Ratings, photos: Ints, tested: Ints, *, seed: int) -> Learner:
    """Return the learner for the task: it learns from `photos` [P] and is measured on `tested`, places in `ratings`."""
    # Imported here: the one for scores loads torch, which labels do not need.
    if ratings.task == QUALITY:
        from training.simulation.quality_learner import QualityLearner

        return QualityLearner(ratings, photos, tested, seed=seed)
    from training.simulation.watch_learner import WatchLearner

    return WatchLearner(ratings, photos, tested, seed=seed)


class _Campaign:
    """The state of a campaign of P photos."""

    def __init__(
        self,
        learner: Learner,
        source: VoteSource,
        groups: Ints,
        mixture: Mixture,
        plan: Plan,
        rng: np.random.Generator,
    ) -> None:
        self.learner, self.source, self.groups, self.mixture, self.plan = learner, source, groups, mixture, plan
        self.needed = np.minimum(source.available, plan.votes_per_photo)
        self.answers = Answers(len(groups))
        self.given = 0
        self._rng = rng

    def run(self, until: int) -> None:
        """Ask until there are so many answers, or no photo is open any more."""
        while self.given < until:
            end = min(until, self.mixture.end_of_phase(self.given) or until)
            before = self.given
            self._round(self.plan.round_after(self.given, end))
            if self.given == before:
                return

    def _round(self, count: int) -> None:
        """Rank the open photos once, and ask `count` times."""
        open_photos = np.flatnonzero(self.answers.count < self.needed)
        shares = self.mixture.shares_at(self.given)
        # Another photo each time: until the next round, an answer does not move a photo down.
        waiting = _queues(shares, self._pool(open_photos, shares), open_photos, self._rng)
        names = list(shares)
        drawn = self._rng.choice(len(names), size=count, p=list(shares.values()))
        asked: set[int] = set()
        for lane in drawn:
            queue = waiting[names[lane]]
            while queue and queue[-1] in asked:
                queue.pop()
            if not queue:
                return
            photo = queue.pop()
            asked.add(photo)
            self.answers.add(photo, *self.source.next(photo))
            self.given += 1

    def _pool(self, photos: Ints, shares: dict[str, float]) -> Pool:
        """Return what the strategies see of the open photos."""
        wanted = frozenset[str]().union(*(STRATEGIES[name].columns for name in shares))
        columns: Columns = self.learner.columns(self.answers, wanted, self._rng) if wanted else {}
        found: Columns = {
            name: value[photos] if isinstance(value, np.ndarray) else value for name, value in columns.items()
        }
        if "features" in columns:
            closed = (self.answers.count > 0) & (self.answers.count >= self.needed)
            found["answered_features"] = columns["features"][closed]
        votes = self.answers.count[photos]
        return Pool(
            image_ids=photos,
            votes=votes,
            votes_needed=self.needed[photos],
            open_slots=self.needed[photos] - votes,
            groups=self.groups[photos],
            **{name: value for name, value in found.items() if name in wanted},
        )


def _queues(shares: dict[str, float], pool: Pool, photos: Ints, rng: np.random.Generator) -> dict[str, list[int]]:
    """Return the open photos in the order of each strategy, the first one last."""
    return {name: photos[np.argsort(STRATEGIES[name].priorities(pool, rng), kind="stable")].tolist() for name in shares}


def _all_votes(ratings: Ratings, photos: Ints, seed: int) -> Answers:
    """Return the answers of a campaign that has every vote, without random clicks."""
    most = 1 if ratings.task == WATCH else PEOPLE
    if ratings.votes is not None:
        most = int(np.bincount(ratings.votes.photo).max())
    source = VoteSource(ratings, photos, most=most, clicks=0.0, seed=seed)
    answers = Answers(len(photos))
    for photo, available in enumerate(source.available.tolist()):
        for _ in range(available):
            answers.add(photo, *source.next(photo))
    return answers
