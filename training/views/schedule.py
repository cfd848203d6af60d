"""When a campaign trains by itself, on its models page."""

from datetime import time

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST

from annotation.access.permissions import campaign_view
from annotation.models import Campaign, Role
from annotation.services.campaigns import campaign_update
from training.services.schedules import WEEKDAYS, Schedule, schedule_set

_NIGHT = time(2, 0)


class ScheduleForm(forms.Form):
    """What starts a run: the number of new answers, other photos than before, or the time."""

    train_after = forms.IntegerField(
        label=gettext_lazy("New answers that start a run"), min_value=0, max_value=10_000_000
    )
    retrain_on_drift = forms.BooleanField(
        label=gettext_lazy("when new photos differ from those learned from"), required=False
    )
    when = forms.ChoiceField(
        label=gettext_lazy("At a fixed time"),
        choices=[
            ("", gettext_lazy("never")),
            ("daily", gettext_lazy("every day")),
            *((str(number), day) for number, day in enumerate(WEEKDAYS)),
        ],
        required=False,
    )
    at = forms.TimeField(
        label=gettext_lazy("Time"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )

    def schedule(self) -> Schedule | None:
        """Return what was chosen."""
        when = self.cleaned_data["when"]
        at = self.cleaned_data["at"] or _NIGHT
        return Schedule(at.replace(second=0), None if when == "daily" else int(when)) if when else None


def schedule_form(campaign: Campaign, schedule: Schedule | None) -> ScheduleForm:
    """Return the form with the present values."""
    when = "" if schedule is None else "daily" if schedule.weekday is None else str(schedule.weekday)
    form = ScheduleForm(
        initial={
            "train_after": campaign.train_after,
            "retrain_on_drift": campaign.retrain_on_drift,
            "when": when,
            "at": schedule.at if schedule else _NIGHT,
        }
    )
    form.fields["at"].label = gettext("at (%(zone)s)") % {"zone": settings.TIME_ZONE}
    return form


@require_POST
@campaign_view(Role.ADMIN)
def schedule_save(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Store what starts a run."""
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        problems = (f"{form[name].label}: {' '.join(map(str, found))}" for name, found in form.errors.items())
        messages.error(request, gettext("Not saved. %(problems)s") % {"problems": " ".join(problems)})
        return redirect("models", campaign.slug)
    try:
        campaign_update(
            campaign=campaign,
            train_after=form.cleaned_data["train_after"],
            retrain_on_drift=form.cleaned_data["retrain_on_drift"],
        )
    except ValidationError as error:
        messages.error(request, gettext("Not saved. %(messages)s") % {"messages": " ".join(error.messages)})
        return redirect("models", campaign.slug)
    schedule = form.schedule()
    schedule_set(campaign=campaign, schedule=schedule)
    messages.success(
        request,
        gettext("Saved. Training runs %(schedule)s.") % {"schedule": schedule.text}
        if schedule
        else gettext("Saved. No fixed time."),
    )
    return redirect("models", campaign.slug)
