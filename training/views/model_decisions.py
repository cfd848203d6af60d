"""The page Decide for me: what the model decides with a stated error, how well it does, and the rule."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.drawing.axis import Tick, round_ticks
from annotation.drawing.lines import Line, lines
from annotation.drawing.svg import Svg
from annotation.form_fields import PercentField
from annotation.measures.group_shares import percents
from annotation.models import Campaign, Role, User
from annotation.tasks import announce
from inference.decisions.calibration import Achieved, Checked, Finding, Statement, Tolerances
from inference.gallery.decisions import Deciding, State, deciding
from inference.models import DecisionRule, DecisionRun
from inference.services.decision_rules import decision_rule_set
from inference.tasks import priorities_run
from training.tasks import MESSAGE_SECONDS, decisions_run

_CHECKS = 60  # days of the trend
_SAID_BY = ("people", "both", "model", "nobody")


@dataclass(frozen=True)
class Row:
    """One statement as the page shows it."""

    sentence: str
    result: str
    """What the audit photos support."""
    limit: str
    decided: float | None
    """Percent of all photos; None without a limit."""
    fresh: str
    is_broken: bool


@dataclass(frozen=True)
class Bar:
    """Who has said something about one question, in photos."""

    title: str
    parts: list[tuple[str, str, int, float, float]]
    """(kind, label, photos, where it begins in percent, its width in percent)."""


class RuleForm(forms.Form):
    """What the model may decide."""

    is_on = forms.BooleanField(label=gettext_lazy("Let the model decide what it can"), required=False)
    accepted = PercentField(
        label=gettext_lazy("Accepted photos that are not acceptable, at most"), required=False, most=50
    )
    rejected = PercentField(
        label=gettext_lazy("Rejected photos that should not be rejected, at most"), required=False, most=50
    )
    watch = PercentField(label=gettext_lazy("'Watch' that is no watch, at most"), required=False, most=50)
    missed = PercentField(label=gettext_lazy("Watches that are missed, at most"), required=False, most=50)
    score_points = forms.FloatField(label=gettext_lazy("Scores within so many points"), required=False, min_value=0.1)
    score_share = PercentField(label=gettext_lazy("… for this share of the photos"), most=99)
    confidence = PercentField(label=gettext_lazy("Confidence of each statement"), most=99)
    panel = forms.IntegerField(label=gettext_lazy("People whose answers count as right"), min_value=1, max_value=50)

    def tolerances(self) -> Tolerances:
        """Return what was typed."""
        names = ("accepted", "rejected", "watch", "missed", "score_points", "score_share", "confidence", "panel")
        return Tolerances(**{name: self.cleaned_data[name] for name in names})


def rule_form(rule: DecisionRule | None) -> RuleForm:
    """Return the form with the present values, or with suggestions before the first rule."""
    if rule is None:
        return RuleForm(initial={"accepted": 0.05, "missed": 0.05, "score_share": 0.9, "confidence": 0.95, "panel": 1})
    values = {name: getattr(rule, name) for name in RuleForm.base_fields}
    return RuleForm(initial=values)


@require_safe
@campaign_view(Role.REVIEWER)
def decisions(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show what the model decides, with its figures and, for admins, the form of the rule."""
    return _page(request, campaign, deciding(campaign))


@require_POST
@campaign_view(Role.ADMIN)
def decisions_rule(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Store the rule, and let a worker calibrate."""
    assert isinstance(request.user, User)  # campaign_view refuses anonymous users
    form = RuleForm(request.POST)
    if form.is_valid():
        try:
            rule = decision_rule_set(
                campaign=campaign, by=request.user, is_on=form.cleaned_data["is_on"], tolerances=form.tolerances()
            )
        except ValidationError as error:
            for problem in error.messages:
                form.add_error(None, problem)
        else:
            if rule.is_on:
                announce(decisions_run, campaign.pk, expires=MESSAGE_SECONDS)
            announce(priorities_run, campaign.pk, expires=MESSAGE_SECONDS)  # a changed rule decides nothing yet
            messages.success(request, gettext("Saved."))
            return redirect("decisions", campaign.slug)
    return _page(request, campaign, deciding(campaign), form=form)


def _page(request: HttpRequest, campaign: Campaign, found: Deciding, form: RuleForm | None = None) -> HttpResponse:
    checks = list(found.run.checks.all()[:_CHECKS]) if found.run else []
    checked = [(check.made_at, figures) for check in checks if (figures := check.checked) is not None]
    newest = checked[0][1] if checked else None
    has_numbers = found.run is not None and found.state not in {State.OFF, State.NO_MODEL, State.WAITING}
    rows = _rows(found, newest) if has_numbers else []
    context: dict[str, Any] = {
        "campaign": campaign,
        "found": found,
        "state": found.state.name.lower(),
        "verdict": verdict(found),
        "why": _why(found),
        "stated": [row.sentence for row in rows if row.decided is not None] if found.state == State.DECIDING else [],
        "rows": rows,
        "bars": _bars(found.run) if has_numbers and found.run else [],
        "panel": found.rule.panel if found.rule else 1,
        "confidence": _share(found.rule.confidence) if found.rule else "",
        "charts": _charts(found, checked[::-1]) if has_numbers else [],
        "form": form or rule_form(found.rule),
        "is_admin": request.campaign_role == Role.ADMIN,  # type: ignore[attr-defined]
    }
    return render(request, "training/decisions.html", context, status=400 if form and form.errors else 200)


def verdict(found: Deciding) -> str:
    """Return what the model decides now, as a sentence."""
    if found.state != State.DECIDING or found.run is None or found.limits is None:
        return {
            State.OFF: gettext("People decide. The model decides nothing."),
            State.NO_MODEL: gettext("There is no model yet, so people decide."),
            State.WAITING: gettext("A worker looks at the audit votes. Until it is done, people decide."),
            State.TOO_FEW: gettext("Cannot tell: the audit votes do not support any limit, so people decide."),
        }.get(found.state, gettext("Deciding is paused. People decide."))
    counts = found.run.counts
    photos = counts.get("photos", 0)
    decided = (
        (gettext("the quality of %s"), counts["accepted"] + counts["rejected"]),
        (gettext("the watch of %s"), counts["yes"] + counts["no"]),
        (gettext("the score of %s"), counts["score"]),
    )
    parts = [text % _percent(number, photos) for text, number in decided if number]
    if not parts:
        return gettext("The model may decide, but no photo is beyond its limits. People decide.")
    return gettext("The model decides %(what)s of %(photos)s photos.") % {
        "what": _joined(parts),
        "photos": f"{photos:,}",
    }


def _joined(parts: list[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return gettext("%(first)s and %(last)s") % {"first": ", ".join(parts[:-1]), "last": parts[-1]}


def _percent(part: int, whole: int) -> str:
    return _share(part / whole)


def _why(found: Deciding) -> str:
    """Return why deciding is paused and what ends it; "" if it is not."""
    run = found.run
    if found.state == State.NEW_MODEL and run and found.version:
        return gettext(
            "Version %(new)s now serves, and the limits are those of version %(old)s. A worker calibrates again in a "
            "moment."
        ) % {"new": found.version.number, "old": run.model_version.number}
    if found.state == State.NEW_CLASSES:
        return gettext("The class limits of the campaign have changed. A worker calibrates again in a moment.")
    if found.state != State.PAUSED or run is None or run.paused_at is None:
        return ""
    day = date_format(run.paused_at, "j M Y, H:i")
    ends = gettext("Votes from before no longer count. It goes on as soon as newer audit votes support a limit.")
    if run.pause == DecisionRun.Pause.DRIFT:
        return gettext(
            "%(day)s: the new photos are not like those that the model has learned from. Only audit photos that were "
            "imported in the week before or later count now. It goes on as soon as votes on them support a limit, or "
            "when a newer version serves."
        ) % {"day": day}
    check = run.checks.first()
    checked = check.checked if check else None
    broken = checked.broken if checked else None
    if broken is None:
        return f"{day}. {ends}"
    return (
        gettext(
            "%(day)s: %(wrong)s of %(photos)s fresh audit photos were wrong (%(low)s–%(high)s), and %(tolerance)s are "
            "allowed."
        )
        % {
            "day": day,
            "wrong": broken.wrong,
            "photos": broken.photos,
            "low": _number(broken.low),
            "high": _share(broken.high),
            "tolerance": _share(broken.tolerance),
        }
        + f" {ends}"
    )


def _share(value: float) -> str:
    """Return a share in percent: one digit below 10 %."""
    return f"{_number(value)}\N{NO-BREAK SPACE}%"


def _number(value: float) -> str:
    percent = round(100 * value, 1)
    return percents([value], digits=0 if percent >= 10 or percent == round(percent) else 1)[0]


def statement_text(statement: Statement, tolerances: Tolerances) -> str:
    """Return a statement with its tolerance as a sentence."""
    shares = {
        Statement.ACCEPTED: (
            gettext("At most %s of the photos that it accepts are not acceptable."),
            tolerances.accepted,
        ),
        Statement.REJECTED: (
            gettext("At most %s of the photos that it rejects should not be rejected."),
            tolerances.rejected,
        ),
        Statement.WATCH: (gettext("At most %s of the photos that it calls a watch show none."), tolerances.watch),
        Statement.MISSED: (gettext("It misses at most %s of the watches."), tolerances.missed),
    }
    if statement in shares:
        sentence, share = shares[statement]
        return sentence % _share(share or 0.0)
    return gettext("Scores are within %(points)s points for %(share)s of the photos.") % {
        "points": f"{tolerances.score_points or 0:g}",
        "share": _share(tolerances.score_share),
    }


def _rows(found: Deciding, checked: Checked | None) -> list[Row]:
    if found.rule is None or found.calibration is None:
        return []
    fresh = {one.statement: one for one in checked.achieved} if checked else {}
    return [
        Row(
            statement_text(one.statement, found.rule.tolerances),
            _result(one, found.calibration.limits.calibrated_on),
            _limit(one),
            None if one.limit is None else 100 * one.decided,
            _fresh(fresh.get(one.statement)),
            bool(fresh.get(one.statement) and fresh[one.statement].is_broken),
        )
        for one in found.calibration.findings
    ]


def _result(one: Finding, audit_photos: int) -> str:
    numbers = {"wrong": f"{one.wrong:,}", "photos": f"{one.photos:,}", "upper": _share(one.upper) if one.photos else ""}
    if one.limit is not None:
        return gettext("%(wrong)s of %(photos)s audit photos wrong, so at most %(upper)s") % numbers
    if one.needed is not None and one.needed > audit_photos:
        return ngettext(
            "Cannot tell: needs about %(needed)s audit photos, and there is %(n)s.",
            "Cannot tell: needs about %(needed)s audit photos, and there are %(n)s.",
            audit_photos,
        ) % {"needed": f"{one.needed:,}", "n": f"{audit_photos:,}"}
    return gettext("Cannot tell: %(wrong)s of %(photos)s audit photos wrong, too many or too few to be sure.") % numbers


def _limit(one: Finding) -> str:
    if one.limit is None:
        return "–"
    if one.statement == Statement.ACCEPTED:
        return gettext("score from %s") % f"{one.limit:.2f}"
    if one.statement == Statement.REJECTED:
        return gettext("score below %s") % f"{one.limit:.2f}"
    if one.statement == Statement.WATCH:
        return gettext("probability from %s") % _share(one.limit)
    if one.statement == Statement.MISSED:
        return gettext("probability below %s") % _share(one.limit)
    return f"± {one.limit:.2f}"


def _fresh(one: Achieved | None) -> str:
    if one is None or not one.photos:
        return gettext("none yet")
    return gettext("%(wrong)s of %(photos)s wrong (%(low)s–%(high)s)") % {
        "wrong": f"{one.wrong:,}",
        "photos": f"{one.photos:,}",
        "low": _number(one.low),
        "high": _share(one.high),
    }


def _bars(run: DecisionRun) -> list[Bar]:
    counts = run.counts
    photos = counts.get("photos", 0)
    if not photos:
        return []
    labels = {
        "people": gettext("people"),
        "both": gettext("people and model"),
        "model": gettext("model"),
        "nobody": gettext("nobody yet"),
    }
    bars = []
    for name, title in (("quality", gettext("Quality class")), ("watch", gettext("Watch"))):
        begin, parts = 0.0, []
        for kind in _SAID_BY:
            number = counts.get(f"{name}_{kind}", 0)
            width = 100 * number / photos
            parts.append((kind, labels[kind], number, round(begin, 3), round(width, 3)))
            begin += width
        bars.append(Bar(title, parts))
    return bars


def _charts(found: Deciding, checked: list[tuple[Any, Checked]]) -> list[tuple[str, Svg]]:
    """Return (sentence, chart) of the achieved error by day, for each statement with two checks or more."""
    if found.rule is None or found.calibration is None:
        return []
    charts = []
    for finding in found.calibration.findings:
        points = [
            (at, one)
            for at, figures in checked
            for one in figures.achieved
            if one.statement == finding.statement and one.photos
        ]
        if len(points) >= 2:
            charts.append((statement_text(finding.statement, found.rule.tolerances), _chart(points)))
    return charts


def _chart(points: list[tuple[Any, Achieved]]) -> Svg:
    xs = [at.timestamp() for at, _ in points]
    shares = [100 * one.wrong / one.photos for _, one in points]
    low, high = [100 * one.low for _, one in points], [100 * one.high for _, one in points]
    allowed = 100 * points[-1][1].tolerance
    top = max(*high, allowed) * 1.1
    days = [date_format(at, "j M") for at, _ in (points[0], points[-1])]
    return lines(
        name=gettext(
            "Errors among fresh audit photos, from %(first)s %% on %(day)s to %(last)s %% on %(day_2)s; %(allowed)s %% "
            "are allowed"
        )
        % {
            "first": f"{shares[0]:.1f}",
            "last": f"{shares[-1]:.1f}",
            "day": days[0],
            "day_2": days[1],
            "allowed": f"{allowed:.1f}",
        },
        lines=[
            Line("ceiling", [xs[0], xs[-1]], [allowed, allowed]),
            Line("validation", xs, shares),
            Line("train", xs, low),
            Line("train", xs, high),
        ],
        x_range=(xs[0], xs[-1]),
        y_range=(0, top),
        x_ticks=[Tick(xs[0], days[0]), Tick(xs[-1], days[1])],
        y_ticks=round_ticks(0, top, at_most=5),
        height=120,
    )
