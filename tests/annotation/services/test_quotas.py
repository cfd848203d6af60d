"""Limits for one user and hour."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from annotation.models import HourlyUse
from annotation.services.quotas import QuotaUsedUp, quota_add, quota_find, quota_take, uses_old_delete

Kind = HourlyUse.Kind
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limit(settings: Any) -> None:
    settings.IQS_SCORED_PHOTOS_PER_HOUR = 10
    settings.IQS_IMPORTS_PER_HOUR = 1


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-01T{text}+00:00")


def test_what_is_left_is_known_before_it_is_used_up(people: dict[str, Any]) -> None:
    quota_take(user=people["alice"], kind=Kind.SCORED_PHOTOS, amount=4, now=at("14:10:00"))
    quota = quota_find(user=people["alice"], kind=Kind.SCORED_PHOTOS, now=at("14:40:30"))
    assert quota is not None
    assert (quota.limit, quota.left, quota.retry_after, quota.until_text) == (10, 6, 1170, "15:00 (UTC)")


def test_more_than_is_left_is_refused_and_uses_nothing(people: dict[str, Any]) -> None:
    quota_take(user=people["alice"], kind=Kind.SCORED_PHOTOS, amount=8, now=at("14:10:00"))
    with pytest.raises(QuotaUsedUp) as refused:
        quota_take(user=people["alice"], kind=Kind.SCORED_PHOTOS, amount=3, now=at("14:59:59"))
    assert (refused.value.quota.left, refused.value.quota.retry_after) == (2, 1)
    quota_take(user=people["alice"], kind=Kind.SCORED_PHOTOS, amount=2, now=at("14:59:59"))
    with pytest.raises(QuotaUsedUp):
        quota_take(user=people["bob"], kind=Kind.SCORED_PHOTOS, amount=11)


def test_hours_users_and_limits_are_counted_apart(people: dict[str, Any]) -> None:
    quota_take(user=people["alice"], kind=Kind.SCORED_PHOTOS, amount=10, now=at("14:10:00"))
    quota_take(user=people["alice"], kind=Kind.IMPORTS, now=at("14:10:00"))
    quota_take(user=people["bob"], kind=Kind.SCORED_PHOTOS, amount=10, now=at("14:10:00"))
    quota_take(user=people["alice"], kind=Kind.SCORED_PHOTOS, amount=10, now=at("15:00:00"))


def test_zero_means_no_limit(people: dict[str, Any], settings: Any) -> None:
    settings.IQS_SCORED_PHOTOS_PER_HOUR = 0
    for _ in range(3):
        quota_take(user=people["alice"], kind=Kind.SCORED_PHOTOS, amount=10_000)
    assert quota_find(user=people["alice"], kind=Kind.SCORED_PHOTOS) is None


def test_seconds_are_added_when_they_are_known(people: dict[str, Any], settings: Any) -> None:
    settings.IQS_SCORING_SECONDS_PER_HOUR = 5
    for seconds in (2.5, 2.0, 3.25):
        quota_add(user_id=people["alice"].pk, kind=Kind.SCORING_SECONDS, amount=seconds, now=at("14:10:00"))
    quota = quota_find(user=people["alice"], kind=Kind.SCORING_SECONDS, now=at("14:10:00"))
    assert quota is not None
    assert (quota.used, quota.left) == (7.75, 0)
    quota_add(user_id=10**6, kind=Kind.SCORING_SECONDS, amount=1.0)  # the account was deleted meanwhile


@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_moment_share_what_is_left(people: dict[str, Any]) -> None:
    barrier, taken = threading.Barrier(8), []
    now = timezone.now()

    def send() -> None:
        barrier.wait()
        try:
            quota_take(user=people["alice"], kind=Kind.SCORED_PHOTOS, amount=3, now=now)
            taken.append(3)
        except QuotaUsedUp:
            pass
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken == [3, 3, 3]
    assert HourlyUse.objects.get().amount == 9


def test_old_counts_are_deleted(people: dict[str, Any]) -> None:
    now = timezone.now()
    for hours in (0, 2, 30):
        quota_take(user=people["alice"], kind=Kind.SCORED_PHOTOS, now=now - timedelta(hours=hours))
    assert uses_old_delete() == 1
    assert HourlyUse.objects.count() == 2
