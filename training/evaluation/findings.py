"""Chart titles that state the finding in one sentence, for the reviewers' pages."""

from collections.abc import Mapping, Sequence

import numpy as np

from annotation.measures.calibration import ReliabilityBin
from annotation.measures.classification import ThresholdRow
from annotation.measures.distribution import mean_score, score_deviation
from annotation.measures.intervals import Interval
from annotation.measures.signs import minus, signed
from annotation.raters.anchoring import AnchoringShift
from training.evaluation.comparison import Comparison, ScoreFigures


def figure_text(interval: Interval, digits: int = 2) -> str:
    """Return '0.71 (0.62–0.79)', or '–' for NaN."""
    if np.isnan(interval.value):
        return "–"
    return minus(f"{interval.value:.{digits}f} ({interval.low:.{digits}f}–{interval.high:.{digits}f})")


def score_finding(figures: ScoreFigures, photos: str) -> str:
    """Return the bias and the rank correlation as a sentence; `photos` is the name of the compared photos."""
    bias = figures.bias
    if bias.low <= 0 <= bias.high:
        first = (
            f"Model scores about right on average ({_signed(bias.value)}, {_signed(bias.low)} to {_signed(bias.high)})"
        )
    else:
        first = f"Model scores {abs(bias.value):.1f} too {'high' if bias.value > 0 else 'low'} on average"
    parts = [f"{first}; rank correlation {figure_text(figures.srcc)}, n = {bias.n:,} {photos}"]
    if figures.ceiling.is_known:
        parts.append(f"ceiling √rₖ {figure_text(figures.ceiling.value)}")
    return "; ".join(parts)


def spread_finding(comparison: Comparison) -> str:
    """Compare the spread of the model's scores with that of the votes, over all photos together."""
    sums = np.array([comparison.histograms.sum(axis=0), comparison.distribution.sum(axis=0)])
    vote_mean, model_mean = mean_score(sums, lowest=comparison.lowest)
    votes, models = score_deviation(sums)
    if abs(models / votes - 1) < 0.05 if votes else models < 0.05:
        verdict = "Model scores are spread as widely as people's scores"
    else:
        verdict = f"Model scores are spread {'more' if models > votes else 'less'} widely than people's scores"
    return (
        f"{verdict}: standard deviation {models:.2f} against {votes:.2f}, mean {model_mean:.2f} against {vote_mean:.2f}"
    )


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


def reliability_finding(bins: Sequence[ReliabilityBin], brier: float, error: float) -> str:
    """Return whether the watch probabilities are calibrated, as a sentence; the bins' intervals decide."""
    total = sum(one.n for one in bins)
    above = sum(one.n for one in bins if one.predicted > one.observed.high)
    below = sum(one.n for one in bins if one.predicted < one.observed.low)
    if max(above, below) * 4 < total:
        verdict = "Watch probabilities agree with people's labels"
    elif above > below:
        verdict = f"Watch probabilities are too high for {100 * above / total:.0f} % of the photos"
    else:
        verdict = f"Watch probabilities are too low for {100 * below / total:.0f} % of the photos"
    return f"{verdict}; Brier score {brier:.3f}, calibration error {error:.3f}, n = {total:,} photos"


def threshold_finding(rows: Sequence[ThresholdRow], chosen: float, at_chosen: ThresholdRow) -> str:
    """Return the threshold with the best F1, and the F1 of the threshold in use, as a sentence."""
    with_f1 = [row for row in rows if not np.isnan(row.f1)]
    if not with_f1:
        return f"At the threshold {chosen:g}, accuracy is {at_chosen.accuracy:.2f}; no photo shows a watch"
    best = max(with_f1, key=lambda row: row.f1)
    if at_chosen.f1 >= best.f1 - 0.005:
        return f"The threshold in use, {chosen:g}, has the best F1: {at_chosen.f1:.2f}"
    return (
        f"F1 is best at the threshold {best.threshold:g}: {best.f1:.2f}; "
        f"at the threshold in use, {chosen:g}, it is {at_chosen.f1:.2f}"
    )


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
