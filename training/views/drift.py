"""The newest drift check of a campaign, as the models page shows it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.dateformat import format as date_format
from django.utils.translation import gettext

from annotation.drawing.axis import Tick, round_ticks
from annotation.drawing.lines import Line, lines
from annotation.drawing.svg import Svg
from annotation.models import Campaign
from training.evaluation.drift import FEWEST_GROUPS, Compared, Drift, DriftVerdict, drift_sentence
from training.models import DriftCheck


@dataclass(frozen=True)
class DriftPart:
    """A check with its sentences and its chart."""

    check: DriftCheck
    is_drift: bool
    """Whether the photos or their scores differ from those that the champion has learned from: a reason to train."""
    sentences: list[str]
    chart: Svg | str
    """Mean predicted score by week; "" with fewer than two weeks."""
    groups_needed: int = FEWEST_GROUPS
    """How many groups of new photos must have answers before drift starts a run."""


def drift_part(campaign: Campaign) -> DriftPart | None:
    """Return the newest check; None before the first one, and for a former champion (one query)."""
    checks = DriftCheck.objects.filter(campaign=campaign, model_version__is_champion=True)
    check = checks.select_related("model_version").first()
    if check is None:
        return None
    tests = {Compared.PHOTOS: Drift.from_json(check.photos), Compared.SCORES: Drift.from_json(check.scores)}
    return DriftPart(
        check,
        any(test.verdict == DriftVerdict.DRIFT for test in tests.values()),
        [drift_sentence(test, what=what) for what, test in tests.items()],
        _chart(check.weeks),
    )


def _chart(weeks: list[dict[str, Any]]) -> Svg | str:
    shown = [week for week in weeks if week["low"] is not None]
    if len(shown) < 2:
        return ""
    xs = [-float(week["ago"]) for week in shown]
    mean, low, high = ([week[name] for week in shown] for name in ("mean", "low", "high"))
    room = max(0.1, 0.1 * (max(high) - min(low)))
    ends = min(low) - room, max(high) + room
    until = [date_format(date.fromisoformat(week["until"]), "j M") for week in (shown[0], shown[-1])]
    return lines(
        name=gettext(
            "Mean predicted score of each week's photos, from %(first)s in the week until %(first_day)s to %(last)s in "
            "the week until %(last_day)s, with 95 %% intervals"
        )
        % {
            "first": f"{mean[0]:.2f}",
            "first_day": until[0],
            "last": f"{mean[-1]:.2f}",
            "last_day": until[1],
        },
        lines=[Line("validation", xs, mean), Line("train", xs, low), Line("train", xs, high)],
        x_range=(xs[0], xs[-1]),
        y_range=ends,
        x_ticks=[Tick(xs[0], until[0]), Tick(xs[-1], until[1])],
        y_ticks=round_ticks(*ends, at_most=5),
        x_label=gettext("last day of the week of import"),
        height=140,
    )
