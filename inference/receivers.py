"""Receivers of other apps' signals; `inference.apps` connects them at start-up."""

from typing import Any

from django.dispatch import receiver

from annotation.signals import photos_added
from annotation.tasks import announce
from inference.tasks import priorities_run, sweep


@receiver(photos_added)
def new_photos_announce(*, campaign_id: int, **kwargs: Any) -> None:
    """Announce work for new photos: features, and priorities in the queue lanes."""
    announce(sweep)
    announce(priorities_run, campaign_id)
