"""The promotion gate on simulated holdouts: false promotions, power, bias repair, and planted faults.

The baseline is the rule before groups and looks: SRCC better by a bootstrap over photos, at 95 %, at each look. The
photos, votes and models of both are the same. All annotators are simulated.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from annotation.measures import correlation, intervals
from benchmarks._claims import Claim, Setting
from benchmarks._gate_worlds import SCALE, Model, World, world
from training.evaluation.faults import inverted_annotators, inverted_problem, leak_problem, unrelated_problem
from training.evaluation.looks import LOOKS, Look, next_look
from training.evaluation.promotion_rule import Decision, Problem, Verdict, promotion_verdict
from training.evaluation.registry import METRICS, Metric

GAIN = 0.06  # in SRCC
_OLD = "the rule before: SRCC, photos resampled, no correction"
# Campaigns of the baseline with 20 looks and with one. Its ranks take most of the time.
_BASELINE, _BASELINE_ONE = 30, 200


def measure(setting: Setting) -> Iterator[Claim]:
    """Measure single looks, 20 looks, power, bias repair and planted faults."""
    campaigns = 4 if setting.tiny else 200
    yield _single_look(5 * campaigns)
    for growth in (False, True):
        yield _twenty_looks(campaigns, growth=growth)
    for photos in (100,) if setting.tiny else (20, 40, 100, 200, 400):
        yield _power(photos, max(campaigns, 10))
    yield _bias_repair(campaigns // 2)
    yield from _faults(campaigns // 4)


def _single_look(campaigns: int) -> Claim:
    found = [world(seed, groups=67, size=3) for seed in range(campaigns)]
    ours = _percent([not _verdict(one).promote for one in found])
    before = _percent([not _passes_before(one) for one in found[:_BASELINE_ONE]])
    return Claim(
        claim=f"Equal challengers that are not promoted at one look: 67 groups of three near-duplicates, {campaigns} "
        "campaigns",
        value=ours,
        unit="% of the campaigns",
        baseline=f"{_OLD}: {before:.1f} % of the first {min(campaigns, _BASELINE_ONE)}",
        target=96.5,
        highest=98.5,
        key="gate one look",
    )


def _twenty_looks(campaigns: int, *, growth: bool) -> Claim:
    """Compare 20 challengers with one champion; with `growth` the holdout has 20 groups first and 67 at the end."""
    ours, before = [], []
    for seed in range(campaigns):
        one = world(seed, groups=67, size=3, challengers=LOOKS)
        seen: list[set[int]] = []
        passed, passed_before = False, False
        for place in range(LOOKS):
            part = _first_groups(one, round(20 + 47 * place / (LOOKS - 1)) if growth else 67)
            photos = set(range(len(part.groups)))
            look = next_look(seen, photos)
            seen.append(photos)
            passed = passed or _verdict(part, place, look=look).promote
            if seed < _BASELINE:
                passed_before = passed_before or _passes_before(part, place)
        ours.append(passed)
        before.append(passed_before)
    kind = "that grows from 20 to 67 groups" if growth else "of 67 groups"
    return Claim(
        claim=f"Campaigns without a false promotion in {LOOKS} looks at a holdout {kind} of three, {campaigns} "
        "campaigns",
        value=100 - _percent(ours),
        unit="% of the campaigns",
        baseline=f"{_OLD}: {100 - _percent(before[:_BASELINE]):.0f} % of the first {min(campaigns, _BASELINE)}",
        target=95,
        key="gate twenty looks grown" if growth else "gate twenty looks",
    )


def _power(photos: int, campaigns: int) -> Claim:
    found = [world(seed, groups=photos, gain=GAIN) for seed in range(campaigns)]
    verdicts = [_verdict(one) for one in found]
    ours, before = (
        _percent([one.promote for one in verdicts]),
        _percent([_passes_before(one) for one in found[:_BASELINE_ONE]]),
    )
    told = _percent([one.decision is Decision.CANNOT_TELL for one in verdicts])
    denied = _percent([one.decision in (Decision.NO_BETTER, Decision.REFUSE) for one in verdicts])
    return Claim(
        claim=f"A challenger that is better by {GAIN} SRCC is promoted, {photos} holdout photos, {campaigns} "
        f"campaigns; {told:.0f} % 'cannot tell', {denied:.0f} % 'no better' or 'refuse'",
        value=ours,
        unit="% of the campaigns",
        baseline=f"{_OLD}: {before:.0f} %",
        target=before,
        key=f"gate power {photos}",
    )


def _bias_repair(campaigns: int) -> Claim:
    """The challenger is the champion at the level of these annotators: the same ranks, without a bias of one point."""
    found = []
    for seed in range(campaigns):
        one = world(seed, groups=200, bias=1.0, similarity=0.999)
        level = one.champion.quality_mean.mean() - one.mos.mean()
        repaired = Model.of(one.champion.quality_mean - level, 2.07)
        found.append(World(one.groups, one.votes, one.champion, [repaired]))
    before = _percent([_passes_before(one) for one in found])
    return Claim(
        claim="A challenger that repairs a bias of one point and ranks alike is promoted, 200 holdout photos, "
        f"{campaigns} campaigns",
        value=_percent([_verdict(one).promote for one in found]),
        unit="% of the campaigns",
        baseline=f"{_OLD}: {before:.0f} %",
        target=95,
        key="gate bias",
    )


def _faults(campaigns: int) -> Iterator[Claim]:
    names = {
        "worse": "a challenger that is worse by .2 SRCC",
        "shuffled": "a challenger that learned from shuffled answers",
        "leaked": "a challenger that has learned from the holdout",
        "inverted": "an annotator of five who inverts the scale, with a challenger that is better by .06 SRCC",
    }
    for fault, name in names.items():
        found = [_planted(fault, seed) for seed in range(campaigns)]
        caught = [_names(fault, verdict) for verdict, _ in found]
        passed = _percent([before for _, before in found])
        yield Claim(
            claim=f"Planted fault is caught and named: {name}, 200 holdout photos, {campaigns} campaigns",
            value=_percent(caught),
            unit="% of the campaigns",
            baseline=f"{_OLD}: promotes in {passed:.0f} %, names none",
            target=95,
            key=f"gate fault {fault}",
        )


def _planted(fault: str, seed: int) -> tuple[Verdict, bool]:
    rng = np.random.default_rng(10_000 + seed)
    gain = {"worse": -0.2, "inverted": GAIN}.get(fault, 0.0)
    one = world(seed, groups=200, gain=gain, votes=5 if fault == "inverted" else 10)
    problems: list[Problem] = []
    if fault == "shuffled":
        model = one.challengers[0]
        one = World(one.groups, one.votes, one.champion, [Model.of(rng.permutation(model.quality_mean), 2.2)])
    if fault == "leaked":
        # It has learned the MOS by heart. The site finds such photos by the frozen answers of the run.
        one = World(one.groups, one.votes, one.champion, [Model.of(one.mos, 1.9)])
        problems = [leak_problem(200, 200)]
    if fault == "inverted":
        one.votes[:, 2] = 11 - one.votes[:, 2]
        image, rater = np.divmod(np.arange(one.votes.size), one.votes.shape[1])
        if inverted := inverted_annotators(image, rater, one.votes.ravel()):
            problems = [inverted_problem(inverted)] if [found.annotator_id for found in inverted] == [2] else []
    return _verdict(one, problems=problems), _passes_before(one)


def _names(fault: str, verdict: Verdict) -> bool:
    words = {
        "worse": "worse than the champion",
        "shuffled": "unrelated to the votes",
        "leaked": "has learned from",
        "inverted": "scores of an annotator run against",
    }
    return not verdict.promote and words[fault] in verdict.reason


def _verdict(one: World, place: int = 0, *, look: Look | None = None, problems: list[Problem] | None = None) -> Verdict:
    """Return the verdict about a challenger, from figures that are computed as in an evaluation.

    Figures of SRCC take ten times as long as those of RPS. Without a gain in RPS they cannot lead to a promotion, so
    only the planted faults need them then.
    """
    look = look or Look(1)
    rps, challenger = METRICS["quality_rps"], one.challengers[place]
    value = float(rps.prediction_input(challenger, one.histograms, SCALE).mean())
    metrics: dict[str, Any] = {rps.name: {"value": value, "low": None, "high": None, "n": len(one.groups)}}
    differences = _difference(one, place, rps)
    first = promotion_verdict(differences, metrics=metrics, look=look)
    if problems is None and not first.promote:
        return first
    srcc = METRICS["quality_srcc"]
    differences |= _difference(one, place, srcc)
    if problems is None:
        return promotion_verdict(differences, metrics=metrics, look=look)
    own = srcc.interval(challenger, one.histograms, SCALE, groups=one.groups, seed=1)
    metrics |= {srcc.name: own.as_json()}
    unrelated = unrelated_problem(metrics, differences)
    found = [*problems, *([unrelated] if unrelated else [])]
    return promotion_verdict(differences, metrics=metrics, look=look, problems=found)


def _difference(one: World, place: int, metric: Metric) -> dict[str, Any]:
    found = metric.difference(
        one.challengers[place], one.champion, one.histograms, SCALE, SCALE, groups=one.groups, seed=1
    )
    return {metric.name: found.as_json()}


def _passes_before(one: World, place: int = 0) -> bool:
    """Return whether the rule before promotes: the interval of the SRCC over photos lies above zero."""
    challenger, champion = one.challengers[place].quality_mean, one.champion.quality_mean
    return intervals.paired_interval(correlation.srcc, challenger, champion, one.mos, seed=1).low > 0


def _first_groups(one: World, groups: int) -> World:
    kept = one.groups < groups

    def part(model: Model) -> Model:
        return Model(model.quality_mean[kept], model.distribution[kept], model.watch_probability[kept])

    return World(one.groups[kept], one.votes[kept], part(one.champion), [part(model) for model in one.challengers])


def _percent(found: list[bool]) -> float:
    return 100 * float(np.mean(found))
