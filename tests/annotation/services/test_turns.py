"""One user's imports do not keep the others waiting."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotation import tasks
from annotation.models import Campaign, ImportBatch
from annotation.services.batches import batch_enqueue, upload_begin
from annotation.services.turns import Slots, batch_claim_next
from annotation.tasks import batch_import

pytestmark = pytest.mark.django_db
Import = Callable[[str], ImportBatch]


@pytest.fixture
def queued(campaign: Campaign, people: dict[str, Any]) -> Import:
    def make(name: str) -> ImportBatch:
        batch = upload_begin(campaign=campaign, by=people.get(name))
        batch_enqueue(batch=batch)
        return batch

    return make


def finish(batch: ImportBatch) -> None:
    batch.state, batch.finished_at = ImportBatch.State.DONE, timezone.now()
    batch.save()


def test_a_user_with_many_imports_takes_turns_with_the_others(queued: Import) -> None:
    of_ada = [queued("ada") for _ in range(3)]
    of_rita = queued("rita")
    served = []
    while (batch := batch_claim_next()) is not None:
        served.append(batch)
        finish(batch)
    assert served == [of_ada[0], of_rita, of_ada[1], of_ada[2]]


def test_a_user_has_one_running_import_at_a_time(queued: Import) -> None:
    first, second = queued("ada"), queued("ada")
    assert batch_claim_next() == first
    assert batch_claim_next() is None
    finish(first)
    assert batch_claim_next() == second


def test_other_users_do_not_wait_for_a_running_import(queued: Import) -> None:
    queued("ada")
    batch_claim_next()
    queued("ada")
    of_rita = queued("rita")
    assert batch_claim_next() == of_rita


def test_imports_without_a_user_do_not_wait_for_each_other(queued: Import) -> None:
    first, second = queued("nobody"), queued("nobody")
    assert [batch_claim_next(), batch_claim_next()] == [first, second]


def test_an_import_whose_worker_died_is_claimed_again(queued: Import) -> None:
    batch = queued("ada")
    batch_claim_next()
    ImportBatch.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    assert batch_claim_next() == batch


def test_a_worker_runs_few_imports_at_a_time(queued: Import, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other threads of the worker stay free for training and for sweeps."""
    settings.IQS_IMPORTS_AT_ONCE = 2
    for name in ("ada", "rita", "bob"):
        queued(name)
    running, at_once = 0, []

    def run(*, batch: ImportBatch) -> None:
        """Run an import during which two more messages arrive."""
        nonlocal running
        running += 1
        at_once.append(running)
        if len(at_once) < 3:
            batch_import(0)
            batch_import(0)
        running -= 1

    monkeypatch.setattr(tasks.batches, "batch_run", run)
    batch_import(0)
    assert at_once == [1, 2, 2]


def test_the_next_import_is_announced_at_the_end(queued: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(tasks, "announce", lambda task, pk: sent.append(pk))
    queued("ada")
    second = queued("ada")
    batch_import(0)
    assert sent == [second.pk]
    batch_import(second.pk)
    assert sent == [second.pk]


def test_slots_come_back_after_an_error() -> None:
    slots = Slots()

    def fail() -> None:
        with slots.one(1) as is_free, slots.one(1) as is_second_free:
            assert (is_free, is_second_free) == (True, False)
            raise ValueError("broken")

    for _ in range(3):
        with pytest.raises(ValueError, match="broken"):
            fail()
