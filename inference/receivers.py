"""Receivers of other apps' signals; `inference.apps` connects them at start-up."""

from typing import Any

from django.dispatch import receiver

from annotation.signals import photos_added, photos_changed, photos_deleted, photos_restored, user_anonymised
from annotation.tasks import announce
from inference.services.backlog import work_repeat_photos, work_retry_photos
from inference.services.personal_lines import personal_lines_forget
from inference.services.photo_results import photo_results_delete
from inference.tasks import priorities_run, sweep


@receiver(photos_added)
def new_photos_announce(*, campaign_id: int, **kwargs: Any) -> None:
    """Announce work for new photos: features, and priorities in the queue lanes."""
    announce(sweep)
    announce(priorities_run, campaign_id)


@receiver(photos_restored)
def restored_photos_retry(*, image_ids: list[int], **kwargs: Any) -> None:
    """Let workers try photos again that failed while their files were missing or damaged."""
    if work_retry_photos(image_ids=image_ids):
        announce(sweep)


@receiver(photos_deleted)
def deleted_photos_forget(*, image_ids: list[int], **kwargs: Any) -> None:
    """Delete what models computed from photos that no longer exist."""
    photo_results_delete(image_ids=image_ids)


@receiver(photos_changed)
def changed_photos_repeat(*, image_ids: list[int], **kwargs: Any) -> None:
    """Let workers compute again what they computed from photos that look different now."""
    if work_repeat_photos(image_ids=image_ids):
        announce(sweep)


@receiver(user_anonymised)
def anonymised_user_forget(*, user_id: int, **kwargs: Any) -> None:
    """Delete what was learned about the person's taste."""
    personal_lines_forget(user_id=user_id)
