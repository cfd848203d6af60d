"""Titles of the charts of the calibration page: what was measured, with interval and n, in one sentence.

They state numbers and no verdict: whether a model fits is for tests that could have seen a misfit.
"""

from math import isfinite, isnan

from annotation.language import gettext, ngettext
from annotation.measures.group_shares import percents
from annotation.measures.intervals import Interval
from annotation.measures.signs import ends_shown, minus, signed, span_shown
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
    return f"{value} ({ends_shown(f'{found.low:.{digits}f}', f'{found.high:.{digits}f}')})"


def signed_text(found: Interval, digits: int = 1) -> str:
    """Return '−0.4 (−0.9 to +0.1)' for a difference; only the value where the interval is unknown, '–' for NaN."""
    if isnan(found.value):
        return "–"
    value = _signed(found.value, digits)
    if not (isfinite(found.low) and isfinite(found.high)):
        return value
    return f"{value} ({span_shown(_signed(found.low, digits), _signed(found.high, digits))})"


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
        return gettext("Model − MOS is %(bias)s points on average; n = %(photos)s") % {
            "bias": signed_text(bias),
            "photos": photos,
        }
    # A whole score in the upper part of what the model says.
    wanted = int(line.at[0] + 0.8 * (line.at[-1] - line.at[0]))
    place = min(range(len(line.at)), key=lambda one: abs(line.at[one] - wanted))
    said = Interval(line.value[place], line.low[place], line.high[place], 0)
    return gettext(
        "When the model says %(model)s, people say %(people)s on average; "
        "a point more from the model is %(slope)s points from people; n = %(photos)s"
    ) % {
        "model": f"{line.at[place]:.1f}",
        "people": interval_text(said, 1),
        "slope": interval_text(line.slope, 2),
        "photos": photos,
    }


def residual_title(quality: QualityFigures, bias: Interval) -> str:
    """Return the mean of model − MOS, and that of the photos with the lowest and the highest predictions."""
    if not quality.bands:
        return gettext("Model − MOS is %(bias)s points on average") % {"bias": signed_text(bias)}
    low, high = quality.bands[0], quality.bands[-1]
    return gettext(
        "Model − MOS is %(bias)s points on average; %(low)s for the %(low_photos)s lowest predictions, "
        "%(high)s for the %(high_photos)s highest"
    ) % {
        "bias": signed_text(bias),
        "low": signed_text(low.difference),
        "low_photos": f"{low.photos:,}",
        "high": signed_text(high.difference),
        "high_photos": f"{high.photos:,}",
    }


def ends_title(quality: QualityFigures) -> str:
    """Return how far off the model is on the photos that people rate highest, and what a perfect model would show."""
    top = next((end for end in quality.ends if end.is_top), None)
    if top is None:
        return gettext("Model − MOS over the MOS; n = %(photos)s photos") % {"photos": f"{quality.photos:,}"}
    values = {"photos": f"{top.difference.n:,}", "mos": f"{top.mos:.1f}", "difference": signed_text(top.difference)}
    if isnan(top.expected):
        return (
            gettext(
                "On the %(photos)s photos that people rate highest (MOS %(mos)s), model − MOS is %(difference)s points"
            )
            % values
        )
    return gettext(
        "On the %(photos)s photos that people rate highest (MOS %(mos)s), model − MOS is %(difference)s points; "
        "a perfect model would show %(expected)s"
    ) % (values | {"expected": _signed(top.expected, 1)})


def spread_title(quality: QualityFigures) -> str:
    """Return mean and spread of the votes and of the predicted distributions."""
    found = quality.moments
    return gettext(
        "Votes: mean %(people_mean)s, standard deviation %(people_deviation)s; "
        "model: mean %(model_mean)s, standard deviation %(model_deviation)s; n = %(votes)s"
    ) % {
        "people_mean": f"{found.people_mean:.2f}",
        "people_deviation": f"{found.people_deviation:.2f}",
        "model_mean": f"{found.model_mean:.2f}",
        "model_deviation": f"{found.model_deviation:.2f}",
        "votes": _votes_on(quality.votes, quality.photos),
    }


def pit_title(pit: PitHistogram) -> str:
    """Return how many bars of the PIT histogram lie outside of their band."""
    return ngettext(
        "%(outside)s of %(bars)s bars lies outside of the band of right distributions; n = %(votes)s",
        "%(outside)s of %(bars)s bars lie outside of the band of right distributions; n = %(votes)s",
        pit.outside,
    ) % {"outside": pit.outside, "bars": PIT_BINS, "votes": _votes_on(pit.votes, pit.photos)}


def coverage_title(found: Coverage) -> str:
    """Return how often an interval contains what people say, beside what the model promises."""
    values = {"level": f"{100 * found.level:.0f}", "observed": percent_text(found.observed)}
    if found.of_mos:
        return gettext("The model's %(level)s %% interval contains the MOS of %(observed)s of the photos") % values
    return gettext(
        "The model's %(level)s %% interval contains %(observed)s of the votes; it promises %(promised)s %%"
    ) % (values | {"promised": f"{100 * found.promised:.0f}"})


def reliability_title(watch: WatchFigures) -> str:
    """Return how many bins lie outside of their band, and the calibration error beside that of chance."""
    if watch.reliability is None:
        return gettext("Too few labels for a reliability diagram: %(labelled)s") % {
            "labelled": _labelled(watch.photos, watch.watches)
        }
    return reliability_text(watch.reliability, photos=watch.photos, watches=watch.watches)


def reliability_text(found: WatchReliability, *, photos: int, watches: int) -> str:
    """Return the same of a diagram of so many photos with a majority label, so many of them with a watch."""
    return ngettext(
        "%(outside)s of %(bins)s bins lies outside of the band of right probabilities; "
        "calibration error %(error)s, by chance up to %(by_chance)s; n = %(labelled)s",
        "%(outside)s of %(bins)s bins lie outside of the band of right probabilities; "
        "calibration error %(error)s, by chance up to %(by_chance)s; n = %(labelled)s",
        found.outside,
    ) % {
        "outside": found.outside,
        "bins": len(found.bins),
        "error": f"{found.error:.3f}",
        "by_chance": f"{found.error_by_chance:.3f}",
        "labelled": _labelled(photos, watches),
    }


def roc_title(watch: WatchFigures) -> str:
    """Return the ROC AUC and what the threshold in use does."""
    at = watch.at_threshold
    found = at.true_positives / watch.watches if watch.watches else float("nan")
    alarms = at.false_positives / max(watch.photos - watch.watches, 1)
    of_watches, of_others = percents([found])[0], percents([alarms])[0]
    return gettext(
        "ROC AUC %(area)s; the threshold in use finds %(of_watches)s %% of the watches with "
        "%(of_others)s %% of the other photos; n = %(labelled)s"
    ) % {
        "area": interval_text(watch.roc_auc),
        "of_watches": of_watches,
        "of_others": of_others,
        "labelled": _labelled(watch.photos, watch.watches),
    }


def precision_recall_title(watch: WatchFigures) -> str:
    """Return the average precision beside that of chance."""
    curve = watch.curves.precision_recall
    area = "–" if curve is None else interval_text(curve.area)
    return gettext("Average precision %(area)s; chance would have %(chance)s; n = %(labelled)s") % {
        "area": area,
        "chance": f"{watch.base_rate.value:.2f}",
        "labelled": _labelled(watch.photos, watch.watches),
    }


def threshold_title(watch: WatchFigures) -> str:
    """Return F1 at the threshold in use, and which thresholds F1 cannot tell apart."""
    at, plateau = watch.at_threshold, watch.curves.plateau
    if plateau is None:
        words = (
            gettext("All photos show a watch, so no threshold can be chosen by these labels; n = %(labelled)s")
            if watch.watches
            else gettext("No photo shows a watch, so no threshold can be chosen by these labels; n = %(labelled)s")
        )
        return words % {"labelled": _labelled(watch.photos, watch.watches)}
    words = (
        gettext(
            "Thresholds from %(low)s to %(high)s cannot be told apart by F1 (best %(best)s); the one in use, "
            "%(threshold)s, is among them; n = %(labelled)s"
        )
        if watch.threshold in plateau
        else gettext(
            "Thresholds from %(low)s to %(high)s cannot be told apart by F1 (best %(best)s); the one in use, "
            "%(threshold)s, has F1 %(f1)s and is not among them; n = %(labelled)s"
        )
    )
    return words % {
        "low": threshold_text(plateau.low),
        "high": threshold_text(plateau.high),
        "best": interval_text(plateau.best),
        "threshold": f"{watch.threshold:g}",
        "f1": f"{at.f1:.2f}",
        "labelled": _labelled(watch.photos, watch.watches),
    }


def plateau_text(plateau: Plateau) -> str:
    """Return between which thresholds F1 is exactly the best."""
    return span_shown(threshold_text(plateau.best_low), threshold_text(plateau.best_high))


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
        parts.append(
            ngettext(
                "%(missed)s of %(watches)s watch missed (%(share)s)",
                "%(missed)s of %(watches)s watches missed (%(share)s)",
                watch.watches,
            )
            % {"missed": f"{missed.count:,}", "watches": f"{watch.watches:,}", "share": _ends(missed.share)}
        )
    if others:
        parts.append(
            ngettext(
                "%(alarms)s false alarm in %(others)s other photos (%(share)s)",
                "%(alarms)s false alarms in %(others)s other photos (%(share)s)",
                alarms.count,
            )
            % {"alarms": f"{alarms.count:,}", "others": f"{others:,}", "share": _ends(alarms.share)}
        )
    return gettext("At the threshold %(threshold)s: %(found)s") % {
        "threshold": f"{watch.threshold:g}",
        "found": ", ".join(parts),
    }


def _signed(value: float, digits: int) -> str:
    """Return a number with its sign; what is rounded to 0 has none."""
    rounded = round(value, digits)
    return signed(rounded, digits) if rounded else f"{0:.{digits}f}"


def _ends(share: Interval) -> str:
    low, high = percents([share.low, share.high])
    return f"{low}–{high} %"


def _labelled(photos: int, watches: int) -> str:
    labelled = ngettext("%(photos)s photo with a majority label", "%(photos)s photos with a majority label", photos) % {
        "photos": f"{photos:,}"
    }
    shown = ngettext("%(watches)s watch", "%(watches)s watches", watches) % {"watches": f"{watches:,}"}
    return f"{labelled}, {shown}"


def _votes_on(votes: int, photos: int) -> str:
    """Return '305 votes on 93 photos'."""
    where = ngettext("on %(photos)s photo", "on %(photos)s photos", photos) % {"photos": f"{photos:,}"}
    return f"{ngettext('%(votes)s vote', '%(votes)s votes', votes) % {'votes': f'{votes:,}'}} {where}"
