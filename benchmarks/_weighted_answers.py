"""All answers of a campaign, weighted by how their photos were drawn: right, and how exact? For `audit`.

The queue is that of a new campaign, with several people and votes (`benchmarks._queue_worlds`). The truth is what all
people would say about all photos.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from annotation.measures.intervals import Interval, wilson_interval
from annotation.measures.pool_mean import classical_mean, powered_mean
from annotation.measures.signs import signed
from benchmarks._audit_worlds import world_make
from benchmarks._claims import Claim
from benchmarks._queue_worlds import panel_make, queue_run
from training.evaluation.weighted_answers import weighted_answers

_SEED, _ANSWERS, _PHOTOS = 17_000, 600, 3000
_LOWEST, _HIGHEST = 93.0, 98.0  # percent
# Variance of one vote around the mean of its photo, without a part for the people's biases.
_VOTE_VARIANCE = 1.0


@dataclass(frozen=True)
class _Found:
    """One figure of one campaign: each way to estimate it, and the truth."""

    weighted: Interval
    audit: Interval
    powered: Interval
    truth: float
    plain: float
    """Mean of all photos with answers."""
    worth: float
    largest: float


def weighted_claims(campaigns: int) -> Iterator[Claim]:
    """Yield coverage and width of the mean score and the share of watches, without and with near-duplicates."""
    for copies, kind in ((1, ""), (4, ", near-duplicates in fours")):
        found = [_campaign(_SEED + number, copies) for number in range(campaigns)]
        for place, name in enumerate(("mean score", "share of photos with a watch")):
            yield _claim(f"{name}{kind}", [one[place] for one in found if one is not None], campaigns, place)


def _claim(name: str, found: list[_Found], campaigns: int, place: int) -> Claim:
    hits = [one.weighted.low <= one.truth <= one.weighted.high for one in found]
    audit = [one.audit.low <= one.truth <= one.audit.high for one in found]
    narrowest = [min((one.weighted, one.audit, one.powered), key=_width) for one in found]
    best = [way.low <= one.truth <= way.high for way, one in zip(narrowest, found, strict=True)]
    scale, unit = (100, "percentage points") if place else (1, "points")
    off = scale * float(np.mean([one.weighted.value - one.truth for one in found]))
    plain = scale * float(np.mean([one.plain - one.truth for one in found]))
    width = np.mean([_width(one.weighted) / _width(one.audit) for one in found])
    powered = np.mean([_width(one.powered) / _width(one.audit) for one in found])
    return Claim(
        claim=f"All {_ANSWERS} answers, weighted by how their photos were drawn, {name}: the truth is in the 95 % "
        f"interval in {_text(hits)}, in that of the narrowest of three ways in {_text(best)}; its width is {width:.2f} "
        f"of that of votes on audit photos alone; off by {signed(off, 2)} {unit} on average",
        value=100 * float(np.mean(hits)),
        unit=f"% of {len(found)} campaigns; {np.mean([one.weighted.n for one in found]):.0f} photos are worth "
        f"{np.mean([one.worth for one in found]):.0f}, the largest weight is "
        f"{np.mean([one.largest for one in found]):.1f} times the average",
        baseline=f"votes on {np.mean([one.audit.n for one in found]):.0f} audit photos alone: {_text(audit)}; votes "
        f"and predictions: {powered:.2f} of their width; the plain mean of all answered photos is off by "
        f"{signed(plain, 2)} {unit}",
        target=_LOWEST if campaigns >= 1000 else 0.0,
        highest=_HIGHEST if campaigns >= 1000 else 100.0,
    )


def _campaign(seed: int, copies: int) -> tuple[_Found, _Found] | None:
    """Return the figures of a campaign; None in the rare case that there is too little evidence."""
    rng = np.random.default_rng(seed)
    world = world_make(rng, photos=_PHOTOS, copies=copies)
    panel = panel_make(world, rng)
    photos, taken = queue_run(world, panel, _ANSWERS, rng)
    found = weighted_answers(taken, variance=_VOTE_VARIANCE)
    held = taken.is_holdout
    figures = []
    for values, predictions, estimate, said, is_share in (
        (taken.scores, world.scores, found.score, panel.scores, False),
        (taken.watch, world.watch_probability, found.watch, panel.watch, True),
    ):
        if estimate.found is None:
            return None
        audit = powered_mean(
            values[held],
            predictions[photos[held]],
            predicted_mean=float(predictions[world.holdout].mean()),
            predicted=int(np.count_nonzero(world.holdout)),
            groups=world.groups[photos[held]],
            pool=_PHOTOS,
            is_share=is_share,
        )
        alone = classical_mean(values[held], groups=world.groups[photos[held]], pool=_PHOTOS, is_share=is_share)
        figures.append(
            _Found(
                weighted=estimate.found.mean,
                audit=alone,
                powered=audit.powered,
                truth=float(said.mean()),
                plain=float(values.mean()),
                worth=estimate.found.worth,
                largest=estimate.found.largest,
            )
        )
    return figures[0], figures[1]


def _width(found: Interval) -> float:
    return found.high - found.low


def _text(hits: list[bool]) -> str:
    found = wilson_interval(sum(hits), len(hits))
    return f"{100 * found.value:.1f} % ({100 * found.low:.1f}–{100 * found.high:.1f} %)"
