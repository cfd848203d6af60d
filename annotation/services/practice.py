"""Practice photos: a member rates them once, before the first photo that counts."""

from django.utils import timezone

from annotation.models import Campaign, Membership, User


def practice_finish(*, campaign: Campaign, annotator: User) -> None:
    """Note that the annotator has been through the practice photos; the first time counts."""
    Membership.objects.filter(campaign=campaign, user=annotator, practised_at=None).update(practised_at=timezone.now())
