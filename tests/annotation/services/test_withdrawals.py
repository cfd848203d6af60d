from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from annotation.models import (
    Annotation,
    Assignment,
    AuditKind,
    AuditRecord,
    Campaign,
    Image,
    ImportBatch,
    ImportRejection,
    PhotoFile,
    Withdrawal,
)
from annotation.selectors.export import annotation_records
from annotation.selectors.opinions import special_counts
from annotation.selectors.own_history import own_history
from annotation.selectors.progress import campaign_progress
from annotation.selectors.votes import vote_table
from annotation.services.annotations import annotation_record
from annotation.services.batches import folder_import
from annotation.services.photo_files import photo_files_step, photo_files_verify
from annotation.services.queue import leases_claim
from annotation.services.special_photos import SpecialPhotoError, problem_remove
from annotation.services.withdrawals import (
    WithdrawalError,
    photo_withdraw,
    photo_withdrawal_undo,
    withdrawn_files_delete,
)
from tests.conftest import photo_bytes, photo_path, thumbnail_path


def vote(campaign: Campaign, annotator: Any, image: Image) -> Annotation:
    receipt = annotation_record(
        campaign=campaign, annotator=annotator, image_id=image.pk, client_id=uuid4(), watch="yes", score=7
    )
    return receipt.annotation


def later(days: float) -> None:
    Withdrawal.objects.update(at=timezone.now() - timedelta(days=days))


@pytest.fixture
def photo(make_image: Callable[..., Image], people: Any) -> Image:
    image = make_image(1)
    thumbnail_path(image).write_bytes(b"thumbnail")
    return image


def test_a_withdrawn_photo_leaves_queue_votes_exports_and_lists(
    campaign: Campaign, people: Any, photo: Image, make_image: Callable[..., Image]
) -> None:
    other = make_image(2)
    for image in (photo, other):
        vote(campaign, people["bob"], image)
    photo_withdraw(image=photo, reason="The person asked for it.", by=people["rita"])
    leases = leases_claim(campaign=campaign, annotator=people["alice"], count=5)
    assert [lease.image_id for lease in leases] == [other.pk]
    assert vote_table(campaign).image_ids.tolist() == [other.pk]
    assert [row.sha256 for row in annotation_records(campaign)] == [other.sha256]
    assert [row.image_id for row in own_history(campaign, people["bob"], count=5)[0]] == [other.pk]
    assert campaign_progress(campaign).all_images == 1
    assert special_counts(campaign).problem == 0


def test_leases_end_and_a_late_answer_is_kept_but_not_used(campaign: Campaign, people: Any, photo: Image) -> None:
    (lease,) = leases_claim(campaign=campaign, annotator=people["alice"], count=1)
    photo_withdraw(image=photo, reason="Private", by=people["rita"])
    lease.refresh_from_db()
    assert lease.state == Assignment.State.RETURNED
    assert leases_claim(campaign=campaign, annotator=people["alice"], count=1) == []
    answer = vote(campaign, people["alice"], photo)
    assert Annotation.objects.filter(pk=answer.pk).exists()
    assert len(vote_table(campaign)) == 0


def test_a_photo_comes_back_as_it_was(campaign: Campaign, people: Any, photo: Image) -> None:
    vote(campaign, people["bob"], photo)
    Image.objects.filter(pk=photo.pk).update(problem="3 annotators skipped it.")
    before = Image.objects.filter(pk=photo.pk).values().get()
    photo_withdraw(image=photo, reason="Private", by=people["rita"])
    photo_withdrawal_undo(image=photo, by=people["ada"])
    assert Image.objects.filter(pk=photo.pk).values().get() == before
    assert len(vote_table(campaign)) == 1
    assert not Withdrawal.objects.exists()
    assert PhotoFile.objects.get(sha256=photo.sha256).checked_at is None  # checked next


def test_withdrawal_and_undo_leave_an_audit_record(people: Any, photo: Image) -> None:
    photo_withdraw(image=photo, reason="Private reason", by=people["rita"])
    photo_withdrawal_undo(image=photo, by=people["ada"])
    records = list(AuditRecord.objects.filter(kind__in=[AuditKind.WITHDRAWAL, AuditKind.WITHDRAWAL_UNDONE]))
    assert [(one.kind, one.by, one.campaign_id) for one in reversed(records)] == [
        ("withdrawal", people["rita"], photo.campaign_id),
        ("withdrawal_undone", people["ada"], photo.campaign_id),
    ]
    assert not any("Private reason" in f"{one.what}{one.before}{one.after}" for one in records)


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 301, "\0"])
def test_a_withdrawal_needs_a_short_reason(people: Any, photo: Image, reason: str) -> None:
    with pytest.raises(WithdrawalError, match="reason of at most 300"):
        photo_withdraw(image=photo, reason=reason, by=people["rita"])


def test_what_makes_no_sense_is_refused(people: Any, photo: Image) -> None:
    with pytest.raises(WithdrawalError, match="not withdrawn"):
        photo_withdrawal_undo(image=photo, by=people["rita"])
    photo_withdraw(image=photo, reason="Private", by=people["rita"])
    with pytest.raises(WithdrawalError, match="already"):
        photo_withdraw(image=photo, reason="Private", by=people["rita"])
    with pytest.raises(SpecialPhotoError, match="withdrawn"):
        problem_remove(image=photo)


def test_the_files_stay_for_some_days(settings: Any, people: Any, photo: Image) -> None:
    settings.IQS_WITHDRAWN_DAYS = 7
    photo_withdraw(image=photo, reason="Private", by=people["rita"])
    later(6.9)
    assert withdrawn_files_delete() == 0
    assert photo_path(photo).exists()
    later(7.1)
    assert withdrawn_files_delete() == 1
    assert not photo_path(photo).exists()
    assert not thumbnail_path(photo).exists()
    assert withdrawn_files_delete() == 0
    with pytest.raises(WithdrawalError, match="files are deleted"):
        photo_withdrawal_undo(image=photo, by=people["rita"])
    assert Withdrawal.objects.get().reason == "Private"


def test_files_that_another_campaign_needs_stay(settings: Any, people: Any, make_image: Any, photo: Image) -> None:
    settings.IQS_WITHDRAWN_DAYS = 0
    other = make_image(1, campaign=Campaign.objects.create(slug="other", name="Other"))
    photo_withdraw(image=photo, reason="Private", by=people["rita"])
    assert withdrawn_files_delete() == 1
    assert photo_path(other).exists()
    assert thumbnail_path(other).exists()
    photo_withdraw(image=other, reason="Private", by=people["rita"])
    assert withdrawn_files_delete() == 1
    assert not photo_path(other).exists()
    assert not thumbnail_path(other).exists()


def test_deletion_waits_for_a_running_import(settings: Any, campaign: Campaign, people: Any, photo: Image) -> None:
    settings.IQS_WITHDRAWN_DAYS = 0
    photo_withdraw(image=photo, reason="Private", by=people["rita"])
    batch = ImportBatch.objects.create(campaign=campaign, state="running", heartbeat_at=timezone.now())
    assert withdrawn_files_delete() == 0
    batch.state = ImportBatch.State.DONE
    batch.save()
    assert withdrawn_files_delete() == 1


@pytest.mark.parametrize("are_files_deleted", [False, True])
def test_importing_the_same_photo_says_that_it_was_withdrawn(
    settings: Any, campaign: Campaign, people: Any, photo: Image, tmp_path: Path, are_files_deleted: bool
) -> None:
    settings.IQS_WITHDRAWN_DAYS = 0
    photo_withdraw(image=photo, reason="Private", by=people["rita"])
    if are_files_deleted:
        withdrawn_files_delete()
    folder = tmp_path / "again"
    folder.mkdir()
    (folder / "renamed.jpg").write_bytes(photo_bytes(1))
    batch = folder_import(campaign=campaign, source=folder)
    assert (batch.state, batch.added, batch.duplicates, batch.rejected) == ("done", 0, 0, 1)
    assert "was withdrawn from the campaign on" in ImportRejection.objects.get().reason
    assert photo_path(photo).exists() is not are_files_deleted


def test_another_campaign_can_still_import_it(
    settings: Any, campaign: Campaign, people: Any, photo: Image, tmp_path: Path
) -> None:
    settings.IQS_WITHDRAWN_DAYS = 0
    photo_withdraw(image=photo, reason="Private", by=people["rita"])
    withdrawn_files_delete()
    other = Campaign.objects.create(slug="other", name="Other")
    folder = tmp_path / "again"
    folder.mkdir()
    (folder / "photo.jpg").write_bytes(photo_bytes(1))
    assert folder_import(campaign=other, source=folder).added == 1
    assert photo_path(photo).exists()


def test_checks_do_not_miss_the_files_of_withdrawn_photos(settings: Any, people: Any, photo: Image) -> None:
    settings.IQS_WITHDRAWN_DAYS = 0
    photo_withdraw(image=photo, reason="Private", by=people["rita"])
    withdrawn_files_delete()
    assert photo_files_step() == 0
    result = photo_files_verify()
    assert (result.total, result.damaged) == (0, 0)
