"""Findings in one sentence, for the reviewers' pages."""

from collections.abc import Mapping

from annotation.language import gettext, gettext_noop, ngettext
from annotation.measures.signs import signed
from annotation.raters.anchoring import AnchoringShift


def anchoring_finding(measured: AnchoringShift) -> str:
    """Return how much seeing the prediction first changes scores; the interval decides whether the effect is clear."""
    shift = measured.shift
    values = {
        "low": _signed(shift.low),
        "high": _signed(shift.high),
        "photos": f"{measured.photos:,}",
        "points": f"{abs(shift.value):.1f}",
        "share": f"{100 * measured.share_of_distance:.0f}",
    }
    if shift.low > 0 and measured.share_of_distance < 1:
        words = gettext(
            "Seeing the prediction first moves scores %(points)s points (%(share)s %% of the distance) towards it "
            "(95 %%: %(low)s to %(high)s points), n = %(photos)s photos"
        )
    elif shift.low > 0:
        words = gettext(
            "Seeing the prediction first moves scores %(points)s points towards it (95 %%: %(low)s to %(high)s "
            "points), n = %(photos)s photos"
        )
    elif shift.high < 0:
        words = gettext(
            "Seeing the prediction first moves scores %(points)s points away from it (95 %%: %(low)s to %(high)s "
            "points), n = %(photos)s photos"
        )
    else:
        values["points"] = _signed(shift.value)
        words = gettext(
            "No clear effect of seeing the prediction first: %(points)s points (95 %%: %(low)s to %(high)s points), "
            "n = %(photos)s photos"
        )
    return words % values


def rater_finding(flagged: int, unknown: int, annotators: int) -> str:
    """Return how many of the annotators have issues, and how many have too few answers to tell, as a sentence."""
    values = {"flagged": flagged, "unknown": unknown, "people": f"{annotators:,}", "known": f"{annotators - unknown:,}"}
    if not annotators:
        return gettext("No answers yet")
    if unknown == annotators:
        return (
            ngettext(
                "Not enough answers to tell how %(people)s annotator rates",
                "Not enough answers to tell how %(people)s annotators rate",
                annotators,
            )
            % values
        )
    if not flagged:
        found = ngettext(
            "No issues found for %(known)s annotator", "No issues found for %(known)s annotators", annotators - unknown
        )
    elif annotators == 1:
        found = gettext("1 of 1 annotator has issues")
    else:
        found = ngettext(
            "%(flagged)s of %(people)s annotators has issues",
            "%(flagged)s of %(people)s annotators have issues",
            flagged,
        )
    rest = gettext("for %(unknown)s there are not enough answers to tell") % values
    return f"{found % values}; {rest}" if unknown else found % values


def evaluation_age(*, newer: int, counted_then: int, counted_now: int) -> str:
    """Return how the holdout votes have changed since an evaluation, as a sentence; '' if they have not.

    `newer` is the number of votes that came later, including corrections. `counted_then` and `counted_now` are the
    numbers of votes that counted at the evaluation and that count now.
    """
    if newer:
        words = ngettext(
            "Measured before %(newer)s newer holdout vote", "Measured before %(newer)s newer holdout votes", newer
        )
        return words % {"newer": f"{newer:,}"}
    if counted_now != counted_then:
        return gettext("Measured on %(then)s holdout votes, of which %(now)s still count") % {
            "then": f"{counted_then:,}",
            "now": f"{counted_now:,}",
        }
    return ""


#: Names of the settings of an evaluation (`ScaleAndThresholds`) in sentences.
_SETTINGS = {
    "lowest": gettext_noop("lowest score %(then)s, now %(now)s"),
    "reject_at": gettext_noop("rejected up to %(then)s, now %(now)s"),
    "pending_at": gettext_noop("pending up to %(then)s, now %(now)s"),
    "watch_threshold": gettext_noop("watch threshold %(then)s, now %(now)s"),
}


def evaluation_settings_changed(then: Mapping[str, float], now: Mapping[str, float]) -> str:
    """Return which settings differ from those of an evaluation, as a sentence; '' if none does.

    `then` is empty in evaluations from before the settings were stored.
    """
    if not then:
        return gettext("Measured with unknown class limits and watch threshold, because it is an old evaluation")
    changed = [
        gettext(words) % {"then": f"{then[name]:g}", "now": f"{now[name]:g}"}
        for name, words in _SETTINGS.items()
        if then[name] != now[name]
    ]
    return gettext("Measured with other settings (%(changed)s)") % {"changed": "; ".join(changed)} if changed else ""


def _signed(value: float) -> str:
    return signed(value, 1)
