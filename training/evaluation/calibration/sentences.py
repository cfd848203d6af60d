"""The verdicts of the calibration page in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.language import gettext
from annotation.measures.group_shares import percents
from annotation.measures.intervals import Interval
from annotation.measures.probability_fit import ENOUGH_POWER, FACTOR, Fault, Fit, ProbabilityFit
from annotation.measures.score_fit import ScoreFit, SpreadFigures
from training.evaluation.calibration.titles import interval_text, signed_text
from training.evaluation.calibration.verdict import Level, Use

_FIT_LEVELS = {Fit.FITS: Level.YES, Fit.UNKNOWN: Level.UNKNOWN}


@dataclass(frozen=True)
class Statement:
    """A sentence about how predictions fit, and whether it is good news."""

    level: Level
    text: str


def headline(uses: Sequence[Use]) -> str:
    """Return what the model may be used for, what not, and what cannot be told; '' without uses."""
    parts = [
        f"{start}: {', '.join(names)}."
        for start, level in (
            (gettext("Good for"), Level.YES),
            (gettext("Not for"), Level.NO),
            (gettext("Cannot tell yet"), Level.UNKNOWN),
        )
        if (names := [gettext(use.name) for use in uses if use.level is level])
    ]
    return " ".join(parts)


def needed_text(use: Use) -> str:
    """Return how many photos would decide a use that cannot be told; '' for the others."""
    if use.level is not Level.UNKNOWN:
        return ""
    if use.needed is None:
        return gettext("The figure is too near to the requirement for a forecast of the photos that would decide it.")
    return gettext("About %(needed)s such photos would decide it, if the figure stays as it is.") % {
        "needed": f"{use.needed:,}"
    }


def fit_statement(fit: ProbabilityFit) -> Statement:
    """Return whether the watch probabilities fit the labels of people."""
    said, seen_share = percents([fit.predicted, fit.observed], beside=[fit.predicted, fit.observed])
    values = {
        "p": _p(fit.p),
        "said": said,
        "seen": seen_share,
        "factor": f"{FACTOR:g}",
        "power": f"{100 * fit.power:.0f}",
        "required": f"{100 * ENOUGH_POWER:.0f}",
        "odds": interval_text(fit.odds, 1) if fit.odds.value > 0 else "",
    }
    return Statement(_FIT_LEVELS.get(fit.verdict, Level.NO), _fit_words(fit) % values)


def _fit_words(fit: ProbabilityFit) -> str:
    if fit.verdict is Fit.FITS:
        return gettext(
            "Watch probabilities fit people's labels: no misfit found (p = %(p)s), and odds that are off by "
            "%(factor)s× would be seen in %(power)s of 100 cases."
        )
    if fit.verdict is Fit.UNKNOWN:
        return gettext(
            "Too few photos to tell whether watch probabilities fit: no misfit found (p = %(p)s), but odds that are "
            "off by %(factor)s× would be seen in %(power)s of 100 cases; %(required)s are required."
        )
    if fit.fault is Fault.TOO_SURE:
        return gettext(
            "Watch probabilities lie too near to 0 and 1 (p = %(p)s); on average they say %(said)s %%, and people say "
            "%(seen)s %%."
        )
    if fit.fault is Fault.NOT_SURE:
        return gettext(
            "Watch probabilities lie too far from 0 and 1 (p = %(p)s); on average they say %(said)s %%, and people "
            "say %(seen)s %%."
        )
    has_odds = fit.odds.value > 0
    if fit.fault is Fault.TOO_HIGH:
        return (
            gettext(
                "Watch probabilities are too high (p = %(p)s): on average they say %(said)s %%, and people say "
                "%(seen)s %%; the odds need a factor of %(odds)s."
            )
            if has_odds
            else gettext(
                "Watch probabilities are too high (p = %(p)s): on average they say %(said)s %%, and people say "
                "%(seen)s %%."
            )
        )
    return (
        gettext(
            "Watch probabilities are too low (p = %(p)s): on average they say %(said)s %%, and people say "
            "%(seen)s %%; the odds need a factor of %(odds)s."
        )
        if has_odds
        else gettext(
            "Watch probabilities are too low (p = %(p)s): on average they say %(said)s %%, and people say %(seen)s %%."
        )
    )


def spread_statements(spread: SpreadFigures) -> list[Statement]:
    """Return whether scores are right on average, over the scale, and at its ends."""
    return [_average(spread), _slope(spread), _spread(spread), *_ends(spread)]


def _average(spread: SpreadFigures) -> Statement:
    words = {
        ScoreFit.FITS: gettext("Scores are right on average: %(found)s points, within ±%(margin)s."),
        ScoreFit.UNKNOWN: gettext(
            "Too few photos to tell whether scores are right on average: %(found)s points; the margin is ±%(margin)s."
        ),
        ScoreFit.ABOVE: gettext("Scores are too high on average: %(found)s points."),
        ScoreFit.BELOW: gettext("Scores are too low on average: %(found)s points."),
    }
    values = {"found": signed_text(spread.bias, 2), "margin": f"{spread.margin:.2f}"}
    return Statement(_level(spread.on_average), words[spread.on_average] % values)


def _slope(spread: SpreadFigures) -> Statement:
    words = {
        ScoreFit.FITS: gettext(
            "Differences between scores are right: a point more from the model is %(found)s points from people."
        ),
        ScoreFit.UNKNOWN: gettext(
            "Too few photos to tell whether differences between scores are right: a point more from the model is "
            "%(found)s points from people."
        ),
        ScoreFit.ABOVE: gettext(
            "Differences between scores are too small: a point more from the model is %(found)s points from people."
        ),
        ScoreFit.BELOW: gettext(
            "Differences between scores are too large: a point more from the model is %(found)s points from people."
        ),
    }
    return Statement(_level(spread.of_slope), words[spread.of_slope] % {"found": interval_text(spread.slope)})


def _spread(spread: SpreadFigures) -> Statement:
    words = {
        ScoreFit.FITS: gettext(
            "Scores use the scale as people do: they are spread %(found)s times as widely as people's opinions."
        ),
        ScoreFit.UNKNOWN: gettext(
            "Too few photos to tell whether scores use the scale as people do: %(found)s times as widely as people's "
            "opinions."
        ),
        ScoreFit.BELOW: gettext(
            "Scores use too little of the scale: they are spread %(found)s times as widely as people's opinions."
        ),
        ScoreFit.ABOVE: gettext(
            "Scores use too much of the scale: they are spread %(found)s times as widely as people's opinions."
        ),
    }
    return Statement(_level(spread.of_spread), words[spread.of_spread] % {"found": interval_text(spread.spread)})


def _level(fit: ScoreFit) -> Level:
    return {ScoreFit.FITS: Level.YES, ScoreFit.UNKNOWN: Level.UNKNOWN}.get(fit, Level.NO)


def _ends(spread: SpreadFigures) -> list[Statement]:
    """Return what the model does with the best and the worst photos, where it is clear that it does something."""
    best, worst = spread.best, spread.worst
    best_words = (
        gettext("It overrates the best fifth of the photos by %(size)s points.")
        if best.value > 0
        else gettext("It underrates the best fifth of the photos by %(size)s points.")
    )
    worst_words = (
        gettext("It overrates the worst fifth of the photos by %(size)s points.")
        if worst.value > 0
        else gettext("It underrates the worst fifth of the photos by %(size)s points.")
    )
    return [
        Statement(Level.NO, words % {"size": _size(found)})
        for found, words in ((best, best_words), (worst, worst_words))
        if found.low > spread.margin or found.high < -spread.margin
    ]


def _size(found: Interval) -> str:
    ends = sorted((abs(found.low), abs(found.high)))
    return f"{abs(found.value):.1f} ({ends[0]:.1f}–{ends[1]:.1f})"


def _p(p: float) -> str:
    return f"{p:.3f}"
