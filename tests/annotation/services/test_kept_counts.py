"""Counts of large campaigns are made by a worker and stored with their time; those of small ones are made each time."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation import tasks
from annotation.models import Campaign, StoredCount
from annotation.services import counts, kept_counts
from annotation.services.kept_counts import CLAIMS, Count, KeptCounts, count_register, counts_forget


@pytest.fixture
def numbers() -> Iterator[Count[int]]:
    """Return a count that is higher each time."""
    made = count(1)
    number: Callable[..., int] = lambda campaign, **parameters: next(made)  # noqa: E731  # one line is enough
    yield count_register(Count("numbers", int, number))
    del kept_counts._registered["numbers"]


def _work() -> int:
    """Do what the workers do with what is queued."""
    return sum(tasks.stored_count_make(pk) for pk in CLAIMS.claimable_ids())


def test_a_small_campaign_is_counted_each_time(campaign: Campaign, numbers: Count[int]) -> None:
    kept = KeptCounts(campaign, is_large=False)
    assert [kept.get(numbers) for _ in range(2)] == [1, 2]
    assert (kept.counted_at, kept.is_missing, kept.asked) == (None, False, [])
    assert not StoredCount.objects.exists()


def test_a_page_of_a_large_campaign_asks_a_worker_and_says_that_the_count_is_missing(
    campaign: Campaign, numbers: Count[int]
) -> None:
    first = KeptCounts(campaign, is_large=True)
    assert first.get(numbers) is None
    assert first.is_missing
    assert first.asked == list(StoredCount.objects.values_list("pk", flat=True))
    assert _work() == 1
    second = KeptCounts(campaign, is_large=True)
    assert second.get(numbers) == 1
    assert (second.is_missing, second.asked) == (False, [])
    assert second.counted_at is not None
    assert _work() == 0, "it is new, so nothing asks for another one"


def test_an_old_count_is_shown_while_a_worker_makes_the_next_one(campaign: Campaign, numbers: Count[int]) -> None:
    KeptCounts(campaign, is_large=True).get(numbers)
    _work()
    StoredCount.objects.update(made_at=timezone.now() - timedelta(minutes=1))
    old = KeptCounts(campaign, is_large=True)
    assert old.get(numbers) == 1
    assert len(old.asked) == 1
    assert _work() == 1
    assert KeptCounts(campaign, is_large=True).get(numbers) == 2


def test_counting_takes_at_most_a_twentieth_of_the_time_of_a_worker(campaign: Campaign, numbers: Count[int]) -> None:
    KeptCounts(campaign, is_large=True).get(numbers)
    _work()
    StoredCount.objects.update(made_at=timezone.now() - timedelta(minutes=1), seconds=10)
    assert KeptCounts(campaign, is_large=True).get(numbers) == 1
    assert _work() == 0


def test_other_parameters_and_other_campaigns_have_their_own_counts(campaign: Campaign, numbers: Count[int]) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    for since in (1, 2):
        KeptCounts(campaign, is_large=True).get(numbers, since=since)
    KeptCounts(other, is_large=True).get(numbers, since=1)
    assert _work() == 3
    kept = KeptCounts(campaign, is_large=True)
    assert {kept.get(numbers, since=1), kept.get(numbers, since=2)} == {1, 2}
    assert KeptCounts(other, is_large=True).get(numbers, since=1) == 3


def test_a_forgotten_count_is_missing_until_it_is_made_again(campaign: Campaign, numbers: Count[int]) -> None:
    KeptCounts(campaign, is_large=True).get(numbers)
    _work()
    counts_forget(campaign, numbers)
    assert KeptCounts(campaign, is_large=True).get(numbers) is None
    _work()
    assert KeptCounts(campaign, is_large=True).get(numbers) == 2


def test_the_sweep_lets_workers_count_the_progress_of_large_campaigns(
    campaign: Campaign, make_image: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    Campaign.objects.create(slug="empty", name="Empty")
    make_image(1)
    counts.progress_ask()
    assert not StoredCount.objects.exists()
    monkeypatch.setattr(counts, "LARGE", 0)  # 50,000 photos would take minutes
    counts.progress_ask()
    assert [row.campaign for row in StoredCount.objects.all()] == [campaign]
    assert _work() == 1
    with CaptureQueriesContext(connection) as queries:
        counts.progress_ask()
    assert len(queries) == 2, "however many campaigns there are"
