"""A learning curve in words. Imports no torch and no SciPy."""

from dataclasses import dataclass
from enum import StrEnum

from annotation.measures.intervals import Interval
from annotation.measures.signs import signed
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
    CurveVerdict.HELP: "More answers still help",
    CurveVerdict.LITTLE: "More answers would help little",
    CurveVerdict.UNKNOWN: "Cannot tell whether more answers help",
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
        f"The last {STEP} answers: {_gain(report.srcc_last, report.rps_last, newest)}.",
        f"Forecast for the next {STEP}, to further photos of the same kind: "
        f"{_gain(report.srcc_next, report.rps_next, newest)}.",
    ]
    if verdict == CurveVerdict.LITTLE:
        sentences.append(
            f"Both are less than {margin:g} in SRCC and {margin:.1%} of the RPS, which this campaign counts as no "
            "difference."
        )
    elif verdict == CurveVerdict.UNKNOWN:
        sentences.append("The interval contains zero: with more answers it becomes narrower.")
    method = (
        f"{report.total:,} answers to {report.photos:,} train photos in {report.groups:,} groups of near-duplicates, "
        f"given without seeing a prediction. Ridge regression learned from random photos of {report.folds - 1} of "
        f"{report.folds} parts and predicted the votes of the part that was left out. The holdout was not looked at. "
        "95 % intervals; the gains come from curves a − b/√n and a + b·log n through the points with the most answers."
    )
    return CurveWords(verdict, _TITLES[verdict], sentences, method)


def _gain(srcc: Interval, rps: Interval, newest: float) -> str:
    return (
        f"SRCC {signed(srcc.value, 3)} ({signed(srcc.low, 3)} to {signed(srcc.high, 3)}), RPS better by "
        f"{signed(100 * rps.value / newest, 1)} % ({signed(100 * rps.low / newest, 1)} to "
        f"{signed(100 * rps.high / newest, 1)} %)"
    )
