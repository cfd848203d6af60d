"""What follows from missing and damaged photo files: repair by import, the queue, and the background check."""

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Campaign, FileCheck, Image, ImportBatch, PhotoFile
from annotation.services.batches import batch_claim, batch_enqueue, batch_folder, batch_run, folder_import, upload_begin
from annotation.services.photo_files import (
    BACKGROUND,
    photo_file_suspect,
    photo_files_due,
    photo_files_step,
    photo_files_verify,
)
from annotation.services.queue import leases_claim
from annotation.services.skips import DAMAGED_PROBLEM
from annotation.services.special_photos import SpecialPhotoError, problem_remove
from annotation.services.upload_files import uploads_lost
from annotation.services.uploads import upload_piece_store
from annotation.signals import photos_restored
from tests.conftest import photo_bytes, photo_path, thumbnail_path

COUNT = 4


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed in range(COUNT):
        (folder / f"photo-{seed}.jpg").write_bytes(photo_bytes(seed, width=400, height=300))
    return folder


@pytest.fixture
def images(campaign: Campaign, source: Path) -> list[Image]:
    """Return imported photos, the first by name first."""
    folder_import(campaign=campaign, source=source)
    return list(campaign.images.order_by("name"))


@pytest.fixture
def restored() -> Any:
    """Return the list of the ids that the signal `photos_restored` has sent."""
    sent: list[int] = []

    def receive(image_ids: list[int], **kwargs: Any) -> None:
        sent.extend(image_ids)

    photos_restored.connect(receive)
    yield sent
    photos_restored.disconnect(receive)


def step(*, later: timedelta = timedelta()) -> int:
    """Run a step of the background check, as if `later` had passed."""
    FileCheck.objects.update(next_at=timezone.now())
    PhotoFile.objects.exclude(checked_at=None).update(checked_at=timezone.now() - later)
    return photo_files_step()


def problem(image: Image) -> str:
    return Image.objects.get(pk=image.pk).problem


def given(campaign: Campaign, annotator: Any) -> set[int]:
    """Return the photos that the queue gives to the annotator."""
    rng = random.Random(1)
    return {lease.image_id for lease in leases_claim(campaign=campaign, annotator=annotator, count=COUNT, rng=rng)}


# --- repair by import -----------------------------------------------------------------------------


def test_importing_a_known_photo_again_writes_its_missing_file(
    campaign: Campaign, images: list[Image], source: Path
) -> None:
    photo_path(images[0]).unlink()
    thumbnail_path(images[1]).unlink()
    batch = folder_import(campaign=campaign, source=source)
    assert (batch.added, batch.duplicates, batch.repaired) == (0, COUNT, 2)
    assert photo_path(images[0]).read_bytes() == (source / "photo-0.jpg").read_bytes()
    assert thumbnail_path(images[1]).exists()
    assert folder_import(campaign=campaign, source=source).repaired == 0


def test_importing_a_known_photo_again_replaces_damage_of_the_same_length(
    campaign: Campaign, images: list[Image], source: Path
) -> None:
    data = photo_path(images[0]).read_bytes()
    photo_path(images[0]).write_bytes(data[:-9] + bytes(9))
    thumbnail_path(images[1]).write_bytes(thumbnail_path(images[2]).read_bytes())
    assert folder_import(campaign=campaign, source=source).repaired == 2
    assert photo_path(images[0]).read_bytes() == data
    assert photo_files_verify().thumbnails_damaged == 0


def test_a_repair_in_one_campaign_is_a_repair_in_all(
    campaign: Campaign, images: list[Image], source: Path, restored: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    photo_path(images[0]).unlink()
    step()
    assert problem(images[0])
    with django_capture_on_commit_callbacks(execute=True):
        batch = folder_import(campaign=other, source=source)
    assert (batch.added, batch.repaired) == (COUNT, 0)  # the photos are new in this campaign
    assert not problem(images[0])
    assert images[0].pk in restored


def test_a_photo_that_can_no_longer_be_decoded_gets_its_original_back(
    campaign: Campaign, images: list[Image], source: Path, settings: Any
) -> None:
    photo_path(images[0]).unlink()
    thumbnail_path(images[0]).unlink()
    settings.IQS_MAX_PIXELS = 1000  # the limits have become stricter since the first import
    batch = folder_import(campaign=campaign, source=source)
    assert (batch.repaired, batch.rejected) == (1, 0)
    assert photo_path(images[0]).exists()
    assert "missing" in PhotoFile.objects.get(sha256=images[0].sha256).thumbnail_finding


# --- the queue ------------------------------------------------------------------------------------


def test_annotators_do_not_get_a_damaged_photo_until_it_is_repaired(
    campaign: Campaign, images: list[Image], source: Path, people: dict[str, Any]
) -> None:
    photo_path(images[0]).write_bytes(b"damage")
    assert images[0].pk in given(campaign, people["alice"])  # not noticed yet
    step()
    assert problem(images[0]) == "The file of this photo is damaged: it is not the one that was imported."
    assert given(campaign, people["bob"]) == {image.pk for image in images[1:]}
    folder_import(campaign=campaign, source=source)
    assert given(campaign, people["bob"]) == {image.pk for image in images}
    assert Image.objects.filter(problem="").count() == COUNT


def test_a_missing_thumbnail_does_not_take_the_photo_out_and_is_made_again(images: list[Image]) -> None:
    thumbnail_path(images[0]).unlink()
    assert step() == COUNT
    assert thumbnail_path(images[0]).exists()
    assert not problem(images[0])
    assert not PhotoFile.objects.exclude(thumbnail_finding="").exists()


def test_the_problem_that_people_reported_stays_unless_it_is_the_damage(
    campaign: Campaign, images: list[Image], source: Path
) -> None:
    Image.objects.filter(pk=images[0].pk).update(problem="3 annotators skipped it: “Offensive”.")
    Image.objects.filter(pk=images[1].pk).update(problem=DAMAGED_PROBLEM)
    for image in images[:2]:
        photo_path(image).unlink()
    step()
    assert problem(images[0]) == "3 annotators skipped it: “Offensive”."
    assert problem(images[1]) == "The file of this photo is missing on the server."
    folder_import(campaign=campaign, source=source)
    assert problem(images[0]) == "3 annotators skipped it: “Offensive”."
    assert problem(images[1]) == ""


def test_an_admin_cannot_put_a_photo_without_file_back(images: list[Image]) -> None:
    photo_path(images[0]).unlink()
    step()
    with pytest.raises(SpecialPhotoError, match="Import the photo again"):
        problem_remove(image=images[0])
    assert problem(images[0])


# --- the background check -------------------------------------------------------------------------


def test_a_step_reads_no_more_than_its_share_and_the_next_one_waits(images: list[Image], settings: Any) -> None:
    settings.IQS_SWEEP_SECONDS = 15
    size = images[0].byte_size
    settings.IQS_CHECK_BYTES_PER_MINUTE = 4 * size  # so one photo every 15 seconds, or a little less
    assert photo_files_step() == 1
    assert not photo_files_due()
    assert photo_files_step() == 0  # another worker at the same time
    FileCheck.objects.update(next_at=timezone.now())
    assert photo_files_due()
    assert photo_files_step() == 1
    assert FileCheck.objects.get(name=BACKGROUND).position == images[1].pk


def test_the_check_goes_through_all_photos_and_rests(images: list[Image], settings: Any) -> None:
    assert step() == COUNT
    assert set(PhotoFile.objects.values_list("sha256", flat=True)) == {image.sha256 for image in images}
    assert step() == 0  # it rests
    FileCheck.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    assert step() == COUNT


def test_a_check_that_is_switched_off_does_nothing(images: list[Image], settings: Any) -> None:
    settings.IQS_CHECK_BYTES_PER_MINUTE = 0
    assert not photo_files_due()
    assert photo_files_step() == 0
    assert not PhotoFile.objects.exists()


def test_a_photo_whose_file_could_not_be_read_is_checked_first(images: list[Image], settings: Any) -> None:
    step()
    photo_path(images[3]).unlink()
    photo_file_suspect(sha256=images[3].sha256)
    assert step() == 1  # the others rest
    assert "missing" in problem(images[3])


def test_a_folder_that_comes_back_is_accepted_without_reading_and_then_read(
    images: list[Image], settings: Any, restored: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    media = Path(settings.MEDIA_ROOT)
    media.rename(media.with_name("elsewhere"))
    step()
    assert Image.objects.filter(problem="").count() == 0
    media.with_name("elsewhere").rename(media)
    photo_path(images[0]).write_bytes(bytes(images[0].byte_size))  # damage of the same length
    settings.IQS_CHECK_BYTES_PER_MINUTE = 4
    with django_capture_on_commit_callbacks(execute=True):
        step(later=timedelta(minutes=2))
    assert sorted(restored) == [image.pk for image in images]
    settings.IQS_CHECK_BYTES_PER_MINUTE = 60_000_000
    step()
    assert [bool(problem(image)) for image in images] == [True, False, False, False]


def test_a_missing_photo_is_not_looked_for_at_every_step(images: list[Image]) -> None:
    photo_path(images[0]).unlink()
    step()
    before = PhotoFile.objects.get(sha256=images[0].sha256).checked_at
    FileCheck.objects.update(next_at=timezone.now())
    photo_files_step()
    assert PhotoFile.objects.get(sha256=images[0].sha256).checked_at == before


def test_rows_of_deleted_photos_are_removed(images: list[Image]) -> None:
    photo_path(images[0]).unlink()
    step()
    images[0].delete()
    step(later=timedelta(minutes=2))
    assert not PhotoFile.objects.filter(sha256=images[0].sha256).exists()


def test_photos_of_two_campaigns_are_marked_together(campaign: Campaign, images: list[Image], source: Path) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    folder_import(campaign=other, source=source)
    photo_path(images[0]).unlink()
    result = photo_files_verify()
    assert (result.total, result.damaged) == (2 * COUNT, 1)
    assert Image.objects.exclude(problem="").count() == 2


# --- verify ---------------------------------------------------------------------------------------


class Stop(Exception):
    """Ends a check as Ctrl-C would."""


def test_an_interrupted_check_is_continued(images: list[Image], monkeypatch: pytest.MonkeyPatch) -> None:
    from annotation.services import photo_files

    monkeypatch.setattr(photo_files, "_BATCH", 1)  # smaller steps, so that the test needs few photos
    seen: list[int] = []

    def interrupted(done: int, total: int) -> None:
        seen.append(done)
        if done == 2:
            raise Stop

    with pytest.raises(Stop):
        photo_files_verify(progress=interrupted)
    photo_path(images[0]).unlink()  # already checked
    photo_path(images[3]).unlink()
    result = photo_files_verify(progress=lambda done, total: seen.append(done))
    assert seen == [0, 1, 2, 2, 3, 4]
    assert result.damaged == 1
    assert photo_files_verify(restart=True).damaged == 2


def test_thumbnails_are_repaired_only_on_request(images: list[Image]) -> None:
    thumbnail_path(images[0]).write_bytes(b"")
    assert photo_files_verify().thumbnails_damaged == 1
    result = photo_files_verify(repair_thumbnails=True)
    assert (result.thumbnails_damaged, result.thumbnails_repaired) == (0, 1)
    assert thumbnail_path(images[0]).read_bytes()


# --- uploads --------------------------------------------------------------------------------------


def upload(campaign: Campaign, count: int) -> ImportBatch:
    batch = upload_begin(campaign=campaign, by=None)
    for number in range(count):
        data = photo_bytes(100 + number)
        place = {"campaign": campaign, "batch_id": batch.pk, "number": number, "name": f"{number}.jpg"}
        assert upload_piece_store(**place, size=len(data), offset=0, piece=data)
    batch_enqueue(batch=batch)
    batch.refresh_from_db()
    return batch


def run(batch: ImportBatch) -> ImportBatch:
    claimed = batch_claim(batch_id=batch.pk)
    assert claimed is not None
    return batch_run(batch=claimed)


@pytest.mark.parametrize(("lost", "words"), [(1, "1 uploaded file"), (3, "3 uploaded files")])
def test_uploaded_files_that_vanished_are_told_in_the_result(campaign: Campaign, lost: int, words: str) -> None:
    batch = upload(campaign, 3)
    for number in range(lost):
        (batch_folder(batch) / f"{number}.jpg").unlink()
    assert uploads_lost() == [(batch, lost)]
    batch = run(batch)
    assert (batch.added, batch.rejected) == (3 - lost, 1)
    assert batch.rejections.get().name == words
    assert "upload" in batch.rejections.get().reason.lower()


def test_a_complete_upload_with_hidden_files_has_lost_nothing(campaign: Campaign) -> None:
    batch = upload(campaign, 2)
    (batch_folder(batch) / ".2.part").write_bytes(b"half")
    assert uploads_lost() == []
    assert run(batch).rejected == 0


def test_old_uploads_without_a_count_have_lost_nothing(campaign: Campaign, make_image: Callable[..., Image]) -> None:
    batch = upload(campaign, 1)
    ImportBatch.objects.update(received=0)
    batch.refresh_from_db()
    assert run(batch).rejected == 0
