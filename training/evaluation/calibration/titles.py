"""Titles of the charts of the calibration page: what was measured, with interval and n, in one sentence.

They state numbers and no verdict: whether a model fits is for tests that could have seen a misfit.
"""

from math import isfinite, isnan

from annotation.measures.group_shares import percents
from annotation.measures.intervals import Interval
from annotation.measures.signs import ends, minus, signed
from training.evaluation.calibration.quality import QualityFigures
from training.evaluation.calibration.score_line import FittedLine
from training.evaluation.calibration.vote_forecast import PIT_BINS, Coverage, PitHistogram
from training.evaluation.calibration.watch import WatchFigures
from training.evaluation.calibration.watch_curves import Plateau
from training.evaluation.calibration.watch_reliability import WatchReliability


def interval_text(found: Interval, digits: int = 2) -> str:
    """Return '0.71 (0.62–0.79)', only the value where the interval is unknown, and '–' for NaN."""
    if isnan(found.value):
        return "–"
    value = minus(f"{found.value:.{digits}f}")
    if not (isfinite(found.low) and isfinite(found.high)):
        return value
    return f"{value} ({ends(f'{found.low:.{digits}f}', f'{found.high:.{digits}f}')})"


def signed_text(found: Interval, digits: int = 1) -> str:
    """Return '−0.4 (−0.9 to +0.1)' for a difference; only the value where the interval is unknown, '–' for NaN."""
    if isnan(found.value):
        return "–"
    value = _signed(found.value, digits)
    if not (isfinite(found.low) and isfinite(found.high)):
        return value
    return f"{value} ({_signed(found.low, digits)} to {_signed(found.high, digits)})"


def percent_text(found: Interval) -> str:
    """Return '83 % (64–93 %)' for a share; only the value where the interval is unknown, '–' for NaN."""
    if isnan(found.value):
        return "–"
    if not (isfinite(found.low) and isfinite(found.high)):
        return f"{percents([found.value])[0]} %"
    value, low, high = percents([found.value, found.low, found.high])
    return f"{value} % ({low}–{high} %)"


def line_title(line: FittedLine | None, bias: Interval, photos: str) -> str:
    """Return what people say when the model says a high score; without a line, how far the model is off on average.

    `photos`: how many of which kind, such as '63 holdout photos'.
    """
    if line is None:
        return f"Model − MOS is {signed_text(bias)} points on average; n = {photos}"
    # A whole score in the upper part of what the model says.
    wanted = int(line.at[0] + 0.8 * (line.at[-1] - line.at[0]))
    place = min(range(len(line.at)), key=lambda one: abs(line.at[one] - wanted))
    said = Interval(line.value[place], line.low[place], line.high[place], 0)
    return (
        f"When the model says {line.at[place]:.1f}, people say {interval_text(said, 1)} on average; "
        f"a point more from the model is {interval_text(line.slope, 2)} points from people; n = {photos}"
    )


def residual_title(quality: QualityFigures, bias: Interval) -> str:
    """Return the mean of model − MOS, and that of the photos with the lowest and the highest predictions."""
    title = f"Model − MOS is {signed_text(bias)} points on average"
    if quality.bands:
        low, high = quality.bands[0], quality.bands[-1]
        title += (
            f"; {signed_text(low.difference)} for the {low.photos:,} lowest predictions, "
            f"{signed_text(high.difference)} for the {high.photos:,} highest"
        )
    return title


def ends_title(quality: QualityFigures) -> str:
    """Return how far off the model is on the photos that people rate highest, and what a perfect model would show."""
    top = next((end for end in quality.ends if end.is_top), None)
    if top is None:
        return f"Model − MOS over the MOS; n = {quality.photos:,} photos"
    title = (
        f"On the {top.difference.n:,} photos that people rate highest (MOS {top.mos:.1f}), "
        f"model − MOS is {signed_text(top.difference)} points"
    )
    return title if isnan(top.expected) else f"{title}; a perfect model would show {_signed(top.expected, 1)}"


def spread_title(quality: QualityFigures) -> str:
    """Return mean and spread of the votes and of the predicted distributions."""
    found = quality.moments
    return (
        f"Votes: mean {found.people_mean:.2f}, standard deviation {found.people_deviation:.2f}; "
        f"model: mean {found.model_mean:.2f}, standard deviation {found.model_deviation:.2f}; "
        f"n = {_count(quality.votes, 'vote')} on {_count(quality.photos, 'photo')}"
    )


def pit_title(pit: PitHistogram) -> str:
    """Return how many bars of the PIT histogram lie outside of their band."""
    lie = "lies" if pit.outside == 1 else "lie"
    return (
        f"{pit.outside} of {PIT_BINS} bars {lie} outside of the band of right distributions; "
        f"n = {_count(pit.votes, 'vote')} on {_count(pit.photos, 'photo')}"
    )


def coverage_title(found: Coverage) -> str:
    """Return how often an interval contains what people say, beside what the model promises."""
    interval = f"The model's {100 * found.level:.0f} % interval"
    if found.of_mos:
        return f"{interval} contains the MOS of {percent_text(found.observed)} of the photos"
    promise = f"it promises {100 * found.promised:.0f} %"
    return f"{interval} contains {percent_text(found.observed)} of the votes; {promise}"


def reliability_title(watch: WatchFigures) -> str:
    """Return how many bins lie outside of their band, and the calibration error beside that of chance."""
    if watch.reliability is None:
        return f"Too few labels for a reliability diagram: {_labelled(watch.photos, watch.watches)}"
    return reliability_text(watch.reliability, photos=watch.photos, watches=watch.watches)


def reliability_text(found: WatchReliability, *, photos: int, watches: int) -> str:
    """Return the same of a diagram of so many photos with a majority label, so many of them with a watch."""
    lie = "lies" if found.outside == 1 else "lie"
    return (
        f"{found.outside} of {len(found.bins)} bins {lie} outside of the band of right probabilities; "
        f"calibration error {found.error:.3f}, by chance up to {found.error_by_chance:.3f}; "
        f"n = {_labelled(photos, watches)}"
    )


def roc_title(watch: WatchFigures) -> str:
    """Return the ROC AUC and what the threshold in use does."""
    at = watch.at_threshold
    found = at.true_positives / watch.watches if watch.watches else float("nan")
    alarms = at.false_positives / max(watch.photos - watch.watches, 1)
    of_watches, of_others = percents([found])[0], percents([alarms])[0]
    return (
        f"ROC AUC {interval_text(watch.roc_auc)}; the threshold in use finds {of_watches} % of the watches with "
        f"{of_others} % of the other photos; n = {_labelled(watch.photos, watch.watches)}"
    )


def precision_recall_title(watch: WatchFigures) -> str:
    """Return the average precision beside that of chance."""
    curve = watch.curves.precision_recall
    area = "–" if curve is None else interval_text(curve.area)
    chance = f"chance would have {watch.base_rate.value:.2f}"
    return f"Average precision {area}; {chance}; n = {_labelled(watch.photos, watch.watches)}"


def threshold_title(watch: WatchFigures) -> str:
    """Return F1 at the threshold in use, and which thresholds F1 cannot tell apart."""
    at, plateau = watch.at_threshold, watch.curves.plateau
    if plateau is None:
        missing = "No photo shows a watch" if not watch.watches else "All photos show a watch"
        return f"{missing}, so no threshold can be chosen by these labels; n = {_labelled(watch.photos, watch.watches)}"
    ends = f"{threshold_text(plateau.low)} to {threshold_text(plateau.high)}"
    among = "is among them" if watch.threshold in plateau else f"has F1 {at.f1:.2f} and is not among them"
    return (
        f"Thresholds from {ends} cannot be told apart by F1 (best {interval_text(plateau.best)}); the one in use, "
        f"{watch.threshold:g}, {among}; n = {_labelled(watch.photos, watch.watches)}"
    )


def plateau_text(plateau: Plateau) -> str:
    """Return between which thresholds F1 is exactly the best."""
    return f"{threshold_text(plateau.best_low)} to {threshold_text(plateau.best_high)}"


def threshold_text(threshold: float) -> str:
    """Return a threshold with as many decimals as it needs near 0 and 1."""
    digits = 4 if min(threshold, 1 - threshold) < 0.01 else 3 if min(threshold, 1 - threshold) < 0.1 else 2
    return f"{threshold:.{digits}f}".rstrip("0").rstrip(".") or "0"


def confusion_title(watch: WatchFigures) -> str:
    """Return the wrong decisions at the threshold in use, with intervals."""
    missed, alarms, _found, _left = watch.cells
    others = watch.photos - watch.watches
    parts = []
    if watch.watches:
        parts.append(f"{missed.count:,} of {_count(watch.watches, 'watch', 'es')} missed ({_ends(missed.share)})")
    if others:
        what = "false alarm" if alarms.count == 1 else "false alarms"
        parts.append(f"{alarms.count:,} {what} in {others:,} other photos ({_ends(alarms.share)})")
    return f"At the threshold {watch.threshold:g}: {', '.join(parts)}"


def _signed(value: float, digits: int) -> str:
    """Return a number with its sign; what is rounded to 0 has none."""
    rounded = round(value, digits)
    return signed(rounded, digits) if rounded else f"{0:.{digits}f}"


def _ends(share: Interval) -> str:
    low, high = percents([share.low, share.high])
    return f"{low}–{high} %"


def _labelled(photos: int, watches: int) -> str:
    return f"{_count(photos, 'photo')} with a majority label, {_count(watches, 'watch', 'es')}"


def _count(number: int, what: str, plural: str = "s") -> str:
    return f"{number:,} {what}{'' if number == 1 else plural}"
