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
    """Return an upload of ten photos, a zip that repeats two of them and has two more, and two bad files."""
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
    """Return a folder for photos beside, and not above, the folders that the site keeps."""
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
    assert len(list(photos.rglob("*.*"))) == 3 + len(BAD)  # a folder of the operator's stays as it is


def test_details_are_kept_by_name(campaign: Campaign, photos: Path) -> None:
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


@pytest.mark.parametrize("died_after", range(1, 8))
def test_import_goes_on_where_a_worker_died(
    upload: ImportBatch, monkeypatch: pytest.MonkeyPatch, died_after: int
) -> None:
    monkeypatch.setattr(batches, "_ROWS", 2)  # many commits, so that there are many places to die at

    class Killed(BaseException):
        """Unlike any error, this one leaves no trace in the tables, as SIGKILL does not."""

    commits = 0

    def die(batch: ImportBatch) -> None:
        nonlocal commits
        commits += 1
        if commits == died_after:
            raise Killed

    with pytest.raises(Killed):
        batch_run(batch=claimed(upload), progress=die)
    assert batch_claim(batch_id=upload.pk) is None  # its heartbeat is fresh
    ImportBatch.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    assert batches_claimable() == [upload.pk]
    assert counts(batch_run(batch=claimed(upload))) == UPLOAD_COUNTS
    assert Image.objects.count() == 12
    assert ImportRejection.objects.count() == 2


def test_death_between_commit_and_removal_counts_nothing_twice(
    upload: ImportBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "_ROWS", 3)

    def die(run: Any, file: Path) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("annotation.services.batches._Run._file_discard", die)
        with pytest.raises(SystemExit):
            batch_run(batch=claimed(upload))
    ImportBatch.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    assert counts(batch_run(batch=claimed(upload))) == UPLOAD_COUNTS


def test_worker_that_was_taken_for_dead_stops(upload: ImportBatch) -> None:
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


def test_folder_that_is_not_there_fails_with_a_sentence(campaign: Campaign, tmp_path: Path) -> None:
    batch = folder_import(campaign=campaign, source=tmp_path / "nowhere")
    assert batch.state == State.FAILED
    assert "neither a folder nor a .zip" in batch.message


def test_failed_import_can_be_tried_again(campaign: Campaign, tmp_path: Path) -> None:
    batch = folder_import(campaign=campaign, source=tmp_path / "later")
    write_photos(tmp_path / "later", range(2))
    assert batch_enqueue(batch=batch)
    assert counts(batch_run(batch=claimed(batch))) == ("done", 2, 2, 0, 0)
    assert not batch_enqueue(batch=batch)


def test_disk_that_takes_nothing_fails_with_a_sentence(campaign: Campaign, tmp_path: Path, settings: Any) -> None:
    write_photos(tmp_path / "photos", range(2))
    (tmp_path / "media").write_text("a file where the folder should be")
    batch = folder_import(campaign=campaign, source=tmp_path / "photos")
    assert batch.state == State.FAILED
    assert "cannot be stored" in batch.message


def test_interrupted_import_is_closed_and_continues(campaign: Campaign, photos: Path) -> None:
    write_photos(photos, range(3))

    def interrupt(batch: ImportBatch) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        folder_import(campaign=campaign, source=photos, progress=interrupt)
    assert "interrupted" in ImportBatch.objects.get().message
    assert folder_import(campaign=campaign, source=photos).added == 3


def test_discarded_upload_leaves_nothing(campaign: Campaign) -> None:
    batch = upload_begin(campaign=campaign, by=None)
    write_photos(batch_folder(batch), range(1))
    assert batch_discard(batch=batch, message="No.")
    assert not batch_folder(batch).exists()
    assert not batch_discard(batch=batch, message="No.")


def test_uploads_that_nobody_touched_for_a_day_are_dropped(campaign: Campaign) -> None:
    old, fresh = upload_begin(campaign=campaign, by=None), upload_begin(campaign=campaign, by=None)
    ImportBatch.objects.filter(pk=old.pk).update(heartbeat_at=timezone.now() - timedelta(days=2))
    assert uploads_stale_discard() == 1
    assert counts(old)[0] == State.FAILED
    assert counts(fresh)[0] == State.RECEIVING


def test_progress_of_an_import_costs_no_query_per_photo(
    campaign: Campaign, photos: Path, django_assert_max_num_queries: Any
) -> None:
    write_photos(photos, range(100))
    with django_assert_max_num_queries(40):
        assert folder_import(campaign=campaign, source=photos).added == 100
