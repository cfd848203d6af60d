"""Many simulated campaigns in parallel processes: every mixture with every share of clicks and every seed."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context

from training.simulation.mixture import Mixture
from training.simulation.ratings import Ratings
from training.simulation.replay import Plan, Replay, campaign_replay

# Each process computes with one thread; several would only wait for each other.
_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

_ratings: Ratings | None = None


@dataclass(frozen=True)
class Experiment:
    """What is compared."""

    mixtures: tuple[Mixture, ...]
    plan: Plan
    seeds: tuple[int, ...]
    clicks: tuple[float, ...] = (0.0,)
    votes_per_photo: dict[str, int] | None = None
    """Label of a mixture: another limit than that of the plan."""

    def plan_of(self, mixture: Mixture, clicks: float) -> Plan:
        """Return the plan of one campaign."""
        most = (self.votes_per_photo or {}).get(mixture.label, self.plan.votes_per_photo)
        return replace(self.plan, clicks=clicks, votes_per_photo=most)

    @property
    def campaigns(self) -> list[tuple[Mixture, Plan, int, bool]]:
        """Return all campaigns, and whether the ceiling is measured: once for each seed, as it is the same for all."""
        kinds = [(clicks, mixture) for clicks in self.clicks for mixture in self.mixtures]
        return [
            (mixture, self.plan_of(mixture, clicks), seed, not place)
            for seed in self.seeds
            for place, (clicks, mixture) in enumerate(kinds)
        ]


def experiment_run(
    ratings: Ratings,
    experiment: Experiment,
    *,
    processes: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Replay]:
    """Play all campaigns in `processes` other processes, 0: in this one. `progress`: told how many of all are done.

    The result does not depend on the number of processes. It is sorted by mixture, clicks and seed.
    """
    campaigns = experiment.campaigns
    found: list[Replay] = []
    progress(0, len(campaigns))
    for replayed in _played(ratings, campaigns, processes):
        found.append(replayed)
        progress(len(found), len(campaigns))
    place = {mixture.label: number for number, mixture in enumerate(experiment.mixtures)}
    return sorted(found, key=lambda one: (place[one.label], one.clicks, one.seed))


def _played(ratings: Ratings, campaigns: Sequence[tuple[Mixture, Plan, int, bool]], processes: int) -> Iterator[Replay]:
    if not processes:
        for mixture, plan, seed, has_ceiling in campaigns:
            yield campaign_replay(ratings, mixture, plan, seed=seed, has_ceiling=has_ceiling)
        return
    # New processes instead of copies of this one, whose threads a copy would lack.
    with (
        _environment(_THREADS),
        ProcessPoolExecutor(
            min(processes, len(campaigns)), get_context("spawn"), initializer=_begin, initargs=(ratings,)
        ) as pool,
    ):
        waiting = [pool.submit(_play, *campaign) for campaign in campaigns]
        try:
            for one in as_completed(waiting):
                yield one.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables, which new processes get."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _begin(ratings: Ratings) -> None:
    global _ratings
    _ratings = ratings


def _play(mixture: Mixture, plan: Plan, seed: int, has_ceiling: bool) -> Replay:
    assert _ratings is not None
    return campaign_replay(_ratings, mixture, plan, seed=seed, has_ceiling=has_ceiling)
