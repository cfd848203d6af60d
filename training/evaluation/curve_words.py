"""A learning curve in words. Imports no torch and no SciPy."""

from dataclasses import dataclass
from enum import StrEnum

from annotation.language import gettext, gettext_noop
from annotation.measures.intervals import Interval
from annotation.measures.signs import signed, span_shown
from training.evaluation.curve_gain import CurveReport
from training.evaluation.learning_curve import STEP


class CurveVerdict(StrEnum):
    """What the forecast for the next answers says."""

    HELP = "more answers still help"
    LITTLE = "more answers would help little"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class CurveWords:
    """The verdict, its reasons, and how it was measured."""

    verdict: CurveVerdict
    title: str
    sentences: list[str]
    method: str


_TITLES = {
    CurveVerdict.HELP: gettext_noop("More answers still help"),
    CurveVerdict.LITTLE: gettext_noop("More answers would help little"),
    CurveVerdict.UNKNOWN: gettext_noop("Cannot tell whether more answers help"),
}


def curve_verdict(report: CurveReport, *, margin: float) -> CurveVerdict:
    """Return the verdict. `margin`: the loss that the campaign counts as not worse, in SRCC and as a share of the RPS.

    'Little' needs the whole intervals of both forecasts below the margin; 'help' needs that of the RPS above zero.
    """
    if report.rps_next.high < margin * report.newest.rps.value and report.srcc_next.high < margin:
        return CurveVerdict.LITTLE
    return CurveVerdict.HELP if report.rps_next.low > 0 else CurveVerdict.UNKNOWN


def curve_words(report: CurveReport, *, margin: float) -> CurveWords:
    """Return the curve in words; `margin` as for `curve_verdict`."""
    verdict = curve_verdict(report, margin=margin)
    newest = report.newest.rps.value
    sentences = [
        gettext("The last %(step)s answers: %(gain)s.")
        % {"step": STEP, "gain": _gain(report.srcc_last, report.rps_last, newest)},
        gettext("Forecast for the next %(step)s, to further photos of the same kind: %(gain)s.")
        % {"step": STEP, "gain": _gain(report.srcc_next, report.rps_next, newest)},
    ]
    if verdict == CurveVerdict.LITTLE:
        sentences.append(
            gettext(
                "Both are less than %(margin)s in SRCC and %(share)s of the RPS, which this campaign counts as no "
                "difference."
            )
            % {"margin": f"{margin:g}", "share": f"{margin:.1%}"}
        )
    elif verdict == CurveVerdict.UNKNOWN:
        sentences.append(gettext("The interval contains zero: with more answers it becomes narrower."))
    method = gettext(
        "%(answers)s answers to %(photos)s train photos in %(groups)s groups of near-duplicates, given without seeing "
        "a prediction. Ridge regression learned from random photos of %(learned)s of %(parts)s parts and predicted the "
        "votes of the part that was left out. The holdout was not looked at. 95 %% intervals; the gains come from "
        "curves a − b/√n and a + b·log n through the points with the most answers."
    ) % {
        "answers": f"{report.total:,}",
        "photos": f"{report.photos:,}",
        "groups": f"{report.groups:,}",
        "learned": report.folds - 1,
        "parts": report.folds,
    }
    return CurveWords(verdict, gettext(_TITLES[verdict]), sentences, method)


def _gain(srcc: Interval, rps: Interval, newest: float) -> str:
    return gettext("SRCC %(srcc)s (%(srcc_interval)s), RPS better by %(rps)s %% (%(rps_interval)s %%)") % {
        "srcc": signed(srcc.value, 3),
        "srcc_interval": span_shown(signed(srcc.low, 3), signed(srcc.high, 3)),
        "rps": signed(100 * rps.value / newest, 1),
        "rps_interval": span_shown(signed(100 * rps.low / newest, 1), signed(100 * rps.high / newest, 1)),
    }
