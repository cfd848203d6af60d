"""Counts of large campaigns are kept with their time; those of small ones are counted each time."""

from datetime import timedelta
from itertools import count

import pytest
from django.utils import timezone

from annotation.models import Campaign
from annotation.selectors import kept_counts
from annotation.selectors.kept_counts import KeptCounts, counts_forget


def test_a_small_campaign_is_counted_each_time(campaign: Campaign) -> None:
    numbers = count(1)
    kept = KeptCounts(campaign, is_large=False)
    assert [kept.get("photos", lambda: next(numbers)) for _ in range(2)] == [1, 2]
    assert kept.counted_at is None


def test_a_large_campaign_keeps_each_count_under_its_name_until_it_is_forgotten(campaign: Campaign) -> None:
    numbers = count(1)
    other = Campaign.objects.create(slug="other", name="Other")

    def get(name: str, of: Campaign = campaign) -> int:
        return KeptCounts(of, is_large=True).get(name, lambda: next(numbers))

    assert [get("photos"), get("photos"), get("a problem: no file"), get("photos", other)] == [1, 1, 2, 3]
    counts_forget(campaign, "photos")
    assert [get("photos"), get("a problem: no file"), get("photos", other)] == [4, 2, 3]


def test_a_page_says_when_its_oldest_count_was_made(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = timezone.now()
    for minutes, name in ((1, "older"), (2, "newer")):
        monkeypatch.setattr(kept_counts.timezone, "now", lambda at=minutes: begin + timedelta(minutes=at))
        KeptCounts(campaign, is_large=True).get(name, int)
    page = KeptCounts(campaign, is_large=True)
    page.get("newer", int)
    assert page.counted_at == begin + timedelta(minutes=2)
    page.get("older", int)
    assert page.counted_at == begin + timedelta(minutes=1)
