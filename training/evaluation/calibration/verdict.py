"""What a model version may be trusted for: one verdict for each use, with its numbers and the requirement.

A use has a figure with a 95 % interval and a requirement. The verdict is 'yes' only if the whole interval fulfils the
requirement, 'no' only if the whole interval fails it, and 'cannot tell' otherwise, with the number of photos that would
decide it if the figure stays as it is. Below the evidence of `training.evaluation.calibration.evidence` there is no
verdict at all.

The requirements are conventions, stated on the page beside each verdict.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop
from annotation.language.sentences import Sentence
from annotation.measures.agreement import mos_noise
from annotation.measures.group_shares import highest_part, independent_photos, percents, share_interval, trials_needed
from annotation.measures.intervals import Interval, interval
from annotation.measures.probability_fit import ProbabilityFit, probability_fit
from annotation.measures.score_fit import SpreadFigures, spread_figures, vote_halves
from training.evaluation.calibration.evidence import Evidence, evidence_of
from training.evaluation.comparison import Comparison, ScoreFigures

Floats = NDArray[np.float64]

#: Rank correlation for sorting: two photos of which people clearly prefer one are mostly in the right order.
SORTING_SRCC = 0.5
#: Of the tenth of the photos that the model likes best, this share must be in the quarter that people like best.
#: Where many photos have the same MOS, each of them is a part of this quarter, so chance always reaches a quarter.
BEST_SHARE, BEST_PART = 0.5, 0.25
#: Of the fifth that the model likes least, at most this share may be in the half that people like better.
WORST_LOSS, LIKED_PART = 0.1, 0.5
#: Typical error of a single score, as a share of the scale's range: one point on the scale 1-10.
SINGLE_ERROR = 1 / 9
#: Of the watches, the share that must be found; of the photos called a watch, the share that must be one.
WATCH_SHARE = 0.9

# A larger number of photos is not stated: the figure lies too near to the requirement.
_MOST_NEEDED = 20


class Level(StrEnum):
    """The verdict about one use."""

    YES = "yes"
    NO = "no"
    UNKNOWN = gettext_noop("cannot tell")


@dataclass(frozen=True)
class Use:
    """One use of the model, with its verdict."""

    name: str
    """As part of a sentence: 'sorting photos'. In English; what shows it translates it."""
    level: Level
    figure: Interval
    required: float
    is_higher_better: bool
    found: Sentence
    """The figure in words, with its interval and n."""
    requirement: Sentence
    """In words."""
    rival: Sentence
    """What the simplest alternative would reach."""
    needed: int | None
    """Photos that would decide it; None if the verdict is not 'cannot tell', or if they are too many to state."""


@dataclass(frozen=True)
class VerdictFigures:
    """What the top of the calibration page says."""

    evidence: Evidence
    uses: tuple[Use, ...]
    """Without those that lack evidence."""
    spread: SpreadFigures | None
    """None with too few photos."""
    watch_fit: ProbabilityFit | None
    """None with too few labels."""


def verdict_figures(
    comparison: Comparison,
    scored: Comparison,
    scores: ScoreFigures | None,
    *,
    simulated: Collection[int],
    is_random: bool,
    seed: int,
) -> VerdictFigures:
    """Return the verdicts on a comparison. `scored`: its photos with enough votes for the score figures `scores`.

    `simulated`: ids of annotators that are programs. `is_random`: only holdout photos. The same seed gives the same.
    """
    evidence = evidence_of(comparison, scored, simulated=simulated, is_random=is_random)
    uses: list[Use] = []
    spread = None
    if evidence.has_scores and scores is not None:
        spread = _spread(scored, seed=seed)
        uses += [_sorting(scores.srcc), _picking(scored), _discarding(scored), _single(scored, seed)]
    fit = None
    if evidence.has_watches:
        decided = comparison.part(comparison.has_majority)
        fit = probability_fit(decided.watch_probability, decided.is_watch, groups=decided.groups, seed=seed)
        uses += _watches(decided)
    return VerdictFigures(evidence, tuple(uses), spread, fit)


def level_of(figure: Interval, required: float, *, is_higher_better: bool) -> Level:
    """Return whether the whole interval fulfils the requirement, fails it, or neither."""
    if np.isnan(figure.value):
        return Level.UNKNOWN
    if not is_higher_better:
        figure, required = Interval(-figure.value, -figure.high, -figure.low, figure.n), -required
    if figure.low >= required:
        return Level.YES
    return Level.NO if figure.high < required else Level.UNKNOWN


def photos_needed(figure: Interval, required: float, n: int) -> int | None:
    """Return how many photos would decide it if the figure stays as it is; None if more than 20 times as many.

    The width of an interval shrinks with the square root of the number of photos.
    """
    distance = abs(figure.value - required)
    reach = figure.value - figure.low if figure.value >= required else figure.high - figure.value
    return _rounded(n, (reach / distance) ** 2) if distance > 0 else None


def photos_needed_for_share(figure: Interval, required: float, n: int, *, measured: float) -> int | None:
    """Return the same of a share with Wilson's interval, which is not symmetric.

    `measured`: how many independent photos the share is measured on; it grows with n.
    """
    return _rounded(n, trials_needed(figure.value, required) / measured)


def _rounded(n: int, times: float) -> int | None:
    """Return n · times rounded up to two digits; None for NaN and for too many."""
    if not times <= _MOST_NEEDED:
        return None
    needed = ceil(n * times - 1e-6)
    unit: int = 10 ** max(len(str(needed)) - 2, 0)  # a forecast is not more exact than two digits
    rounded: int = ceil(needed / unit) * unit
    return max(rounded, n + 1)


def _use(
    name: str,
    figure: Interval,
    required: float,
    *,
    n: int,
    found: Sentence,
    requirement: Sentence,
    rival: Sentence,
    higher: bool = True,
    measured: float | None = None,
) -> Use:
    """`measured`: of a share, how many independent photos it is measured on."""
    level = level_of(figure, required, is_higher_better=higher)
    needed = None
    if level is Level.UNKNOWN:
        needed = (
            photos_needed(figure, required, n)
            if measured is None
            else photos_needed_for_share(figure, required, n, measured=measured)
        )
    return Use(name, level, figure, required, higher, found, requirement, rival, needed)


def _sorting(figure: Interval) -> Use:
    return _use(
        gettext_noop("sorting photos by quality"),
        figure,
        SORTING_SRCC,
        n=figure.n,
        found=Sentence(
            gettext_noop("rank correlation %(figure)s with people's MOS, n = %(n)s photos"),
            {"figure": _numbers(figure), "n": f"{figure.n:,}"},
        ),
        requirement=Sentence(gettext_noop("at least %(sorting_srcc)s"), {"sorting_srcc": f"{SORTING_SRCC:.2f}"}),
        rival=Sentence(gettext_noop("random order: 0")),
    )


def _picking(scored: Comparison) -> Use:
    count = max(5, len(scored) // 10)
    picked = highest_part(scored.quality_mean, count / len(scored))
    figure = share_interval(highest_part(scored.mos, BEST_PART), scored.groups, picked)
    return _use(
        gettext_noop("picking the best photos"),
        figure,
        BEST_SHARE,
        n=len(scored),
        found=Sentence(
            gettext_noop("of its best %(count)s, %(figure)s are in the quarter that people like best"),
            {"count": f"{count:,}", "figure": _percent(figure, BEST_SHARE)},
        ),
        requirement=Sentence(gettext_noop("at least %(best_share)s %%"), {"best_share": f"{100 * BEST_SHARE:.0f}"}),
        rival=Sentence(gettext_noop("random picks: %(mean)s %%"), {"mean": f"{100 * BEST_PART:.0f}"}),
        measured=independent_photos(scored.groups, picked),
    )


def _discarding(scored: Comparison) -> Use:
    count = max(5, len(scored) // 5)
    picked = highest_part(-scored.quality_mean, count / len(scored))
    figure = share_interval(highest_part(scored.mos, LIKED_PART), scored.groups, picked)
    return _use(
        gettext_noop("throwing away the worst photos"),
        figure,
        WORST_LOSS,
        n=len(scored),
        found=Sentence(
            gettext_noop("of its worst %(count)s, %(figure)s are in the half that people like better"),
            {"count": f"{count:,}", "figure": _percent(figure, WORST_LOSS)},
        ),
        requirement=Sentence(gettext_noop("at most %(worst_loss)s %%"), {"worst_loss": f"{100 * WORST_LOSS:.0f}"}),
        rival=Sentence(gettext_noop("random picks: %(mean)s %%"), {"mean": f"{100 * LIKED_PART:.0f}"}),
        measured=independent_photos(scored.groups, picked),
        higher=False,
    )


def _single(scored: Comparison, seed: int) -> Use:
    noise = _noise(scored)
    figure = interval(_error, scored.quality_mean, scored.mos, noise, groups=scored.groups, seed=seed)
    required = SINGLE_ERROR * (scored.highest - scored.lowest)
    always_mean = float(_error(np.full(len(scored), scored.mos.mean()), scored.mos, noise))
    return _use(
        gettext_noop("the score of a single photo"),
        figure,
        required,
        n=len(scored),
        found=Sentence(
            gettext_noop("typical error %(figure)s points (root mean square, without the chance in the votes)"),
            {"figure": _numbers(figure)},
        ),
        requirement=Sentence(gettext_noop("at most 1 point"))
        if required == 1
        else Sentence(gettext_noop("at most %(points)s points"), {"points": f"{required:.1f}"}),
        rival=Sentence(
            gettext_noop("the mean for every photo: %(always_mean)s points"), {"always_mean": f"{always_mean:.2f}"}
        ),
        higher=False,
    )


def _watches(decided: Comparison) -> list[Use]:
    """Return the verdicts about missed watches and about false alarms, at the threshold of the version."""
    threshold = decided.scale.watch_threshold
    is_watch, is_called = decided.is_watch.astype(bool), decided.watch_probability > threshold
    found = share_interval(is_called[is_watch], decided.groups[is_watch])
    missed, watches = int((is_watch & ~is_called).sum()), int(is_watch.sum())
    uses = [
        _use(
            gettext_noop("finding the watches"),
            found,
            WATCH_SHARE,
            n=watches,
            found=Sentence(
                gettext_noop(
                    "at the threshold %(threshold)s, %(missed)s of %(watches)s watches missed: %(found)s found"
                ),
                {
                    "threshold": f"{threshold:g}",
                    "missed": f"{missed:,}",
                    "watches": f"{watches:,}",
                    "found": _percent(found, WATCH_SHARE),
                },
            ),
            requirement=Sentence(
                gettext_noop("at least %(watch_share)s %% found"), {"watch_share": f"{100 * WATCH_SHARE:.0f}"}
            ),
            rival=Sentence(gettext_noop("calling every photo a watch: 100 %")),
            measured=independent_photos(decided.groups[is_watch]),
        )
    ]
    if is_called.any():
        right = share_interval(is_watch[is_called], decided.groups[is_called])
        alarms, called = int((is_called & ~is_watch).sum()), int(is_called.sum())
        uses.append(
            _use(
                gettext_noop("believing a watch label"),
                right,
                WATCH_SHARE,
                n=called,
                found=Sentence(
                    gettext_noop(
                        "at the threshold %(threshold)s, false alarms among the photos that it calls a watch: "
                        "%(alarms)s of %(called)s, n = %(photos)s; %(right)s are right"
                    ),
                    {
                        "threshold": f"{threshold:g}",
                        "alarms": f"{alarms:,}",
                        "called": f"{called:,}",
                        "photos": f"{len(decided):,}",
                        "right": _percent(right, WATCH_SHARE),
                    },
                ),
                requirement=Sentence(
                    gettext_noop("at least %(watch_share)s %% right"), {"watch_share": f"{100 * WATCH_SHARE:.0f}"}
                ),
                rival=Sentence(
                    gettext_noop("calling every photo a watch: %(mean)s %%"),
                    {"mean": percents([float(is_watch.mean())])[0]},
                ),
                measured=independent_photos(decided.groups[is_called]),
            )
        )
    return uses


def _spread(scored: Comparison, *, seed: int) -> SpreadFigures:
    votes = scored.votes
    rows = np.searchsorted(scored.image_ids, votes.image_ids)
    return spread_figures(
        scored.quality_mean,
        scored.mos,
        _noise(scored),
        vote_halves(rows, votes.scores, photos=len(scored), seed=seed),
        scale=(scored.lowest, scored.highest),
        groups=scored.groups,
        seed=seed,
    )


def _noise(scored: Comparison) -> Floats:
    """Return the variance of each MOS that is chance of its votes [N], in squared points."""
    votes = scored.votes
    return mos_noise(votes.image_ids, votes.annotator_ids, votes.scores, votes.weights)


def _error(predicted: Floats, mos: Floats, noise: Floats) -> Floats:
    """Return the root mean square error against the opinion of everybody, of arrays [..., N], in points."""
    squares = ((predicted - mos) ** 2).mean(axis=-1) - np.asarray(noise).mean(axis=-1)
    error: Floats = np.sqrt(np.maximum(squares, 0))
    return error


def _numbers(figure: Interval) -> str:
    return f"{figure.value:.2f} ({figure.low:.2f}–{figure.high:.2f})".replace("-", "−")


def _percent(figure: Interval, required: float) -> str:
    """Return for example '93 % (86–97)', with more digits where fewer would contradict the verdict or the counts."""
    value, low, high = percents((figure.value, figure.low, figure.high), beside=(required,))
    return f"{value} % ({low}–{high})"
