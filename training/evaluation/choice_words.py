"""The page Next photos in words: whether the choice pays, and when to stop. Pure; imports no torch and no SciPy."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from annotation.language import gettext
from annotation.measures.intervals import Interval
from annotation.measures.signs import ends_shown, signed, span_shown
from training.evaluation.curve_gain import CurveReport
from training.evaluation.curve_words import CurveVerdict, curve_verdict
from training.evaluation.learning_curve import STEP
from training.evaluation.order_curve import OrderCurve, OrderTask


class Pays(StrEnum):
    """Whether a choice pays."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Stop(StrEnum):
    """What to do with a campaign."""

    GO_ON = "go on"
    STOP = "stop"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Words:
    """A verdict with its reasons."""

    decision: str
    title: str
    sentences: list[str]


@dataclass(frozen=True)
class VotesNeeded:
    """What people still have to do, by the campaign's targets or its fixed number of votes."""

    votes: int
    hours: float | None
    """At the present pace; None when it is unknown."""
    photos: int
    """Photos that still miss a target, or their votes."""
    half_width: float
    """The target of the interval, points; 0: none."""
    watch: float
    """The target of the watch label; 0: none."""


def pays(curve: OrderCurve) -> Pays:
    """Return whether the interval of the gain lies on one side of zero."""
    if curve.gain.low > 0:
        return Pays.YES
    return Pays.NO if curve.gain.high < 0 else Pays.UNKNOWN


def order_words(curve: OrderCurve, *, seconds_per_answer: float | None) -> Words:
    """Return what the comparison of both orders says about one task."""
    decision = pays(curve)
    of_score = curve.task == OrderTask.SCORE
    titles = {
        Pays.YES: gettext("The choice pays for scores") if of_score else gettext("The choice pays for watches"),
        Pays.NO: gettext("For scores, random photos teach more")
        if of_score
        else gettext("For watches, random photos teach more"),
        Pays.UNKNOWN: gettext("Cannot tell whether the choice pays for scores")
        if of_score
        else gettext("Cannot tell whether the choice pays for watches"),
    }
    sentences = [_gain(curve)]
    if decision == Pays.UNKNOWN:
        sentences.append(gettext("The interval contains zero. It becomes narrower with more answers to random photos."))
    sentences.append(_saved(curve, decision, seconds_per_answer))
    return Words(decision, titles[decision], sentences)


def _gain(curve: OrderCurve) -> str:
    gain, is_lower = curve.gain, curve.gain.value >= 0
    low, high = (gain.low, gain.high) if is_lower else (-gain.high, -gain.low)
    words = (
        gettext(
            "After %(answers)s answers in the order of the queue, the %(error)s of predictions is %(gain)s %% lower "
            "(%(interval)s) than after as many answers to random photos."
        )
        if is_lower
        else gettext(
            "After %(answers)s answers in the order of the queue, the %(error)s of predictions is %(gain)s %% higher "
            "(%(interval)s) than after as many answers to random photos."
        )
    )
    return words % {
        "answers": f"{curve.equal:,.0f}",
        "error": gettext("squared error") if curve.task == OrderTask.SCORE else gettext("Brier score"),
        "gain": f"{100 * abs(gain.value):.0f}",
        "interval": ends_shown(_percent(low), _percent(high)),
    }


def _saved(curve: OrderCurve, decision: Pays, seconds_per_answer: float | None) -> str:
    saved = curve.saved
    if decision == Pays.UNKNOWN or saved is None:
        return gettext("Votes and hours saved: cannot tell.")
    words = gettext("Votes saved out of %(answers)s: %(saved)s (%(interval)s).") % {
        "answers": f"{curve.equal:,.0f}",
        "saved": f"{saved.value:,.0f}".replace("-", "−"),
        "interval": ends_shown(f"{saved.low:.0f}", f"{saved.high:.0f}"),
    }
    if seconds_per_answer is None:
        return words
    hours = [one * seconds_per_answer / 3600 for one in (saved.value, saved.low, saved.high)]
    return (
        words
        + " "
        + gettext("At %(seconds)s s an answer this is %(hours)s hours (%(interval)s).")
        % {
            "seconds": f"{seconds_per_answer:.1f}",
            "hours": f"{hours[0]:.1f}".replace("-", "−"),
            "interval": ends_shown(f"{hours[1]:.1f}", f"{hours[2]:.1f}"),
        }
    )


def choice_title(words: Sequence[Words]) -> str:
    """Return the verdict over all tasks, from those of the single tasks."""
    if not words:
        return gettext("Cannot tell yet whether the choice pays")
    found = {one.decision for one in words}
    if found == {Pays.YES}:
        return gettext("The choice pays")
    if Pays.NO in found and Pays.YES not in found:
        return gettext("The choice does not pay")
    if Pays.YES in found:
        return next(one.title for one in words if one.decision == Pays.YES)
    return gettext("Cannot tell whether the choice pays")


def stop_words(needed: VotesNeeded, report: CurveReport | None, *, margin: float) -> Words:
    """Return when to stop and why.

    report: the learning curve, None if it was not measured; margin: as for `curve_verdict`.
    """
    verdict = None if report is None else curve_verdict(report, margin=margin)
    sentences = [_people(needed)]
    if report is None:
        sentences.append(gettext("Whether more votes help the model is not measured yet."))
    else:
        sentences.append(_model(report.srcc_last, verdict))
    return Words(*_decision(needed, verdict), sentences)


def _decision(needed: VotesNeeded, verdict: CurveVerdict | None) -> tuple[str, str]:
    has_target = needed.half_width > 0 or needed.watch > 0
    if needed.votes == 0 and verdict == CurveVerdict.HELP:
        return Stop.GO_ON, gettext("Every photo has its votes; more photos would still help the model")
    if needed.votes == 0:
        return Stop.STOP, gettext("You can stop: every photo has the votes that it needs")
    if verdict == CurveVerdict.LITTLE:
        if has_target:
            return Stop.GO_ON, gettext("The model hardly needs more votes; go on only for the intervals of the photos")
        return Stop.STOP, gettext("You can stop: more votes hardly help the model")
    if verdict == CurveVerdict.HELP:
        return Stop.GO_ON, gettext("Go on: more votes still help the model")
    return Stop.UNKNOWN, gettext("Go on: nothing says yet that you can stop")


def _people(needed: VotesNeeded) -> str:
    values = {"photos": f"{needed.photos:,}", "votes": f"{needed.votes:,}", "width": f"{needed.half_width:g}"}
    if needed.votes == 0:
        return gettext("No photo misses votes.")
    if needed.half_width:
        words = gettext(
            "Stop when the interval of every photo is within ± %(width)s points: %(photos)s photos still miss it, "
            "which takes about %(votes)s votes"
        )
    elif needed.watch:
        words = gettext(
            "Stop when the watch label of every photo is certain enough: %(photos)s photos still miss it, which takes "
            "about %(votes)s votes"
        )
    else:
        words = gettext("Stop when every photo has its votes: %(photos)s photos still miss %(votes)s votes")
    ended = f"{words % values}."
    if needed.hours is None:
        return ended
    if needed.hours < 1:
        return f"{ended} {gettext('At the present pace this is %(minutes)s minutes.')}" % {
            "minutes": ceil(60 * needed.hours)
        }
    return f"{ended} {gettext('At the present pace this is %(hours)s hours.')}" % {"hours": f"{needed.hours:.1f}"}


def _model(gain: Interval, verdict: CurveVerdict | None) -> str:
    values = {
        "step": STEP,
        "gain": signed(gain.value, 3),
        "interval": span_shown(signed(gain.low, 3), signed(gain.high, 3)),
    }
    if verdict == CurveVerdict.LITTLE:
        return (
            gettext("The last %(step)s answers gained %(gain)s SRCC (%(interval)s): more votes hardly help the model.")
            % values
        )
    if verdict == CurveVerdict.HELP:
        return (
            gettext("The last %(step)s answers gained %(gain)s SRCC (%(interval)s): more votes still help the model.")
            % values
        )
    return (
        gettext("The last %(step)s answers gained %(gain)s SRCC (%(interval)s): cannot tell whether more votes help.")
        % values
    )


def _percent(share: float) -> str:
    return signed(100 * share, 0)
