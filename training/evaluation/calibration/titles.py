"""Titles of the charts of the calibration page: what was measured, with interval and n, in one sentence.

They state numbers and no verdict: whether a model fits is for tests that could have seen a misfit.
"""

from math import isfinite, isnan

from annotation.language import gettext
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
    value = f"{100 * found.value:.0f} %"
    if not (isfinite(found.low) and isfinite(found.high)):
        return value
    return f"{value} ({100 * found.low:.0f}–{100 * found.high:.0f} %)"


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
        "When the model says %(place)s, people say %(said)s on average; a point more from the model is "
        "%(slope)s points from people; n = %(photos)s"
    ) % {
        "place": f"{line.at[place]:.1f}",
        "said": interval_text(said, 1),
        "slope": interval_text(line.slope, 2),
        "photos": photos,
    }


def residual_title(quality: QualityFigures, bias: Interval) -> str:
    """Return the mean of model − MOS, and that of the photos with the lowest and the highest predictions."""
    title = gettext("Model − MOS is %(bias)s points on average") % {"bias": signed_text(bias)}
    if quality.bands:
        low, high = quality.bands[0], quality.bands[-1]
        title += gettext(
            "; %(difference)s for the %(photos)s lowest predictions, %(difference_2)s for the %(photos_2)s highest"
        ) % {
            "difference": signed_text(low.difference),
            "photos": f"{low.photos:,}",
            "difference_2": signed_text(high.difference),
            "photos_2": f"{high.photos:,}",
        }
    return title


def ends_title(quality: QualityFigures) -> str:
    """Return how far off the model is on the photos that people rate highest, and what a perfect model would show."""
    top = next((end for end in quality.ends if end.is_top), None)
    if top is None:
        return gettext("Model − MOS over the MOS; n = %(photos)s photos") % {"photos": f"{quality.photos:,}"}
    title = gettext(
        "On the %(n)s photos that people rate highest (MOS %(mos)s), model − MOS is %(difference)s points"
    ) % {"n": f"{top.difference.n:,}", "mos": f"{top.mos:.1f}", "difference": signed_text(top.difference)}
    return (
        title
        if isnan(top.expected)
        else (
            gettext("%(title)s; a perfect model would show %(expected)s")
            % {"title": title, "expected": _signed(top.expected, 1)}
        )
    )


def spread_title(quality: QualityFigures) -> str:
    """Return mean and spread of the votes and of the predicted distributions."""
    found = quality.moments
    return gettext(
        "Votes: mean %(people_mean)s, standard deviation %(people_deviation)s; model: mean %(model_mean)s, "
        "standard deviation %(model_deviation)s; n = %(votes)s on %(photos)s"
    ) % {
        "people_mean": f"{found.people_mean:.2f}",
        "people_deviation": f"{found.people_deviation:.2f}",
        "model_mean": f"{found.model_mean:.2f}",
        "model_deviation": f"{found.model_deviation:.2f}",
        "votes": _count(quality.votes, "vote"),
        "photos": _count(quality.photos, "photo"),
    }


def pit_title(pit: PitHistogram) -> str:
    """Return how many bars of the PIT histogram lie outside of their band."""
    lie = "lies" if pit.outside == 1 else "lie"
    return gettext(
        "%(outside)s of %(pit_bins)s bars %(lie)s outside of the band of right distributions; n = %(votes)s on "
        "%(photos)s"
    ) % {
        "outside": pit.outside,
        "pit_bins": PIT_BINS,
        "lie": lie,
        "votes": _count(pit.votes, "vote"),
        "photos": _count(pit.photos, "photo"),
    }


def coverage_title(found: Coverage) -> str:
    """Return how often an interval contains what people say, beside what the model promises."""
    interval = gettext("The model's %(level)s %% interval") % {"level": f"{100 * found.level:.0f}"}
    if found.of_mos:
        return gettext("%(interval)s contains the MOS of %(observed)s of the photos") % {
            "interval": interval,
            "observed": percent_text(found.observed),
        }
    promise = gettext("it promises %(promised)s %%") % {"promised": f"{100 * found.promised:.0f}"}
    return gettext("%(interval)s contains %(observed)s of the votes; %(promise)s") % {
        "interval": interval,
        "observed": percent_text(found.observed),
        "promise": promise,
    }


def reliability_title(watch: WatchFigures) -> str:
    """Return how many bins lie outside of their band, and the calibration error beside that of chance."""
    if watch.reliability is None:
        return gettext("Too few labels for a reliability diagram: %(watches)s") % {
            "watches": _labelled(watch.photos, watch.watches)
        }
    return reliability_text(watch.reliability, photos=watch.photos, watches=watch.watches)


def reliability_text(found: WatchReliability, *, photos: int, watches: int) -> str:
    """Return the same of a diagram of so many photos with a majority label, so many of them with a watch."""
    lie = "lies" if found.outside == 1 else "lie"
    return gettext(
        "%(outside)s of %(count)s bins %(lie)s outside of the band of right probabilities; calibration error "
        "%(error)s, by chance up to %(error_by_chance)s; n = %(watches)s"
    ) % {
        "outside": found.outside,
        "count": len(found.bins),
        "lie": lie,
        "error": f"{found.error:.3f}",
        "error_by_chance": f"{found.error_by_chance:.3f}",
        "watches": _labelled(photos, watches),
    }


def roc_title(watch: WatchFigures) -> str:
    """Return the ROC AUC and what the threshold in use does."""
    at = watch.at_threshold
    found = at.true_positives / watch.watches if watch.watches else float("nan")
    alarms = at.false_positives / max(watch.photos - watch.watches, 1)
    return gettext(
        "ROC AUC %(roc_auc)s; the threshold in use finds %(found)s %% of the watches with %(alarms)s %% of the "
        "other photos; n = %(watches)s"
    ) % {
        "roc_auc": interval_text(watch.roc_auc),
        "found": f"{100 * found:.0f}",
        "alarms": f"{100 * alarms:.0f}",
        "watches": _labelled(watch.photos, watch.watches),
    }


def precision_recall_title(watch: WatchFigures) -> str:
    """Return the average precision beside that of chance."""
    curve = watch.curves.precision_recall
    area = "–" if curve is None else interval_text(curve.area)
    chance = gettext("chance would have %(value)s") % {"value": f"{watch.base_rate.value:.2f}"}
    return gettext("Average precision %(area)s; %(chance)s; n = %(watches)s") % {
        "area": area,
        "chance": chance,
        "watches": _labelled(watch.photos, watch.watches),
    }


def threshold_title(watch: WatchFigures) -> str:
    """Return F1 at the threshold in use, and which thresholds F1 cannot tell apart."""
    at, plateau = watch.at_threshold, watch.curves.plateau
    if plateau is None:
        missing = gettext("No photo shows a watch") if not watch.watches else gettext("All photos show a watch")
        return gettext("%(missing)s, so no threshold can be chosen by these labels; n = %(watches)s") % {
            "missing": missing,
            "watches": _labelled(watch.photos, watch.watches),
        }
    ends = f"{threshold_text(plateau.low)} to {threshold_text(plateau.high)}"
    among = (
        gettext("is among them")
        if watch.threshold in plateau
        else (gettext("has F1 %(f1)s and is not among them") % {"f1": f"{at.f1:.2f}"})
    )
    return gettext(
        "Thresholds from %(ends)s cannot be told apart by F1 (best %(best)s); the one in use, %(threshold)s, "
        "%(among)s; n = %(watches)s"
    ) % {
        "ends": ends,
        "best": interval_text(plateau.best),
        "threshold": f"{watch.threshold:g}",
        "among": among,
        "watches": _labelled(watch.photos, watch.watches),
    }


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
        what = gettext("false alarm") if alarms.count == 1 else gettext("false alarms")
        parts.append(
            gettext("%(count)s %(what)s in %(others)s other photos (%(share)s)")
            % {"count": f"{alarms.count:,}", "what": what, "others": f"{others:,}", "share": _ends(alarms.share)}
        )
    return gettext("At the threshold %(threshold)s: %(parts)s") % {
        "threshold": f"{watch.threshold:g}",
        "parts": ", ".join(parts),
    }


def _signed(value: float, digits: int) -> str:
    """Return a number with its sign; what is rounded to 0 has none."""
    rounded = round(value, digits)
    return signed(rounded, digits) if rounded else f"{0:.{digits}f}"


def _ends(share: Interval) -> str:
    return f"{100 * share.low:.0f}–{100 * share.high:.0f} %"


def _labelled(photos: int, watches: int) -> str:
    return gettext("%(photos)s with a majority label, %(watches)s") % {
        "photos": _count(photos, "photo"),
        "watches": _count(watches, "watch", "es"),
    }


def _count(number: int, what: str, plural: str = "s") -> str:
    return f"{number:,} {what}{'' if number == 1 else plural}"
