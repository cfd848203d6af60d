"""The times at which a campaign trains by itself: a periodic task of the scheduler (beat), one for each campaign."""

import json
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext, gettext_lazy
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from annotation.models import AuditKind, Campaign
from annotation.services.audit import audit_changes

TASK = "training.tasks.retrain_scheduled"
#: Monday to Sunday.
WEEKDAYS = (
    gettext_lazy("every Monday"),
    gettext_lazy("every Tuesday"),
    gettext_lazy("every Wednesday"),
    gettext_lazy("every Thursday"),
    gettext_lazy("every Friday"),
    gettext_lazy("every Saturday"),
    gettext_lazy("every Sunday"),
)


@dataclass(frozen=True)
class Schedule:
    """A time of each day, or of one day of each week, in the time zone of the site."""

    at: time
    """Hour and minute."""
    weekday: int | None = None
    """0 for Monday to 6 for Sunday; None: every day."""

    @property
    def text(self) -> str:
        """Return the schedule in words, such as 'every day at 02:00 (UTC)'."""
        return gettext("%(day)s at %(time)s (%(zone)s)") % {
            "day": gettext("every day") if self.weekday is None else WEEKDAYS[self.weekday],
            "time": f"{self.at:%H:%M}",
            "zone": settings.TIME_ZONE,
        }

    def next_at(self, now: datetime) -> datetime:
        """Return the first such time after `now`, which must be aware."""
        here = now.astimezone(ZoneInfo(settings.TIME_ZONE))
        for days in range(9):
            found = datetime.combine(here.date() + timedelta(days=days), self.at, tzinfo=here.tzinfo)
            if found > here and self.weekday in (None, found.weekday()):
                return found
        raise AssertionError(gettext("Nine days have every day of the week."))


def schedule_of(campaign: Campaign) -> Schedule | None:
    """Return the schedule that the models page has set; None without one (one query).

    None also for a task that somebody has changed in Django's admin into something else than a time of day.
    """
    task = PeriodicTask.objects.filter(name=_name(campaign), enabled=True).select_related("crontab").first()
    if task is None or task.crontab is None:
        return None
    crontab = task.crontab
    try:
        # crontab counts days from Sunday
        weekday = None if crontab.day_of_week == "*" else (int(crontab.day_of_week) - 1) % 7
        return Schedule(time(int(crontab.hour), int(crontab.minute)), weekday)
    except ValueError:
        return None


@transaction.atomic
def schedule_set(*, campaign: Campaign, schedule: Schedule | None) -> None:
    """Train at these times from now on; None: at no time. The scheduler sees it within seconds."""
    before = schedule_of(campaign)
    if schedule is None:
        PeriodicTask.objects.filter(name=_name(campaign)).delete()
    else:
        crontab, _ = CrontabSchedule.objects.get_or_create(
            minute=str(schedule.at.minute),
            hour=str(schedule.at.hour),
            day_of_week="*" if schedule.weekday is None else str((schedule.weekday + 1) % 7),
            day_of_month="*",
            month_of_year="*",
            timezone=settings.TIME_ZONE,
        )
        PeriodicTask.objects.update_or_create(
            name=_name(campaign),
            defaults={
                "task": TASK,
                "crontab": crontab,
                "interval": None,
                "kwargs": json.dumps({"campaign": campaign.slug}),
                "enabled": True,
                "start_time": timezone.now(),
            },
        )
    with translation.override(None):  # audits are in English
        texts = [one.text if one else "none" for one in (before, schedule)]
    audit_changes(
        kind=AuditKind.SETTINGS_CHANGED,
        before={"training schedule": texts[0]},
        after={"training schedule": texts[1]},
        campaign=campaign,
    )


def _name(campaign: Campaign) -> str:
    return f"train campaign {campaign.pk}"
