"""What this app does when another one sends a signal; connected when Django starts (`inference.apps`)."""

from typing import Any

from django.dispatch import receiver

from annotation.signals import photos_added
from annotation.tasks import announce
from inference.tasks import priorities_run, sweep


@receiver(photos_added)
def photos_find(*, campaign_id: int, **kwargs: Any) -> None:
    """Tell the workers that there are photos without features and without a place in the lanes of the queue."""
    announce(sweep)
    announce(priorities_run, campaign_id)
