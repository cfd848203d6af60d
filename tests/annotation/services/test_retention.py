from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import Annotation, AuditKind, AuditRecord, Campaign, Image
from annotation.selectors.progress import campaign_progress
from annotation.services.annotations import annotation_record
from annotation.services.campaigns import campaign_state_set, campaign_update
from annotation.services.photo_files import photo_files_verify
from annotation.services.queue import leases_claim
from annotation.services.retention import retention_apply
from annotation.services.special_photos import SpecialPhotoError, problem_remove
from annotation.services.withdrawals import photo_withdraw, photo_withdrawal_undo, withdrawn_files_delete
from annotation.tasks import sweep
from tests.conftest import photo_path, thumbnail_path


@pytest.fixture
def photo(make_image: Callable[..., Image], people: Any) -> Image:
    image = make_image(1)
    thumbnail_path(image).write_bytes(b"thumbnail")
    return image


def close(campaign: Campaign, *, days: int, ago: float) -> Campaign:
    """Close the campaign `ago` days ago, with a retention time of `days`."""
    campaign_update(campaign=campaign, retention_days=days)
    campaign_state_set(campaign=campaign, state=Campaign.State.CLOSED)
    Campaign.objects.filter(pk=campaign.pk).update(closed_at=timezone.now() - timedelta(days=ago))
    campaign.refresh_from_db()
    return campaign


def vote(campaign: Campaign, annotator: Any, image: Image) -> Annotation:
    return annotation_record(
        campaign=campaign,
        annotator=annotator,
        image_id=image.pk,
        client_id=uuid4(),
        watch="yes",
        score=7,
        viewing={"screen": "wide"},
    ).annotation


def test_nothing_is_deleted_by_default(campaign: Campaign, photo: Image) -> None:
    close(campaign, days=0, ago=10_000)
    assert campaign.deletion_at is None
    assert retention_apply() == 0
    assert photo_path(photo).exists()


def test_originals_and_device_data_go_when_the_time_is_over(campaign: Campaign, people: Any, photo: Image) -> None:
    vote(campaign, people["alice"], photo)
    close(campaign, days=30, ago=29.9)
    assert retention_apply() == 0
    assert photo_path(photo).exists()
    close(campaign, days=30, ago=30.1)
    assert retention_apply() == 1
    assert not photo_path(photo).exists()
    assert thumbnail_path(photo).exists()
    answer = Annotation.objects.get()
    assert (answer.viewing, answer.score) == ({}, 7)
    campaign.refresh_from_db()
    assert campaign.data_deleted_at is not None
    assert campaign.deletion_at is None
    record = AuditRecord.objects.get(kind=AuditKind.RETENTION)
    assert (record.by, record.campaign, record.after) == (None, campaign, {"photos": 1, "answers": 1})
    assert retention_apply() == 0


def test_open_and_paused_campaigns_lose_nothing(campaign: Campaign, photo: Image) -> None:
    for state in (Campaign.State.ACTIVE, Campaign.State.PAUSED):
        Campaign.objects.filter(pk=campaign.pk).update(state=state, retention_days=1, closed_at=None)
        assert retention_apply() == 0
    assert photo_path(photo).exists()


def test_reopening_stops_the_clock(campaign: Campaign, photo: Image) -> None:
    close(campaign, days=5, ago=4)
    campaign.refresh_from_db()
    first = campaign.closed_at
    campaign_state_set(campaign=campaign, state=Campaign.State.ACTIVE)
    campaign.refresh_from_db()
    assert campaign.closed_at is None
    campaign_state_set(campaign=campaign, state=Campaign.State.CLOSED)
    campaign.refresh_from_db()
    assert campaign.closed_at not in (None, first)
    assert campaign.deletion_at == campaign.closed_at + timedelta(days=5)


def test_files_that_another_campaign_needs_stay(campaign: Campaign, make_image: Any, photo: Image) -> None:
    other = make_image(1, campaign=Campaign.objects.create(slug="other", name="Other"))
    close(campaign, days=1, ago=2)
    assert retention_apply() == 1
    assert photo_path(other).exists()


def test_the_sweep_does_it(campaign: Campaign, photo: Image) -> None:
    close(campaign, days=1, ago=2)
    sweep()
    assert not photo_path(photo).exists()


def test_pages_show_the_thumbnail_and_say_why(client_of: Any, campaign: Campaign, people: Any, photo: Image) -> None:
    vote(campaign, people["ada"], photo)
    close(campaign, days=1, ago=2)
    client = client_of("ada")
    settings_page = client.get(reverse("campaign-edit", args=[campaign.slug])).content.decode()
    assert "will be deleted" in settings_page
    retention_apply()
    response = client.get(reverse("photo-original", args=[photo.pk]))
    assert response.status_code == 404
    assert b"retention time" in response.content
    original, thumbnail = (reverse(name, args=[photo.pk]) for name in ("photo-original", "photo-thumbnail"))
    for url in (
        reverse("photo", args=[campaign.slug, photo.pk]),
        reverse("own-answer", args=[campaign.slug, photo.pk]),
        reverse("special-photo", args=[campaign.slug, photo.pk]),
    ):
        page = client.get(url).content.decode()
        assert f'src="{thumbnail}"' in page
        assert f'src="{original}"' not in page
    assert "were deleted on" in client.get(reverse("campaign-edit", args=[campaign.slug])).content.decode()


def test_a_reopened_campaign_does_not_hand_out_photos_without_originals(
    campaign: Campaign, people: Any, photo: Image
) -> None:
    close(campaign, days=1, ago=2)
    retention_apply()
    assert campaign_progress(campaign).images == 1  # the closed campaign still shows its result
    campaign_state_set(campaign=campaign, state=Campaign.State.ACTIVE)
    campaign.refresh_from_db()
    assert leases_claim(campaign=campaign, annotator=people["alice"], count=1) == []
    with pytest.raises(SpecialPhotoError, match="deleted for good"):
        problem_remove(image=photo)


def test_late_answers_bring_no_device_data_back(campaign: Campaign, people: Any, photo: Image) -> None:
    leases_claim(campaign=campaign, annotator=people["alice"], count=1)
    close(campaign, days=1, ago=2)
    retention_apply()
    campaign.refresh_from_db()
    assert vote(campaign, people["alice"], photo).viewing == {}


def test_checks_do_not_miss_deleted_originals(campaign: Campaign, photo: Image) -> None:
    close(campaign, days=1, ago=2)
    retention_apply()
    result = photo_files_verify()
    assert (result.total, result.damaged) == (0, 0)


def test_a_withdrawal_later_deletes_the_thumbnail_too(
    settings: Any, campaign: Campaign, people: Any, photo: Image
) -> None:
    settings.IQS_WITHDRAWN_DAYS = 1
    close(campaign, days=1, ago=2)
    retention_apply()
    photo_withdraw(image=photo, reason="Private", by=people["rita"])
    photo_withdrawal_undo(image=photo, by=people["rita"])
    assert thumbnail_path(photo).exists()
    settings.IQS_WITHDRAWN_DAYS = 0
    photo_withdraw(image=photo, reason="Private", by=people["rita"])
    assert withdrawn_files_delete() == 1
    assert not thumbnail_path(photo).exists()
