"""What a chart shows, in one sentence: the titles of the pages for reviewers."""

from collections.abc import Sequence

import numpy as np

from annotation.measures.calibration import ReliabilityBin
from annotation.measures.classification import ThresholdRow
from annotation.measures.distribution import mean_score, score_deviation
from annotation.measures.intervals import Interval
from annotation.raters.anchoring import AnchoringShift
from training.evaluation.comparison import Comparison, ScoreFigures


def figure_text(interval: Interval, digits: int = 2) -> str:
    """Return '0.71 (0.62–0.79)', or '–' for what cannot be told."""
    if np.isnan(interval.value):
        return "–"
    return f"{interval.value:.{digits}f} ({interval.low:.{digits}f}–{interval.high:.{digits}f})".replace("-", "−")


def score_finding(figures: ScoreFigures, photos: str) -> str:
    """Say whether the model scores too high or too low, and how well its order fits; `photos` names which."""
    bias = figures.bias
    if bias.low <= 0 <= bias.high:
        first = (
            f"Model scores about right on average ({_signed(bias.value)}, {_signed(bias.low)} to {_signed(bias.high)})"
        )
    else:
        first = f"Model scores {abs(bias.value):.1f} too {'high' if bias.value > 0 else 'low'} on average"
    parts = [f"{first}; rank correlation {figure_text(figures.srcc)}, n = {bias.n:,} {photos}"]
    if not np.isnan(figures.ceiling):
        parts.append(f"ceiling √rₖ {figures.ceiling:.2f}")
    return "; ".join(parts)


def spread_finding(comparison: Comparison) -> str:
    """Say whether the model spreads its scores as people do, over all photos together."""
    sums = np.array([comparison.histograms.sum(axis=0), comparison.distribution.sum(axis=0)])
    own_mean, model_mean = mean_score(sums, lowest=comparison.lowest)
    own, models = score_deviation(sums)
    if abs(models / own - 1) < 0.05 if own else models < 0.05:
        verdict = "Model spreads its scores as people do"
    else:
        verdict = f"Model spreads its scores {'more' if models > own else 'less'} than people"
    return f"{verdict}: standard deviation {models:.2f} against {own:.2f}, mean {model_mean:.2f} against {own_mean:.2f}"


def anchoring_finding(measured: AnchoringShift) -> str:
    """Say how far seeing the prediction first sways people, judged by the interval."""
    shift = measured.shift
    interval = f"95 %: {_signed(shift.low)} to {_signed(shift.high)} points"
    if shift.low > 0:
        part = f", {100 * measured.share_of_distance:.0f} % of the way," if measured.share_of_distance < 1 else ""
        verdict = f"Seeing the prediction first pulls scores {shift.value:.1f} points{part} towards it"
    elif shift.high < 0:
        verdict = f"Seeing the prediction first pushes scores {-shift.value:.1f} points away from it"
    else:
        verdict = f"No clear pull of the prediction so far: {_signed(shift.value)} points"
    return f"{verdict} ({interval}), n = {measured.photos:,} photos"


def rater_finding(flagged: int, annotators: int) -> str:
    """Say how many annotators a reviewer should look at, of all who answered."""
    if not annotators:
        return "Nobody has answered yet"
    if not flagged:
        return f"No issues found for {_people(annotators)}"
    return f"{flagged} of {_people(annotators)} {'has' if flagged == 1 else 'have'} issues"


def reliability_finding(bins: Sequence[ReliabilityBin], brier: float, error: float) -> str:
    """Say whether the watch probabilities mean what they say, judged by the bins' intervals."""
    total = sum(one.n for one in bins)
    above = sum(one.n for one in bins if one.predicted > one.observed.high)
    below = sum(one.n for one in bins if one.predicted < one.observed.low)
    if max(above, below) * 4 < total:
        verdict = "Watch probabilities fit what people say"
    elif above > below:
        verdict = f"Watch probabilities are too high for {100 * above / total:.0f} % of the photos"
    else:
        verdict = f"Watch probabilities are too low for {100 * below / total:.0f} % of the photos"
    return f"{verdict}; Brier score {brier:.3f}, calibration error {error:.3f}, n = {total:,} photos"


def threshold_finding(rows: Sequence[ThresholdRow], chosen: float, at_chosen: ThresholdRow) -> str:
    """Say which threshold has the best F1, and what the campaign's own threshold reaches."""
    rated = [row for row in rows if not np.isnan(row.f1)]
    if not rated:
        return f"At the threshold {chosen:g}, accuracy is {at_chosen.accuracy:.2f}; there is no watch to find"
    best = max(rated, key=lambda row: row.f1)
    if at_chosen.f1 >= best.f1 - 0.005:
        return f"The campaign's threshold {chosen:g} is as good as any: F1 {at_chosen.f1:.2f}"
    return (
        f"F1 is best at the threshold {best.threshold:g}: {best.f1:.2f}; "
        f"the campaign's {chosen:g} reaches {at_chosen.f1:.2f}"
    )


def evaluation_age(*, newer: int, counted_then: int, counted_now: int) -> str:
    """Say how the holdout votes have changed since an evaluation; '' when it counted those of today.

    `newer` votes came later, corrections among them; `counted_then` and `counted_now` are all that count.
    """
    if newer:
        return f"Measured before {newer:,} newer holdout vote{'' if newer == 1 else 's'}"
    if counted_now != counted_then:
        return f"Measured on {counted_then:,} holdout votes, of which {counted_now:,} still count"
    return ""


def _people(count: int) -> str:
    return f"{count:,} annotator{'' if count == 1 else 's'}"


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")
