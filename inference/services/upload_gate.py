"""What the upload gate says about one photo: accepted, pending or rejected, with reasons.

With limits of the campaign (`inference.gallery.decisions`) the decision has a guarantee, and 'pending' and
'unsure' mean that people should decide. Without them the class limits and the watch threshold of the version decide.
Distortions are named and change no decision.
"""

from dataclasses import dataclass
from typing import Literal

from annotation.language import gettext, gettext_noop
from inference.decisions.calibration import Tolerances
from inference.decisions.limits import Decision, Limits, decide, percent_text
from inference.distortion.grades import grade_of
from inference.gallery.decisions import State
from inference.gallery.query import DISTORTIONS
from inference.scoring.rows import Cells, Rules
from inference.services.scoring_models import ScoringModel

_FAULTS = {
    "blur": gettext_noop("Blurred: %(value)s. From %(limit)s on, this is %(grade)s."),
    "noise": gettext_noop("Noisy: %(value)s. From %(limit)s on, this is %(grade)s."),
    "exposure": gettext_noop("Too dark or too bright: %(value)s. From %(limit)s on, this is %(grade)s."),
    "compression": gettext_noop("Compressed too much: %(value)s. From %(limit)s on, this is %(grade)s."),
}
_GRADES_NAMED = ("strong", "clear")


#: Why there is no guarantee, by the state of the campaign.
_NO_GUARANTEE = {
    "": gettext_noop("No guarantee: only the decisions of a campaign's champion can have one."),
    State.OFF: gettext_noop("No guarantee: the campaign states no tolerance."),
    State.WAITING: gettext_noop("No guarantee: the decision is not calibrated yet."),
    State.TOO_FEW: gettext_noop("No guarantee: there are too few audit votes to calibrate the decision."),
    State.NEW_MODEL: gettext_noop("No guarantee now: the new version is not calibrated yet."),
    State.NEW_CLASSES: gettext_noop("No guarantee now: the limits of the classes have changed since the calibration."),
    State.PAUSED: gettext_noop("No guarantee now: deciding is paused, because the calibration no longer holds."),
}


@dataclass(frozen=True)
class GateAnswer:
    """The answer about one photo. Scores are on the scale of the model, probabilities and severities 0 … 1."""

    decision: Literal["accepted", "pending", "rejected"]
    score: float
    """The predicted mean score."""
    std: float
    """Standard deviation of the predicted scores of different people."""
    interval: tuple[float, float] | None
    """Lowest and highest score under the guarantee, on the scale; None without a guarantee for scores."""
    class_probabilities: tuple[float, float, float]
    """That the score of one person is rejected, pending, accepted; adds up to one."""
    watch: Literal["yes", "no", "unsure"]
    watch_probability: float
    distortions: dict[str, float]
    """{detector: severity}; empty if they were not measured."""
    worst_distortion: str
    """The detector with the largest severity; '' if no severity is at least 'slight'."""
    reasons: tuple[str, ...]
    """Sentences in the language of the reader."""
    limits: Limits | None
    """Of the guarantee; None without one."""
    guarantee_text: str
    """What is guaranteed, or that nothing is."""

    @property
    def class_probability(self) -> float:
        """Return the probability of the class that was decided."""
        return self.class_probabilities[("rejected", "pending", "accepted").index(self.decision)]


def gate_answer(cells: Cells, model: ScoringModel) -> GateAnswer:
    """Return the answer for the row of a scored photo. The row must have no `reason`."""
    rules = model.rules
    mean, probability = _number(cells, "quality_mean"), _number(cells, "watch_probability")
    shares = class_probabilities(cells, rules)
    if model.limits is None:
        decision = _by_rules(cells, rules)
    else:
        decision = decide(model.limits, quality_mean=mean, class_probabilities=shares, watch_probability=probability)
    severities = {name: _number(cells, name) for name in DISTORTIONS if cells.get(name) is not None}
    worst = max(severities, key=severities.__getitem__, default="")
    return GateAnswer(
        decision=decision.quality,
        score=mean,
        std=_number(cells, "quality_std"),
        interval=decision.score_interval and _on_scale(decision.score_interval, rules),
        class_probabilities=shares,
        watch=decision.watch,
        watch_probability=probability,
        distortions=severities,
        worst_distortion=worst if worst and grade_of(severities[worst])[0] != "none" else "",
        reasons=(*decision.reasons, *_faults(severities)),
        limits=model.limits,
        guarantee_text=_guarantee_text(model),
    )


def class_probabilities(cells: Cells, rules: Rules) -> tuple[float, float, float]:
    """Return the probabilities that one person's score is rejected, pending and accepted, from the distribution."""
    rejected = pending = accepted = 0.0
    for score in range(rules.lowest, rules.highest + 1):
        share = _number(cells, f"q{score}")
        if score <= rules.reject_at:
            rejected += share
        elif score <= rules.pending_at:
            pending += share
        else:
            accepted += share
    total = rejected + pending + accepted or 1.0  # the shares were rounded
    return rejected / total, pending / total, accepted / total


def _by_rules(cells: Cells, rules: Rules) -> Decision:
    """Decide as the gallery does: by the class limits and the threshold."""
    mean, probability = _number(cells, "quality_mean"), _number(cells, "watch_probability")
    numbers = {"mean": f"{mean:.2f}", "low": f"{rules.reject_at:.4g}", "high": f"{rules.pending_at:.4g}"}
    quality: Literal["accepted", "pending", "rejected"]
    if mean <= rules.reject_at:
        quality, sentence = "rejected", gettext("The predicted score %(mean)s is at most %(low)s.")
    elif mean <= rules.pending_at:
        quality, sentence = "pending", gettext("The predicted score %(mean)s is above %(low)s and at most %(high)s.")
    else:
        quality, sentence = "accepted", gettext("The predicted score %(mean)s is above %(high)s.")
    is_watch = probability > rules.threshold
    watch_sentence = (
        gettext("The watch probability %(probability)s is above the threshold %(limit)s.")
        if is_watch
        else gettext("The watch probability %(probability)s is not above the threshold %(limit)s.")
    ) % {"probability": f"{probability:.3f}", "limit": f"{rules.threshold:.3f}"}
    return Decision(quality, "yes" if is_watch else "no", None, (sentence % numbers, watch_sentence))


def _faults(severities: dict[str, float]) -> list[str]:
    """Return a sentence about each distortion that people notice, the worst one first."""
    sentences = []
    for name, value in sorted(severities.items(), key=lambda one: -one[1]):
        grade, least = grade_of(value)
        if grade in _GRADES_NAMED:
            values = {"value": f"{value:.2f}", "limit": f"{least:.1f}", "grade": gettext(grade)}
            sentences.append(gettext(_FAULTS[name]) % values)
    return sentences


def _guarantee_text(model: ScoringModel) -> str:
    limits = model.limits
    if limits is None:
        return gettext(_NO_GUARANTEE.get(model.state, _NO_GUARANTEE[""]))
    return gettext(
        "Guaranteed for photos like those of the campaign, with a confidence of %(confidence)s, calibrated on "
        "%(photos)s photos: %(statements)s."
    ) % {
        "confidence": percent_text(limits.confidence),
        "photos": f"{limits.calibrated_on:,}",
        "statements": "; ".join(_statements(limits, model.tolerances)),
    }


def _statements(limits: Limits, tolerances: Tolerances | None) -> list[str]:
    """Return what is guaranteed: the tolerances of the rule that have a limit."""
    if tolerances is None:
        return []
    shares = (
        (
            limits.accept_from,
            tolerances.accepted,
            gettext("at most %(share)s of the accepted photos are not acceptable"),
        ),
        (
            limits.reject_below,
            tolerances.rejected,
            gettext("at most %(share)s of the rejected photos are wrongly rejected"),
        ),
        (limits.watch_from, tolerances.watch, gettext("at most %(share)s of the photos called a watch are none")),
        (limits.no_watch_below, tolerances.missed, gettext("at most %(share)s of the watches are called no watch")),
    )
    found = [
        sentence % {"share": f"{share:.4g} %"}
        for limit, tolerance, sentence in shares
        if limit is not None and tolerance is not None and (share := 100 * tolerance)
    ]
    if limits.half_width is not None and tolerances.score_points is not None:
        numbers = {"share": f"{100 * tolerances.score_share:.4g} %", "points": f"{tolerances.score_points:.4g}"}
        found.append(gettext("for %(share)s of the photos, the score is within %(points)s points") % numbers)
    return found


def _on_scale(interval: tuple[float, float], rules: Rules) -> tuple[float, float]:
    low, high = interval
    return max(low, float(rules.lowest)), min(high, float(rules.highest))


def _number(cells: Cells, name: str) -> float:
    value = cells[name]
    assert isinstance(value, float | int), name  # a scored photo has all numbers
    return float(value)
