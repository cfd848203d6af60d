"""Requests that a worker does: one at a time, found again when a worker dies, given up after some attempts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from training.models import VersionExport
from training.services.version_work import (
    MAX_ATTEMPTS,
    STALE_SECONDS,
    Report,
    WorkImpossible,
    work_due,
    work_perform,
    work_request,
)


@pytest.fixture
def row(make_version: Callable[..., Any]) -> VersionExport:
    return work_request(VersionExport, by=None, version=make_version(1))


def grow_old() -> None:
    VersionExport.objects.update(claimed_at=timezone.now() - timedelta(seconds=STALE_SECONDS + 1))


def test_progress_is_stored_while_the_work_goes_on(row: VersionExport) -> None:
    def make(work: VersionExport, report: Report) -> dict[str, Any]:
        report(0.25, "Joining")
        seen = VersionExport.objects.get()
        assert (seen.percent, seen.stage, seen.attempts, seen.is_live) == (25, "Joining", 1, True)
        assert work_due(VersionExport) == []  # claimed
        return {"byte_size": 5}

    work_perform(VersionExport, row.pk, make)
    row.refresh_from_db()
    assert (row.byte_size, row.percent, row.stage, row.is_live) == (5, 100, "", False)


def test_a_second_worker_does_not_do_the_same_work(row: VersionExport) -> None:
    def make(work: VersionExport, report: Report) -> dict[str, Any]:
        work_perform(VersionExport, row.pk, lambda *_: pytest.fail("done twice"))
        return {}

    work_perform(VersionExport, row.pk, make)


def test_a_worker_that_was_given_up_stores_nothing(row: VersionExport) -> None:
    def slow(work: VersionExport, report: Report) -> dict[str, Any]:
        grow_old()
        work_perform(VersionExport, row.pk, lambda *_: {"byte_size": 2})
        return {"byte_size": 1}

    work_perform(VersionExport, row.pk, slow)
    row.refresh_from_db()
    assert (row.byte_size, row.attempts) == (2, 2)


def test_a_request_during_the_work_changes_nothing_and_one_after_it_starts_again(row: VersionExport) -> None:
    def make(work: VersionExport, report: Report) -> dict[str, Any]:
        work_request(VersionExport, by=None, version=row.version)
        return {}

    work_perform(VersionExport, row.pk, make)
    assert not VersionExport.objects.get().is_live
    assert work_request(VersionExport, by=None, version=row.version).is_live
    assert work_due(VersionExport) == [row.pk]


def test_what_cannot_be_done_is_said_and_other_errors_are_raised(row: VersionExport) -> None:
    def impossible(work: VersionExport, report: Report) -> dict[str, Any]:
        raise WorkImpossible("The file is gone.")

    work_perform(VersionExport, row.pk, impossible)
    assert VersionExport.objects.get().message == "The file is gone."
    work_request(VersionExport, by=None, version=row.version)

    def broken(work: VersionExport, report: Report) -> dict[str, Any]:
        raise KeyError("colour")

    with pytest.raises(KeyError):
        work_perform(VersionExport, row.pk, broken)
    assert VersionExport.objects.get().message == "KeyError: 'colour'"
    assert work_due(VersionExport) == []


def test_work_is_given_up_after_some_dead_workers(row: VersionExport) -> None:
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert work_due(VersionExport) == [row.pk]
        # What a worker that is killed leaves.
        VersionExport.objects.update(attempts=attempt, claimed_at=timezone.now())
        assert work_due(VersionExport) == []
        grow_old()
    assert work_due(VersionExport) == []
    assert VersionExport.objects.get().message.startswith("The worker ended 3 times without a result.")
