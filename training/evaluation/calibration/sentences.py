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
        return "The figure is too near to the requirement for a forecast of the photos that would decide it."
    return f"About {use.needed:,} such photos would decide it, if the figure stays as it is."


def fit_statement(fit: ProbabilityFit) -> Statement:
    """Return whether the watch probabilities fit the labels of people."""
    said, seen_share = percents([fit.predicted, fit.observed], beside=[fit.predicted, fit.observed])
    mean = f"on average they say {said} %, and people say {seen_share} %"
    seen = f"odds that are off by {FACTOR:g}× would be seen in {100 * fit.power:.0f} of 100 cases"
    if fit.verdict is Fit.FITS:
        return Statement(
            Level.YES, f"Watch probabilities fit people's labels: no misfit found (p = {_p(fit.p)}), and {seen}."
        )
    if fit.verdict is Fit.UNKNOWN:
        return Statement(
            Level.UNKNOWN,
            f"Too few photos to tell whether watch probabilities fit: no misfit found (p = {_p(fit.p)}), but {seen}; "
            f"{100 * ENOUGH_POWER:.0f} are required.",
        )
    if fit.fault in (Fault.TOO_SURE, Fault.NOT_SURE):
        return Statement(Level.NO, f"Watch probabilities lie {fit.fault} (p = {_p(fit.p)}); {mean}.")
    return Statement(Level.NO, f"Watch probabilities are {fit.fault} (p = {_p(fit.p)}): {mean}{_odds(fit.odds)}.")


def spread_statements(spread: SpreadFigures) -> list[Statement]:
    """Return whether scores are right on average, over the scale, and at its ends."""
    return [_average(spread), _slope(spread), _spread(spread), *_ends(spread)]


def _average(spread: SpreadFigures) -> Statement:
    found = f"{signed_text(spread.bias, 2)} points"
    match spread.on_average:
        case ScoreFit.FITS:
            return Statement(Level.YES, f"Scores are right on average: {found}, within ±{spread.margin:.2f}.")
        case ScoreFit.UNKNOWN:
            text = f"Too few photos to tell whether scores are right on average: {found}"
            return Statement(Level.UNKNOWN, f"{text}; the margin is ±{spread.margin:.2f}.")
        case side:
            word = "high" if side is ScoreFit.ABOVE else "low"
            return Statement(Level.NO, f"Scores are too {word} on average: {found}.")


def _slope(spread: SpreadFigures) -> Statement:
    found = f"a point more from the model is {interval_text(spread.slope)} points from people"
    match spread.of_slope:
        case ScoreFit.FITS:
            return Statement(Level.YES, f"Differences between scores are right: {found}.")
        case ScoreFit.ABOVE:
            return Statement(Level.NO, f"Differences between scores are too small: {found}.")
        case ScoreFit.BELOW:
            return Statement(Level.NO, f"Differences between scores are too large: {found}.")
    return Statement(Level.UNKNOWN, f"Too few photos to tell whether differences between scores are right: {found}.")


def _spread(spread: SpreadFigures) -> Statement:
    found = f"{interval_text(spread.spread)} times as widely as people's opinions"
    match spread.of_spread:
        case ScoreFit.FITS:
            return Statement(Level.YES, f"Scores use the scale as people do: they are spread {found}.")
        case ScoreFit.BELOW:
            return Statement(Level.NO, f"Scores use too little of the scale: they are spread {found}.")
        case ScoreFit.ABOVE:
            return Statement(Level.NO, f"Scores use too much of the scale: they are spread {found}.")
    return Statement(Level.UNKNOWN, f"Too few photos to tell whether scores use the scale as people do: {found}.")


def _ends(spread: SpreadFigures) -> list[Statement]:
    """Return what the model does with the best and the worst photos, where it is clear that it does something."""
    statements = []
    for found, photos in ((spread.best, "best"), (spread.worst, "worst")):
        if found.low > spread.margin or found.high < -spread.margin:
            verb = "overrates" if found.value > 0 else "underrates"
            text = f"It {verb} the {photos} fifth of the photos by {_size(found)} points."
            statements.append(Statement(Level.NO, text))
    return statements


def _size(found: Interval) -> str:
    ends = sorted((abs(found.low), abs(found.high)))
    return f"{abs(found.value):.1f} ({ends[0]:.1f}–{ends[1]:.1f})"


def _odds(odds: Interval) -> str:
    if not odds.value > 0:
        return ""
    return f"; the odds need a factor of {interval_text(odds, 1)}"


def _p(p: float) -> str:
    return f"{p:.3f}"
