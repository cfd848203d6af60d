"""Deleting many photos, and moving them to another campaign. Answers are never lost."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from annotation.models import Annotation, AuditRecord, Campaign, Image, ImportBatch, Membership, PhotoChange, Role
from annotation.services.photo_changes import (
    CLAIMS,
    PhotoChangeError,
    photo_change_request,
    photo_change_run,
    photos_affected,
    photos_of,
)
from annotation.services.queue import leases_claim
from annotation.services.withdrawals import photo_withdrawal_undo
from annotation.tasks import photos_change
from tests.conftest import photo_path
from tests.opinions_and_predictions import vote

DELETE, MOVE = PhotoChange.Kind.DELETE, PhotoChange.Kind.MOVE


@pytest.fixture
def batch(campaign: Campaign, people: dict[str, Any]) -> ImportBatch:
    return ImportBatch.objects.create(campaign=campaign, source="upload", state="done", added=4, total=4)


@pytest.fixture
def images(batch: ImportBatch, people: dict[str, Any], make_image: Callable[..., Image]) -> list[Image]:
    """Return four photos of the import: the first has two votes."""
    images = [make_image(seed, batch=batch) for seed in range(4)]
    vote(images[0], people["alice"], 5)
    vote(images[0], people["bob"], 7)
    return images


@pytest.fixture
def other(people: dict[str, Any]) -> Campaign:
    other = Campaign.objects.create(slug="clocks", name="Clocks", holdout_fraction=0.0, votes_per_image=2)
    Membership.objects.create(campaign=other, user=people["ada"], role=Role.ADMIN)
    return other


def run(change: PhotoChange) -> PhotoChange:
    photos_change(change.pk)
    change.refresh_from_db()
    return change


def test_photos_without_answers_are_deleted_and_the_others_withdrawn(
    campaign: Campaign, batch: ImportBatch, images: list[Image], people: dict[str, Any]
) -> None:
    paths = [photo_path(image) for image in images]
    affected = photos_affected(photos_of(campaign=campaign, batch=batch))
    assert (affected.photos, affected.answered, affected.unanswered, affected.answers) == (4, 1, 3, 2)
    change = run(photo_change_request(campaign=campaign, by=people["ada"], kind=DELETE, batch=batch, reason="Wrong."))
    assert (change.state, change.deleted, change.withdrawn) == ("done", 3, 1)
    (kept,) = Image.objects.all()
    assert kept == images[0]
    assert kept.withdrawn_at is not None
    assert kept.withdrawal.reason == "Wrong."
    assert Annotation.objects.count() == 2
    assert [path.exists() for path in paths] == [True, False, False, False]
    record = AuditRecord.objects.get(kind="photos_deleted")
    assert (record.by, record.what, record.after) == (
        people["ada"],
        f"import {batch.pk}",
        {"deleted": 3, "withdrawn": 1},
    )
    assert not AuditRecord.objects.filter(kind="withdrawal").exists()
    assert photo_withdrawal_undo(image=kept, by=people["ada"]).withdrawn_at is None


def test_a_photo_that_somebody_has_on_the_screen_is_not_deleted(
    campaign: Campaign, batch: ImportBatch, images: list[Image], people: dict[str, Any]
) -> None:
    (lease,) = leases_claim(campaign=campaign, annotator=people["rita"], count=1)
    change = run(photo_change_request(campaign=campaign, by=people["ada"], kind=DELETE, batch=batch, reason="Wrong."))
    assert Image.objects.filter(pk=lease.image_id).exists()
    assert change.deleted + change.withdrawn == 4
    assert change.withdrawn >= 1


def test_a_file_that_another_campaign_needs_stays(
    campaign: Campaign, batch: ImportBatch, other: Campaign, people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    here, there = make_image(1, batch=batch), make_image(1, campaign=other)
    run(photo_change_request(campaign=campaign, by=people["ada"], kind=DELETE, batch=batch, reason="Wrong."))
    assert not Image.objects.filter(pk=here.pk).exists()
    assert photo_path(there).exists()


def test_photos_move_with_a_new_split_and_without_answers(
    campaign: Campaign, batch: ImportBatch, other: Campaign, images: list[Image], people: dict[str, Any]
) -> None:
    change = run(photo_change_request(campaign=campaign, by=people["ada"], kind=MOVE, batch=batch, target=other))
    assert (change.state, change.moved, change.left) == ("done", 3, 1)
    assert list(campaign.images.all()) == [images[0]]
    moved = other.images.order_by("name")
    assert [image.name for image in moved] == [image.name for image in images[1:]]
    assert {(image.split, image.open_slots, image.vote_count) for image in moved} == {("train", 2, 0)}
    assert all(photo_path(image).exists() for image in moved)
    assert other.imports.get().source == "moved from Watches"
    assert AuditRecord.objects.get(kind="photos_moved").after == {"moved": 3, "left": 1, "to": "clocks"}


def test_a_photo_that_the_other_campaign_has_stays(
    campaign: Campaign, batch: ImportBatch, other: Campaign, people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    make_image(1, batch=batch)
    make_image(1, campaign=other)
    change = run(photo_change_request(campaign=campaign, by=people["ada"], kind=MOVE, batch=batch, target=other))
    assert (change.moved, change.left, campaign.images.count(), other.images.count()) == (0, 1, 1, 1)


def test_chosen_photos_are_changed_and_no_others(
    campaign: Campaign, images: list[Image], people: dict[str, Any]
) -> None:
    ids = [images[1].pk, images[2].pk]
    run(photo_change_request(campaign=campaign, by=people["ada"], kind=DELETE, image_ids=ids, reason="Blurred."))
    assert set(Image.objects.values_list("pk", flat=True)) == {images[0].pk, images[3].pk}


def test_a_change_waits_while_an_import_runs(
    campaign: Campaign, batch: ImportBatch, images: list[Image], people: dict[str, Any]
) -> None:
    from django.utils import timezone

    running = ImportBatch.objects.create(campaign=campaign, source="x", state="running", heartbeat_at=timezone.now())
    change = run(photo_change_request(campaign=campaign, by=people["ada"], kind=DELETE, batch=batch, reason="Wrong."))
    assert (change.state, change.step) == ("queued", "waiting for an import to end")
    assert Image.objects.count() == 4
    running.delete()
    assert run(change).state == "done"


def test_a_change_that_was_interrupted_goes_on(
    campaign: Campaign, batch: ImportBatch, images: list[Image], people: dict[str, Any]
) -> None:
    change = photo_change_request(campaign=campaign, by=people["ada"], kind=DELETE, batch=batch, reason="Wrong.")
    claimed = CLAIMS.claim(change.pk)
    assert claimed is not None
    images[1].delete()  # what the first attempt has done
    assert photo_change_run(change=claimed).state == "done"
    assert Image.objects.filter(withdrawn_at=None).count() == 0


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"kind": DELETE, "reason": " "}, "Enter a reason"),
        ({"kind": DELETE, "reason": "x" * 301}, "at most 300"),
        ({"kind": MOVE}, "Choose another campaign"),
        ({"kind": DELETE, "reason": "x", "batch": None}, "no photos to change"),
    ],
)
def test_impossible_changes_are_refused(
    campaign: Campaign, batch: ImportBatch, images: list[Image], people: dict[str, Any], asked: Any, message: str
) -> None:
    with pytest.raises(PhotoChangeError, match=message):
        photo_change_request(**{"campaign": campaign, "by": people["ada"], "batch": batch, **asked})


def test_one_change_of_a_campaign_at_a_time(
    campaign: Campaign, batch: ImportBatch, images: list[Image], people: dict[str, Any]
) -> None:
    photo_change_request(campaign=campaign, by=people["ada"], kind=DELETE, batch=batch, reason="Wrong.")
    with pytest.raises(PhotoChangeError, match="is running"):
        photo_change_request(campaign=campaign, by=people["ada"], kind=DELETE, batch=batch, reason="Wrong.")


@pytest.mark.parametrize("action", ["import-photos-delete", "import-photos-move"])
@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 403), ("ada", 302)]
)
def test_only_admins_change_the_photos_of_an_import(
    client_of: Any, batch: ImportBatch, images: list[Image], other: Campaign, name: str, status: int, action: str
) -> None:
    url = reverse(action, args=["watches", batch.pk])
    assert client_of(name).get(url).status_code in (302, 403, 404, 405)
    assert client_of(name).post(url, {"reason": "Wrong.", "target": "clocks"}).status_code == status
    assert PhotoChange.objects.exists() == (name == "ada")


def test_photos_do_not_move_to_a_campaign_of_others(client_of: Any, batch: ImportBatch, images: list[Image]) -> None:
    Campaign.objects.create(slug="secret", name="Secret")
    url = reverse("import-photos-move", args=["watches", batch.pk])
    page = client_of("ada").post(url, {"target": "secret"}, follow=True).content.decode()
    assert "Choose another campaign" in page
    assert "Secret" not in page
    assert not PhotoChange.objects.exists()


def test_the_dialogs_say_what_is_lost(client_of: Any, batch: ImportBatch, images: list[Image], other: Campaign) -> None:
    page = " ".join(client_of("ada").get(reverse("import-batch", args=["watches", batch.pk])).content.decode().split())
    assert "<strong>3</strong> that nobody was shown are deleted for good" in page
    assert "<strong>2 answers no longer count</strong> for anything, but are kept" in page
    assert "Move 3 photos" in page
    assert '<option value="clocks">Clocks</option>' in page
