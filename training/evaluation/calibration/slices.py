"""Error and bias of the model by slice, and whether a slice stands out.

Scores: two measures are searched together (`slice_search`). The bias is the difference of a slice's mean of
predicted − MOS from that of all other photos. The size of the errors is |predicted − MOS| divided by what the photo's
number of votes lets expect, √(τ² + s²): otherwise every slice of photos with few votes would stand out. Watches: the
share of wrong decisions at the threshold in use.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop
from annotation.language.sentences import Sentence
from annotation.measures.group_shares import percents, share_interval
from annotation.measures.intervals import Interval
from annotation.measures.signs import signed
from annotation.measures.vote_variance import VoteVariance, vote_variance
from training.evaluation.calibration.facts import PhotoFacts
from training.evaluation.calibration.model_error import model_error, mos_variances
from training.evaluation.calibration.slice_kinds import Filter, SliceKind, slice_kinds
from training.evaluation.calibration.slice_measures import slice_measures
from training.evaluation.calibration.slice_search import LEVEL, Search, Units, search
from training.evaluation.comparison import Comparison

Floats = NDArray[np.float64]

#: Slices with fewer groups of near-duplicates have no figures.
FEWEST_GROUPS = 10
#: A search that would miss a slice that is off by this part of the scale's width says so instead of 'none'.
_LARGE = 0.2
_FEWEST_WRONG = 3
WORST, NONE, FEW = "worst", "none", "few"


@dataclass(frozen=True)
class Slice:
    """The figures of one slice. Without figures: None, because it has too few photos."""

    label: Sentence
    words: Sentence
    query: Filter
    photos: int
    """With a MOS."""
    rmse: Interval | None
    bias: Interval | None
    srcc: Interval | None
    wrong: int
    """Wrong watch decisions."""
    watch: Interval | None
    """Share of wrong decisions among the photos with a majority label."""
    examples: tuple[int, ...] = ()
    stands_out: tuple[str, ...] = ()
    """In which measures it differs from the rest by more than chance: "bias", "rmse", "watch"."""


@dataclass(frozen=True)
class SliceGroup:
    """The slices of one kind, for example the bins of blur."""

    key: str
    title: str
    """In English; what shows it translates it."""
    notes: tuple[Sentence, ...]
    slices: tuple[Slice, ...]


@dataclass(frozen=True)
class SliceVerdict:
    """Whether a slice stands out."""

    kind: str
    """WORST, NONE or FEW."""
    sentences: tuple[Sentence, ...]
    compared: int
    """How many slices were compared with the rest."""
    query: Filter = ()

    @property
    def text(self) -> str:
        """Return one to three sentences with numbers, in the language of the reader."""
        return " ".join(str(one) for one in self.sentences)


@dataclass(frozen=True)
class SliceFigures:
    """All slices, and what the search for the worst one found."""

    photos: int
    """Photos with a MOS."""
    groups: int
    labelled: int
    """Photos with a majority label for watch or no watch."""
    bias: float
    rmse: float
    scores: SliceVerdict
    watches: SliceVerdict
    kinds: tuple[SliceGroup, ...]


def slice_figures(
    comparison: Comparison, facts: PhotoFacts, *, seed: int, fewest_votes: int = 2, variance: VoteVariance | None = None
) -> SliceFigures | None:
    """Return the figures of a comparison; None without photos that have `fewest_votes` votes.

    `facts`: of the same photos. `variance`: of votes on one photo; None: that of the compared votes.
    """
    has_mos = comparison.vote_counts >= fewest_votes
    if not has_mos.any():
        return None
    if variance is None:
        variance = vote_variance(comparison.histograms)
    kinds = slice_kinds(comparison, facts)
    scored = comparison.part(has_mos)
    difference = scored.quality_mean - scored.mos
    decided = comparison.has_majority
    wrong = (comparison.watch_probability > comparison.scale.watch_threshold) != (comparison.is_watch == 1)
    rows = np.cumsum([0, *(len(kind.names) for kind in kinds)])
    score_search, score_units = search_scores(scored, kinds, has_mos, variance, seed=seed)
    watch_search, watch_units = search_watches(comparison, kinds, decided, wrong, seed=seed)
    groups = []
    for kind, start in zip(kinds, rows, strict=False):
        slices = []
        for code, name in enumerate(kind.names):
            inside, labelled = kind.codes[has_mos] == code, decided & (kind.codes == code)
            column = start + code
            measures = None
            if len(np.unique(scored.groups[inside])) >= FEWEST_GROUPS:
                measures = slice_measures(
                    scored.quality_mean[inside], scored.mos[inside], scored.groups[inside], seed=seed
                )
            has_watch = len(np.unique(comparison.groups[labelled])) >= FEWEST_GROUPS
            slices.append(
                Slice(
                    label=name.label,
                    words=name.words,
                    query=name.query,
                    photos=int(inside.sum()),
                    rmse=measures.rmse if measures else None,
                    bias=measures.bias if measures else None,
                    srcc=measures.srcc if measures else None,
                    wrong=int(wrong[labelled].sum()),
                    watch=share_interval(wrong[labelled], comparison.groups[labelled]) if has_watch else None,
                    examples=kind.examples[code] if kind.examples else (),
                    stands_out=_stands_out(score_search, watch_search, column),
                )
            )
        groups.append(SliceGroup(kind.key, kind.title, kind.notes, tuple(slices)))
    found = tuple(groups)
    width = comparison.highest - comparison.lowest
    return SliceFigures(
        photos=len(scored),
        groups=len(np.unique(scored.groups)),
        labelled=int(decided.sum()),
        bias=float(difference.mean()),
        rmse=float(np.sqrt((difference**2).mean())),
        scores=_score_verdict(found, score_search, score_units, difference, width),
        watches=_watch_verdict(found, watch_search, watch_units, int(decided.sum()), int(wrong[decided].sum())),
        kinds=found,
    )


def search_scores(
    scored: Comparison, kinds: Sequence[SliceKind], has_mos: NDArray[np.bool_], variance: VoteVariance, *, seed: int
) -> tuple[Search, Units]:
    """Search the bias and the size of the errors, in this order. `kinds` are of more photos [N]: `scored` [has_mos]."""
    codes = [kind.codes[has_mos] for kind in kinds]
    units = Units.of_photos(scored.groups, codes, [len(kind.names) for kind in kinds])
    difference = scored.quality_mean - scored.mos
    of_mos = mos_variances(scored.histograms, variance)
    expected = np.sqrt(model_error(difference, of_mos) ** 2 + of_mos)
    size = np.abs(difference) / np.maximum(expected, 1e-9)
    measures = np.stack([units.means(difference), units.means(size)])
    return search(units, measures, two_sided=(True, False), seed=seed), units


def search_watches(
    comparison: Comparison,
    kinds: Sequence[SliceKind],
    decided: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
    *,
    seed: int,
) -> tuple[Search, Units]:
    """Search the wrong decisions [N] among the photos with a majority label, `decided` [N]."""
    codes = [kind.codes[decided] for kind in kinds]
    units = Units.of_photos(comparison.groups[decided], codes, [len(kind.names) for kind in kinds])
    if int(wrong[decided].sum()) < _FEWEST_WRONG:
        empty = np.full((1, units.shares.shape[1]), np.nan)
        return Search(empty, empty, float("nan"), 0), units
    errors = units.means(wrong[decided].astype(np.float64))
    return search(units, errors[None], two_sided=(False,), seed=seed), units


def _stands_out(scores: Search, watches: Search, column: int) -> tuple[str, ...]:
    adjusted = {"bias": scores.adjusted[0], "rmse": scores.adjusted[1], "watch": watches.adjusted[0]}
    return tuple(name for name, found in adjusted.items() if found[column] <= LEVEL)  # NaN is not


def _score_verdict(
    groups: Sequence[SliceGroup], found: Search, units: Units, difference: Floats, width: int
) -> SliceVerdict:
    flat = [one for group in groups for one in group.slices]
    values = {"photos": f"{len(difference):,}", "slices": str(found.compared)}
    if not found.compared:
        few = gettext_noop("Too few photos to tell: %(photos)s photos do not give two slices of 20 photos each.")
        return SliceVerdict(FEW, (Sentence(few, values),), 0)
    beyond = [
        (abs(float(found.statistics[measure, column])), measure, column)
        for measure in (0, 1)
        for column in np.flatnonzero(found.adjusted[measure] <= LEVEL).tolist()
    ]
    if beyond:
        # A slice with less bias than the rest differs too. It is named only when no worse one stands out.
        named = [one for one in beyond if _is_worse(one[1], flat[one[2]], difference)] or beyond
        _, measure, column = max(named)
        return SliceVerdict(
            WORST,
            _worst(flat[column], measure, difference, found.compared, len({one[2] for one in beyond}) - 1),
            found.compared,
            flat[column].query,
        )
    sizes = units.sizes[~np.isnan(found.statistics[0])]
    size = float(np.median(sizes))
    off = found.seen(float(units.means(difference).std()), size, len(units) - size)
    values |= {"size": f"{size:.0f}", "off": f"{off:.1f}"}
    if off > _LARGE * width:
        few = gettext_noop(
            "Too few photos to tell: with %(photos)s photos, a slice of %(size)s photos must be off by %(off)s points "
            "to be named in 4 of 5 cases."
        )
        return SliceVerdict(FEW, (Sentence(few, values),), found.compared)
    none = gettext_noop(
        "No slice stands out among %(slices)s slices of %(photos)s photos. With so many, a slice of %(size)s photos "
        "must be off by %(off)s points to be named in 4 of 5 cases."
    )
    return SliceVerdict(NONE, (Sentence(none, values),), found.compared)


def _is_worse(measure: int, one: Slice, difference: Floats) -> bool:
    """Return whether a slice is worse than the rest, and not only different from it: nearer to no bias."""
    if measure == 1 or one.bias is None:
        return one.bias is not None
    return abs(one.bias.value) > abs(_rest(one.bias.value, one.photos, difference))


def _rest(mean: float, photos: int, values: Floats) -> float:
    """Return the mean of the values that are not in a slice with so many photos and this mean."""
    return (float(values.sum()) - mean * photos) / max(len(values) - photos, 1)


def _worst(one: Slice, measure: int, difference: Floats, compared: int, others: int) -> tuple[Sentence, ...]:
    assert one.bias is not None  # slices that are compared have figures
    assert one.rmse is not None
    if measure == 0:
        bias, elsewhere = one.bias, _rest(one.bias.value, one.photos, difference)
        words = (
            gettext_noop(
                "The model scores %(words)s %(points)s points too high on average (%(span)s, n = %(photos)s); on the "
                "other photos its bias is %(elsewhere)s."
            )
            if bias.value > 0
            else gettext_noop(
                "The model scores %(words)s %(points)s points too low on average (%(span)s, n = %(photos)s); on the "
                "other photos its bias is %(elsewhere)s."
            )
        )
        found = Sentence(
            words,
            {
                "words": one.words,
                "points": f"{abs(bias.value):.2f}",
                "span": _span(bias),
                "photos": f"{one.photos:,}",
                "elsewhere": signed(elsewhere),
            },
        )
    else:
        rmse = one.rmse
        elsewhere = float(np.sqrt(max(_rest(rmse.value**2, one.photos, difference**2), 0.0)))
        found = Sentence(
            gettext_noop(
                "The typical error is largest on %(words)s: %(error)s points (%(low)s–%(high)s, n = %(photos)s); on "
                "the other photos it is %(elsewhere)s."
            ),
            {
                "words": one.words,
                "error": f"{rmse.value:.2f}",
                "low": f"{rmse.low:.2f}",
                "high": f"{rmse.high:.2f}",
                "photos": f"{one.photos:,}",
                "elsewhere": f"{elsewhere:.2f}",
            },
        )
    more: tuple[Sentence, ...] = ()
    if others:
        words = (
            gettext_noop("%(others)s more slice stands out.")
            if others == 1
            else gettext_noop("%(others)s more slices stand out.")
        )
        more = (Sentence(words, {"others": str(others)}),)
    return found, _corrected(compared), *more


def _span(bias: Interval) -> str | Sentence:
    """Return the interval of a bias: without signs where both ends have the same one."""
    if bias.low <= 0 <= bias.high:
        return Sentence(gettext_noop("%(low)s to %(high)s"), {"low": signed(bias.low), "high": signed(bias.high)})
    ends = sorted((abs(bias.low), abs(bias.high)))
    return f"{ends[0]:.2f}–{ends[1]:.2f}"


def _corrected(compared: int) -> Sentence:
    return Sentence(gettext_noop("Corrected for having looked at %(slices)s slices."), {"slices": str(compared)})


def _watch_verdict(
    groups: Sequence[SliceGroup], found: Search, units: Units, labelled: int, wrong: int
) -> SliceVerdict:
    flat = [one for group in groups for one in group.slices]
    decisions = Sentence(
        gettext_noop("%(wrong)s wrong watch decision on %(photos)s photos")
        if wrong == 1
        else gettext_noop("%(wrong)s wrong watch decisions on %(photos)s photos"),
        {"wrong": f"{wrong:,}", "photos": f"{labelled:,}"},
    )
    values: dict[str, str | Sentence] = {"decisions": decisions, "slices": str(found.compared)}
    if not found.compared:
        return SliceVerdict(FEW, (Sentence(gettext_noop("Too few errors to tell: %(decisions)s."), values),), 0)
    columns = [one for one in np.flatnonzero(found.adjusted[0] <= LEVEL).tolist() if flat[one].watch is not None]
    if columns:
        column = max(columns, key=lambda one: float(found.statistics[0, one]))
        one = flat[column]
        assert one.watch is not None
        rest = (wrong - one.wrong) / max(labelled - one.watch.n, 1)
        value, low, high = percents([one.watch.value, one.watch.low, one.watch.high])
        worst = Sentence(
            gettext_noop(
                "Watch decisions are worst on %(words)s: %(wrong)s of %(photos)s are wrong (%(value)s %%, "
                "%(low)s–%(high)s %%); on the other photos %(rest)s %%."
            ),
            {
                "words": one.words,
                "wrong": f"{one.wrong:,}",
                "photos": f"{one.watch.n:,}",
                "value": value,
                "low": low,
                "high": high,
                "rest": percents([rest])[0],
            },
        )
        return SliceVerdict(WORST, (worst, _corrected(found.compared)), found.compared, one.query)
    sizes = units.sizes[~np.isnan(found.statistics[0])]
    size = float(np.median(sizes))
    share = wrong / labelled
    off = found.seen(float(np.sqrt(share * (1 - share))), size, len(units) - size)
    values |= {"size": f"{size:.0f}", "more": f"{100 * off:.0f}"}
    if off > _LARGE:
        few = gettext_noop(
            "Too few errors to tell: with %(decisions)s, a slice of %(size)s photos needs %(more)s percentage points "
            "more errors than the rest to be named."
        )
        return SliceVerdict(FEW, (Sentence(few, values),), found.compared)
    none = gettext_noop(
        "No slice stands out among %(slices)s slices: %(decisions)s in all. To be named, a slice of %(size)s photos "
        "needs %(more)s percentage points more errors than the rest."
    )
    return SliceVerdict(NONE, (Sentence(none, values),), found.compared)
