"""Choosing the next photo: the answers that it saves against random order and fewest votes first, with one learner.

`--data DIR`: a folder with votes or watch labels, as `manage.py simulate` takes it, or one that has `oasis/` and
`photos/`. All photos of `--test DIR` are tested instead of a third of its groups. Without data, photos are generated.
Watch labels are given by simulated annotators, scores by real people where there are votes. A share of the answers are
simulated random clicks. All strategies start from nothing, without a zero-shot model or a prior.
"""

import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from annotation.measures.intervals import Interval
from benchmarks._claims import Claim, DataMissing, Setting
from benchmarks._learning_data import Extractor
from inference.acquisition.registry import STRATEGIES
from inference.networks.config import EFFICIENTNET_LITE2
from training.simulation.curves import Curve, answers_needed, ceiling_of, curve_of, worse_at
from training.simulation.defaults import MIXTURES, VOTES_PER_PHOTO, budgets_for, made_ratings
from training.simulation.experiment import Experiment, experiment_run
from training.simulation.folder import FolderTable, FolderUnusable, folder_read
from training.simulation.mixture import mixture_read
from training.simulation.ratings import QUALITY, WATCH, Layout, Ratings
from training.simulation.replay import Plan, Replay

SEEDS, CLICKS = 10, (0.0, 0.05, 0.1)
#: The settings were chosen with lower seeds on the same photos.
FIRST_SEED = 100
PROCESSES = 1
RANDOM, FEWEST, MARGIN, GAIN = "random", "fewest_votes", "watch_margin", "information_gain"
#: Watch labels after which F1 must be reached, and its level in per cent.
LABELS, F1 = 80, 98
#: Part of the SRCC with all votes, and of the labels and votes that random order needs.
PART, LABEL_SHARE, VOTE_SHARE = 0.95, 0.2, 0.6
#: Votes on each photo at which errors are compared.
VOTES = 3


def measure(setting: Setting) -> Iterator[Claim]:
    """Play the campaigns of each task."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        worlds = list(_worlds(setting, Path(name)))
    for ratings in worlds:
        most = VOTES_PER_PHOTO[ratings.task]
        budgets = budgets_for(ratings, votes_per_photo=most)
        if setting.tiny:
            budgets = tuple(one for one in budgets if one <= 200)
        experiment = Experiment(
            tuple(mixture_read(text, STRATEGIES) for text in MIXTURES[ratings.task]),
            Plan(budgets, most),
            tuple(range(FIRST_SEED, FIRST_SEED + (2 if setting.tiny else SEEDS))),
            CLICKS[:1] if setting.tiny else CLICKS,
        )
        replays = experiment_run(ratings, experiment, processes=0 if setting.tiny else PROCESSES)
        for clicks in experiment.clicks:
            if ratings.task == WATCH:
                yield from _watch(ratings, replays, clicks)
            else:
                yield from _quality(ratings, replays, clicks)


def _worlds(setting: Setting, folder: Path) -> Iterator[Ratings]:
    if setting.data is None:
        for task in (WATCH, QUALITY):
            yield made_ratings(task, photos=120 if setting.tiny else 600, seed=5)
        return
    layout = Layout(EFFICIENTNET_LITE2.pooled_start, EFFICIENTNET_LITE2.pooled_stop)
    extractor = Extractor(EFFICIENTNET_LITE2, folder)
    tables: dict[tuple[Path, ...], FolderTable] = {}
    reasons = []
    for data in (setting.data, setting.data / "photos", setting.data / "oasis"):
        try:
            table = folder_read(data)
            tables.setdefault(table.files, table)
        except FolderUnusable as error:
            reasons.append(str(error))
    if not tables:
        raise DataMissing(f"This benchmark needs photos with votes or watch labels: {reasons[0]}.")
    for table in tables.values():
        ratings = table.ratings(extractor.of_files, layout)
        if setting.test is None:
            yield ratings
            continue
        try:
            yield ratings.tested_on(folder_read(setting.test).ratings(extractor.of_files, layout))
        except (FolderUnusable, ValueError) as error:
            raise DataMissing(f"{setting.test} cannot be tested on: {error}.") from error


def _watch(ratings: Ratings, replays: Sequence[Replay], clicks: float) -> Iterator[Claim]:
    where = f"{ratings.name}: {ratings.source}, {clicks:.0%} random clicks"
    curves = {label: curve_of(replays, label, "f1", clicks) for label in _labels(replays)}
    ours, random = curves[MARGIN], curves[RANDOM]
    at = max(one for one in ours.answers if one <= LABELS)
    yield Claim(
        claim=f"{where}: watch F1 after {at} labels from a cold start, by {MARGIN}: {_text(ours.at(at))}",
        value=100 * ours.at(at).value,
        unit="% F1",
        baseline=_others(curves, MARGIN, at),
        target=F1,
        key=f"watch, F1, {clicks:.0%} clicks",
    )
    level = random.best
    needed = {label: answers_needed(curve, level) for label, curve in curves.items()}
    yield Claim(
        claim=f"{where}: labels for the best F1 of random order, {level:.3f}{_of_all_labels(curves)}: "
        f"{_count(needed[MARGIN])} by {MARGIN}",
        value=_ratio(needed[RANDOM], needed[MARGIN], random.answers[-1]),
        unit="times fewer than random order",
        baseline="; ".join(f"{label} {_count(one)}" for label, one in needed.items() if label != MARGIN),
        target=1 / LABEL_SHARE,
        key=f"watch, labels, {clicks:.0%} clicks",
    )
    yield _never_worse(where, ours, random)


def _of_all_labels(curves: dict[str, Curve]) -> str:
    """Return a note if random order had its best F1 by chance: all labels, with which every order ends, give less.

    With few watches among the tested photos a level can be one that other orders cannot reach. "" otherwise.
    """
    ends = [curve.values[:, -1] for curve in curves.values()]
    has_all = all(np.array_equal(ends[0], one) for one in ends)
    every_label = float(ends[0].mean())
    return f" (all labels give {every_label:.3f})" if has_all and every_label < curves[RANDOM].best else ""


def _quality(ratings: Ratings, replays: Sequence[Replay], clicks: float) -> Iterator[Claim]:
    where = f"{ratings.name}: {ratings.source}, {clicks:.0%} random clicks"
    labels = _labels(replays)
    curves = {label: curve_of(replays, label, "srcc", clicks) for label in labels}
    ceiling = ceiling_of(replays, "srcc")
    needed = {label: answers_needed(curve, PART * ceiling) for label, curve in curves.items()}
    last = curves[RANDOM].answers[-1]
    others = [label for label in labels if label not in (RANDOM, FEWEST)]
    best = max(others, key=lambda label: _ratio(needed[RANDOM], needed[label], last))
    # Beyond chance; a level that fewest votes first does not reach is as good as infinitely far.
    pays = not (math.isnan(needed[best].value) or needed[best].high >= needed[FEWEST].value)
    rivals = "; ".join(f"{label} {_count(one)}" for label, one in needed.items() if label != best)
    yield Claim(
        claim=f"{where}: votes for {PART:.0%} of the SRCC with all votes, {PART:.2f}·{ceiling:.3f}: "
        f"{_count(needed[best])} by {best}, the best of {len(others)}; "
        f"{'it pays' if pays else 'it does not pay'} against {FEWEST}",
        value=_ratio(needed[RANDOM], needed[best], last),
        unit="times fewer than random order",
        baseline=rivals,
        target=1 / VOTE_SHARE,
        key=f"quality, votes, {clicks:.0%} clicks",
    )
    yield _never_worse(where, curves[FEWEST], curves[RANDOM])
    photos = curve_of(replays, FEWEST, "rated", clicks).means.max()
    at = min(curves[FEWEST].answers, key=lambda one: abs(one - VOTES * photos))
    plain = {label: curve_of(replays, label, "mos_rmse", clicks) for label in labels}
    mixed = {label: curve_of(replays, label, "mixed_rmse", clicks) for label in labels}
    yield Claim(
        claim=f"{where}: error of mean scores after {at} votes, from the votes alone, by the default, {FEWEST}: "
        f"{_text(plain[FEWEST].at(at))} points",
        value=plain[RANDOM].at(at).value / plain[FEWEST].at(at).value,
        unit="times as exact as random order",
        baseline=_others(plain, FEWEST, at),
        target=1.0,
    )
    yield Claim(
        claim=f"{where}: the same with votes and model mixed, by the default, {FEWEST}: "
        f"{_text(mixed[FEWEST].at(at))} points",
        value=plain[FEWEST].at(at).value / mixed[FEWEST].at(at).value,
        unit="times as exact as the mean of the same votes",
        baseline=f"the same number of votes a photo, mean only: {_text(plain[FEWEST].at(at))}",
        target=1.0,
        key=f"quality, mean scores, {clicks:.0%} clicks",
    )
    yield Claim(
        claim=f"{where}: the same by {GAIN}: {_text(mixed[GAIN].at(at))} points",
        value=mixed[FEWEST].at(at).value / mixed[GAIN].at(at).value,
        unit=f"times as exact as {FEWEST}",
        baseline=_others(mixed, GAIN, at),
        target=1.0,
    )


def _never_worse(where: str, ours: Curve, random: Curve) -> Claim:
    worse = worse_at(ours, random)
    count = min(len(ours.answers), len(random.answers))
    at = f" (worse after {', '.join(map(str, worse))})" if worse else ""
    return Claim(
        claim=f"{where}: numbers of answers at which {ours.label} isn't worse than random order beyond the interval of "
        f"the difference: {count - len(worse)} of {count}, from {ours.answers[0]} to {ours.answers[count - 1]}{at}",
        value=1 - len(worse) / count,
        unit="of the numbers",
        baseline=f"random order, {len(ours.values)} seeds",
        target=1.0,
    )


def _labels(replays: Sequence[Replay]) -> list[str]:
    return list(dict.fromkeys(one.label for one in replays))


def _ratio(theirs: Interval, ours: Interval, last: int) -> float:
    """Return how many times fewer answers ours needs, at least; nearly 0 if it does not reach the level."""
    if math.isnan(ours.value):
        return 0.01
    return (last if math.isnan(theirs.value) else theirs.value) / ours.value


def _text(one: Interval) -> str:
    return f"{one.value:.3f} ({max(one.low, 0):.3f}–{one.high:.3f})"


def _count(one: Interval) -> str:
    if math.isnan(one.value):
        return "not reached"
    high = f"{one.high:,.0f}" if one.high < float("inf") else "more"
    return f"{one.value:,.0f} ({one.low:,.0f}–{high})"


def _others(curves: dict[str, Curve], ours: str, at: int) -> str:
    return "; ".join(f"{label} {_text(curve.at(at))}" for label, curve in curves.items() if label != ours)
