"""The limits beyond which a model decides about a photo on its own, and what it decides about one photo.

Limits come from a calibration on audit votes (`inference.decisions.calibration`). A missing limit means that the audit
votes do not support such a decision, or that nobody asked for it; the decision then stays with people.
"""

from dataclasses import dataclass
from typing import Literal

from annotation.language import gettext, gettext_noop
from annotation.measures.group_shares import percents

_CLASSES = (gettext_noop("rejected"), gettext_noop("pending"), gettext_noop("accepted"))


@dataclass(frozen=True)
class Limits:
    """From where on the model decides. Scores are on the campaign's scale, probabilities 0 … 1; None: never."""

    accept_from: float | None
    """A predicted mean score of this or more is accepted."""
    reject_below: float | None
    """A predicted mean score below this is rejected."""
    watch_from: float | None
    """A watch probability of this or more is a watch."""
    no_watch_below: float | None
    """A watch probability below this is no watch."""
    half_width: float | None
    """The score is within so many points of the predicted mean, for the share of photos that the rule states."""
    confidence: float
    """Of each statement by itself, 0 … 1."""
    calibrated_on: int
    """Number of photos with audit votes, near-duplicates counted once."""

    @property
    def has_any(self) -> bool:
        """Return whether the model decides anything."""
        limits = (self.accept_from, self.reject_below, self.watch_from, self.no_watch_below, self.half_width)
        return any(limit is not None for limit in limits)


@dataclass(frozen=True)
class Decision:
    """What the model decides about one photo. 'pending' and 'unsure' leave it to people."""

    quality: Literal["accepted", "rejected", "pending"]
    watch: Literal["yes", "no", "unsure"]
    score_interval: tuple[float, float] | None
    """Lowest and highest score, on the campaign's scale, not cut at its ends; None without `half_width`."""
    reasons: tuple[str, ...]
    """One sentence about the quality and one about the watch, in the language of the reader."""


def decide(
    limits: Limits, *, quality_mean: float, class_probabilities: tuple[float, float, float], watch_probability: float
) -> Decision:
    """Return what the model decides about a photo.

    quality_mean: the predicted mean score. class_probabilities: of rejected, pending and accepted; they only go into
    the reasons, because the limits are calibrated on the predicted mean. NaN predictions are left to people.
    """
    quality: Literal["accepted", "rejected", "pending"] = "pending"
    if limits.accept_from is not None and quality_mean >= limits.accept_from:
        quality = "accepted"
    elif limits.reject_below is not None and quality_mean < limits.reject_below:
        quality = "rejected"
    watch: Literal["yes", "no", "unsure"] = "unsure"
    if limits.watch_from is not None and watch_probability >= limits.watch_from:
        watch = "yes"
    elif limits.no_watch_below is not None and watch_probability < limits.no_watch_below:
        watch = "no"
    half = limits.half_width
    interval = None if half is None else (quality_mean - half, quality_mean + half)
    reasons = (
        _quality_reason(limits, quality, quality_mean, class_probabilities),
        _watch_reason(limits, watch, watch_probability),
    )
    return Decision(quality, watch, interval, reasons)


def percent_text(share: float | None) -> str:
    """Return a share, 0 … 1, as text such as '67 %' or '0.6 %'; '' for None."""
    if share is None:
        return ""
    return f"{percents([share], digits=1 if 0 < share < 0.01 else 0)[0]} %"


def _beside(probability: float, limit: float | None) -> tuple[str, str]:
    """Return a probability and the limit that it is compared with as text, never equal unless they are."""
    if limit is None:
        return percent_text(probability), ""
    digits = 1 if min(probability, limit) < 0.01 else 0
    one, other = percents([probability, limit], beside=[probability, limit], digits=digits)
    return f"{one} %", f"{other} %"


def _scores_beside(mean: float, limit: float | None) -> dict[str, str]:
    """Return a predicted score and the limit that it is compared with as text, never equal unless they are."""
    if limit is None:
        return {"mean": f"{mean:.2f}", "limit": ""}
    digits = next((some for some in (2, 3, 4) if (round(mean, some) < round(limit, some)) == (mean < limit)), 5)
    return {"mean": f"{mean:.{digits}f}", "limit": f"{limit:.{digits}f}"}


def _quality_reason(limits: Limits, quality: str, mean: float, class_probabilities: tuple[float, float, float]) -> str:
    if quality == "accepted":
        return gettext("The predicted score %(mean)s is at least %(limit)s.") % _scores_beside(mean, limits.accept_from)
    if quality == "rejected":
        return gettext("The predicted score %(mean)s is below %(limit)s.") % _scores_beside(mean, limits.reject_below)
    if limits.accept_from is None and limits.reject_below is None:
        return gettext("There are too few audit votes to decide about the quality.")
    largest = max(range(3), key=lambda place: class_probabilities[place])
    return gettext(
        "The predicted score %(mean)s is between the limits. Most likely it is %(class)s (%(share)s), which is not "
        "sure enough."
    ) % {
        "mean": f"{mean:.2f}",
        "class": gettext(_CLASSES[largest]),
        "share": percent_text(class_probabilities[largest]),
    }


def _watch_reason(limits: Limits, watch: str, probability: float) -> str:
    if watch == "yes":
        said, limit = _beside(probability, limits.watch_from)
        return gettext("The watch probability %(probability)s is at least %(limit)s.") % {
            "probability": said,
            "limit": limit,
        }
    if watch == "no":
        said, limit = _beside(probability, limits.no_watch_below)
        return gettext("The watch probability %(probability)s is below %(limit)s.") % {
            "probability": said,
            "limit": limit,
        }
    if limits.watch_from is None and limits.no_watch_below is None:
        return gettext("There are too few audit votes to decide about the watch.")
    return gettext("The watch probability %(probability)s is not sure enough.") % {
        "probability": percent_text(probability)
    }
