"""The time at which a campaign trains by itself."""

import json
from datetime import UTC, datetime, time
from typing import Any

import pytest
from django_celery_beat.models import PeriodicTask

from annotation.models import AuditRecord, Campaign
from training.services.schedules import TASK, Schedule, schedule_of, schedule_set

NIGHTLY, MONDAYS, SUNDAYS = Schedule(time(2, 30)), Schedule(time(6, 0), 0), Schedule(time(23, 5), 6)


@pytest.mark.parametrize("schedule", [NIGHTLY, MONDAYS, SUNDAYS])
def test_a_schedule_is_a_periodic_task(campaign: Campaign, schedule: Schedule) -> None:
    schedule_set(campaign=campaign, schedule=schedule)
    task = PeriodicTask.objects.get(name=f"train campaign {campaign.pk}")
    assert (task.task, json.loads(task.kwargs), task.enabled) == (TASK, {"campaign": "watches"}, True)
    assert schedule_of(campaign) == schedule
    day = {None: "*", 0: "1", 6: "0"}[schedule.weekday]  # crontab counts from Sunday
    assert (task.crontab.hour, task.crontab.day_of_week) == (str(schedule.at.hour), day)


def test_the_task_exists() -> None:
    from training import tasks

    assert f"training.tasks.{tasks.retrain_scheduled.__name__}" == TASK


def test_a_schedule_is_replaced_and_removed(campaign: Campaign) -> None:
    for schedule in (NIGHTLY, MONDAYS, None):
        schedule_set(campaign=campaign, schedule=schedule)
        assert schedule_of(campaign) == schedule
    assert not PeriodicTask.objects.filter(task=TASK).exists()
    changes = [record.after["training schedule"] for record in AuditRecord.objects.order_by("pk")]
    assert changes == ["every day at 02:30 (UTC)", "every Monday at 06:00 (UTC)", "none"]


def test_each_campaign_has_its_own(campaign: Campaign) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    schedule_set(campaign=campaign, schedule=NIGHTLY)
    assert schedule_of(other) is None
    schedule_set(campaign=other, schedule=None)
    assert schedule_of(campaign) == NIGHTLY


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (NIGHTLY, datetime(2026, 3, 5, 2, 30, tzinfo=UTC)),
        (Schedule(time(12, 1)), datetime(2026, 3, 4, 12, 1, tzinfo=UTC)),
        (Schedule(time(12, 0)), datetime(2026, 3, 5, 12, 0, tzinfo=UTC)),
        (MONDAYS, datetime(2026, 3, 9, 6, 0, tzinfo=UTC)),
        (Schedule(time(6, 0), 2), datetime(2026, 3, 11, 6, 0, tzinfo=UTC)),
    ],
)
def test_the_next_time(schedule: Schedule, expected: datetime) -> None:
    assert schedule.next_at(datetime(2026, 3, 4, 12, 0, tzinfo=UTC)) == expected  # a Wednesday


def test_the_page_stores_what_starts_a_run(client_of: Any, campaign: Campaign) -> None:
    client = client_of("ada")
    url = "/campaigns/watches/models/schedule"
    client.post(url, {"train_after": "50", "retrain_on_drift": "on", "when": "0", "at": "06:00"})
    campaign.refresh_from_db()
    assert (campaign.train_after, campaign.retrain_on_drift, schedule_of(campaign)) == (50, True, MONDAYS)
    page = client.get("/campaigns/watches/models/").content.decode()
    assert "Next time:" in page
    assert 'name="train_after" value="50"' in page
    client.post(url, {"train_after": "0", "when": "", "at": ""})
    campaign.refresh_from_db()
    assert (campaign.train_after, campaign.retrain_on_drift, schedule_of(campaign)) == (0, False, None)


@pytest.mark.parametrize("data", [{"train_after": "-1"}, {"train_after": "5", "when": "daily", "at": "25:00"}, {}])
def test_wrong_values_change_nothing(client_of: Any, campaign: Campaign, data: dict[str, str]) -> None:
    page = client_of("ada").post("/campaigns/watches/models/schedule", data, follow=True).content.decode()
    assert "Not saved." in page
    campaign.refresh_from_db()
    assert (campaign.train_after, schedule_of(campaign)) == (200, None)
