from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Campaign, Image, ImportBatch, ImportRejection
from annotation.services import batches
from annotation.services.batches import (
    ImportLost,
    batch_claim,
    batch_discard,
    batch_enqueue,
    batch_folder,
    batch_run,
    batches_claimable,
    folder_import,
    upload_begin,
    uploads_stale_discard,
)
from tests.annotation.bad_files import BAD, write_bad, write_photos, write_zip
from tests.conftest import photo_bytes

State = ImportBatch.State


def counts(batch: ImportBatch) -> tuple[str, int, int, int, int]:
    batch.refresh_from_db()
    return batch.state, batch.total, batch.added, batch.duplicates, batch.rejected


@pytest.fixture
def upload(campaign: Campaign) -> ImportBatch:
    """Return an upload of ten photos, a zip with two of them and two other photos, and two bad files."""
    batch = upload_begin(campaign=campaign, by=None)
    folder = batch_folder(batch)
    write_photos(folder, range(10))
    write_zip(folder / "more.zip", {f"{seed}.jpg": photo_bytes(seed) for seed in (3, 4, 50, 51)})
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "notes.txt").write_text("these are no photos")
    batch_enqueue(batch=batch)
    return batch


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a path for a folder of photos. It does not contain the site's own folders."""
    return tmp_path / "photos"


UPLOAD_COUNTS = ("done", 16, 12, 2, 2)


def claimed(batch: ImportBatch) -> ImportBatch:
    found = batch_claim(batch_id=batch.pk)
    assert found is not None
    return found


def test_folder_is_imported_and_bad_files_are_listed_with_reasons(campaign: Campaign, photos: Path) -> None:
    write_photos(photos, range(3))
    write_bad(photos / "bad")
    seen: list[int] = []
    batch = folder_import(campaign=campaign, source=photos, progress=lambda batch: seen.append(batch.done))
    assert counts(batch) == ("done", 3 + len(BAD), 3, 0, len(BAD))
    assert batch.finished_at is not None
    assert seen[-1] == batch.total
    for name, (_, reason) in BAD.items():
        assert reason in ImportRejection.objects.get(batch=batch, name=f"bad/{name}").reason
    assert len(list(photos.rglob("*.*"))) == 3 + len(BAD)  # the import does not change the operator's folder


def test_details_are_stored_by_file_name(campaign: Campaign, photos: Path) -> None:
    write_photos(photos, range(2))
    folder_import(campaign=campaign, source=photos, details={"photo-001.jpg": {"degradation": "blur"}})
    assert dict(Image.objects.values_list("name", "details")) == {
        "photo-000.jpg": {},
        "photo-001.jpg": {"degradation": "blur"},
    }


def test_second_import_of_a_folder_adds_nothing(campaign: Campaign, photos: Path) -> None:
    write_photos(photos, range(3))
    folder_import(campaign=campaign, source=photos)
    assert counts(folder_import(campaign=campaign, source=photos)) == ("done", 3, 0, 3, 0)


def test_upload_is_imported_and_its_files_are_removed(upload: ImportBatch) -> None:
    assert counts(batch_run(batch=claimed(upload))) == UPLOAD_COUNTS
    assert not batch_folder(upload).exists()
    reasons = dict(ImportRejection.objects.values_list("name", "reason"))
    assert sorted(reasons) == ["empty.jpg", "notes.txt"]


@pytest.mark.parametrize("killed_after", range(1, 8))
def test_an_import_continues_after_its_worker_was_killed(
    upload: ImportBatch, monkeypatch: pytest.MonkeyPatch, killed_after: int
) -> None:
    monkeypatch.setattr(batches, "_ROWS", 2)  # many commits, so that the worker can be killed after each of them

    class Killed(BaseException):
        """An exception that changes nothing in the database, like SIGKILL."""

    commits = 0

    def fail(batch: ImportBatch) -> None:
        nonlocal commits
        commits += 1
        if commits == killed_after:
            raise Killed

    with pytest.raises(Killed):
        batch_run(batch=claimed(upload), progress=fail)
    assert batch_claim(batch_id=upload.pk) is None  # its heartbeat is fresh
    ImportBatch.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    assert batches_claimable() == [upload.pk]
    assert counts(batch_run(batch=claimed(upload))) == UPLOAD_COUNTS
    assert Image.objects.count() == 12
    assert ImportRejection.objects.count() == 2


def test_a_crash_between_commit_and_removal_counts_no_file_twice(
    upload: ImportBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "_ROWS", 3)

    def fail(run: Any, file: Path) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("annotation.services.batches._Run._file_discard", fail)
        with pytest.raises(SystemExit):
            batch_run(batch=claimed(upload))
    ImportBatch.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    assert counts(batch_run(batch=claimed(upload))) == UPLOAD_COUNTS


def test_a_worker_stops_when_another_worker_has_taken_its_import(upload: ImportBatch) -> None:
    slow = claimed(upload)
    ImportBatch.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    batch_run(batch=claimed(upload))
    with pytest.raises(ImportLost):
        batch_run(batch=slow)
    assert counts(upload) == UPLOAD_COUNTS


def test_batch_is_claimed_once(upload: ImportBatch) -> None:
    assert batch_claim(batch_id=upload.pk) is not None
    assert batch_claim(batch_id=upload.pk) is None
    assert batches_claimable() == []


def test_import_of_a_missing_folder_fails_with_a_message(campaign: Campaign, tmp_path: Path) -> None:
    batch = folder_import(campaign=campaign, source=tmp_path / "missing")
    assert batch.state == State.FAILED
    assert "neither a folder nor a .zip" in batch.message


def test_failed_import_can_be_tried_again(campaign: Campaign, tmp_path: Path) -> None:
    batch = folder_import(campaign=campaign, source=tmp_path / "later")
    write_photos(tmp_path / "later", range(2))
    assert batch_enqueue(batch=batch)
    assert counts(batch_run(batch=claimed(batch))) == ("done", 2, 2, 0, 0)
    assert not batch_enqueue(batch=batch)


def test_import_fails_with_a_message_when_photos_cannot_be_stored(
    campaign: Campaign, tmp_path: Path, settings: Any
) -> None:
    write_photos(tmp_path / "photos", range(2))
    (tmp_path / "media").write_text("a file where the folder should be")
    batch = folder_import(campaign=campaign, source=tmp_path / "photos")
    assert batch.state == State.FAILED
    assert "cannot be stored" in batch.message


def test_interrupted_import_is_marked_and_can_be_continued(campaign: Campaign, photos: Path) -> None:
    write_photos(photos, range(3))

    def interrupt(batch: ImportBatch) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        folder_import(campaign=campaign, source=photos, progress=interrupt)
    assert "interrupted" in ImportBatch.objects.get().message
    assert folder_import(campaign=campaign, source=photos).added == 3


def test_discarded_upload_leaves_no_files(campaign: Campaign) -> None:
    batch = upload_begin(campaign=campaign, by=None)
    write_photos(batch_folder(batch), range(1))
    assert batch_discard(batch=batch, message="No.")
    assert not batch_folder(batch).exists()
    assert not batch_discard(batch=batch, message="No.")


def test_uploads_without_activity_for_a_day_are_discarded(campaign: Campaign) -> None:
    old, fresh = upload_begin(campaign=campaign, by=None), upload_begin(campaign=campaign, by=None)
    ImportBatch.objects.filter(pk=old.pk).update(heartbeat_at=timezone.now() - timedelta(days=2))
    assert uploads_stale_discard() == 1
    assert counts(old)[0] == State.FAILED
    assert counts(fresh)[0] == State.RECEIVING


def test_an_import_takes_no_query_per_photo(
    campaign: Campaign, photos: Path, django_assert_max_num_queries: Any
) -> None:
    write_photos(photos, range(100))
    with django_assert_max_num_queries(40):
        assert folder_import(campaign=campaign, source=photos).added == 100
