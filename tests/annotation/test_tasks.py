from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from annotation.models import Campaign, Image, ImportBatch
from annotation.services.batches import batch_claim, batch_enqueue, batch_folder, upload_begin
from annotation.tasks import announce, batch_import, sweep
from tests.annotation.bad_files import write_photos


@pytest.fixture
def queued(campaign: Campaign) -> ImportBatch:
    batch = upload_begin(campaign=campaign, by=None)
    write_photos(batch_folder(batch), range(3))
    batch_enqueue(batch=batch)
    return batch


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...]]]:
    """Return the list of messages that would go to the broker. Unit tests have no broker."""
    messages: list[tuple[str, tuple[Any, ...]]] = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, args=(), *rest, **options: messages.append((name, tuple(args)))
    )
    return messages


def test_an_import_sends_messages_about_its_photos(
    queued: ImportBatch, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        batch_import(queued.pk)
    assert Image.objects.count() == 3
    assert sent == [("inference.tasks.sweep", ()), ("inference.tasks.priorities_run", (queued.campaign_id,))]


def test_running_an_import_twice_adds_photos_once(queued: ImportBatch) -> None:
    batch_import(queued.pk)
    batch_import(queued.pk)
    queued.refresh_from_db()
    assert (queued.state, queued.added, queued.duplicates) == ("done", 3, 0)


def test_an_import_claimed_by_another_worker_is_not_run(queued: ImportBatch) -> None:
    batch_claim(batch_id=queued.pk)
    batch_import(queued.pk)
    assert Image.objects.count() == 0


def test_sweep_starts_imports_without_a_worker(queued: ImportBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    monkeypatch.setattr(batch_import, "delay", started.append)  # no broker in unit tests
    sweep()
    batch_claim(batch_id=queued.pk)
    sweep()
    ImportBatch.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    sweep()
    assert started == [queued.pk, queued.pk]


def test_announce_without_a_broker_does_not_fail(db: None, django_capture_on_commit_callbacks: Any) -> None:
    # Tests have no broker: the address of the settings refuses connections.
    with django_capture_on_commit_callbacks(execute=True):
        announce(batch_import, 1)
    # It does not try again for some seconds either.
    assert current_app.conf.task_publish_retry is False
    assert current_app.conf.broker_transport_options["max_retries"] == 0
