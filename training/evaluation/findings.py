"""Findings in one sentence, for the reviewers' pages."""

from collections.abc import Mapping

from annotation.measures.signs import signed
from annotation.raters.anchoring import AnchoringShift


def anchoring_finding(measured: AnchoringShift) -> str:
    """Return how much seeing the prediction first changes scores; the interval decides whether the effect is clear."""
    shift = measured.shift
    interval = f"95 %: {_signed(shift.low)} to {_signed(shift.high)} points"
    if shift.low > 0:
        part = f" ({100 * measured.share_of_distance:.0f} % of the distance)" if measured.share_of_distance < 1 else ""
        verdict = f"Seeing the prediction first moves scores {shift.value:.1f} points{part} towards it"
    elif shift.high < 0:
        verdict = f"Seeing the prediction first moves scores {-shift.value:.1f} points away from it"
    else:
        verdict = f"No clear effect of seeing the prediction first: {_signed(shift.value)} points"
    return f"{verdict} ({interval}), n = {measured.photos:,} photos"


def rater_finding(flagged: int, unknown: int, annotators: int) -> str:
    """Return how many of the annotators have issues, and how many have too few answers to tell, as a sentence."""
    if not annotators:
        return "No answers yet"
    if unknown == annotators:
        return f"Not enough answers to tell how {_people(annotators)} rate{'s' if annotators == 1 else ''}"
    rest = f"; for {unknown} there are not enough answers to tell" if unknown else ""
    if not flagged:
        return f"No issues found for {_people(annotators - unknown)}{rest}"
    return f"{flagged} of {_people(annotators)} {'has' if flagged == 1 else 'have'} issues{rest}"


def evaluation_age(*, newer: int, counted_then: int, counted_now: int) -> str:
    """Return how the holdout votes have changed since an evaluation, as a sentence; '' if they have not.

    `newer` is the number of votes that came later, including corrections. `counted_then` and `counted_now` are the
    numbers of votes that counted at the evaluation and that count now.
    """
    if newer:
        return f"Measured before {newer:,} newer holdout vote{'' if newer == 1 else 's'}"
    if counted_now != counted_then:
        return f"Measured on {counted_then:,} holdout votes, of which {counted_now:,} still count"
    return ""


#: Names of the settings of an evaluation (`ScaleAndThresholds`) in sentences.
_SETTINGS = {
    "lowest": "lowest score",
    "reject_at": "rejected up to",
    "pending_at": "pending up to",
    "watch_threshold": "watch threshold",
}


def evaluation_settings_changed(then: Mapping[str, float], now: Mapping[str, float]) -> str:
    """Return which settings differ from those of an evaluation, as a sentence; '' if none does.

    `then` is empty in evaluations from before the settings were stored.
    """
    if not then:
        return "Measured with unknown class limits and watch threshold, because it is an old evaluation"
    changed = [f"{_SETTINGS[name]} {then[name]:g}, now {now[name]:g}" for name in _SETTINGS if then[name] != now[name]]
    return f"Measured with other settings ({'; '.join(changed)})" if changed else ""


def _people(count: int) -> str:
    return f"{count:,} annotator{'' if count == 1 else 's'}"


def _signed(value: float) -> str:
    return signed(value, 1)
