"""People who worked in a campaign and are no longer its members: their answers may still be on the way."""

from datetime import timedelta

from django.utils import timezone

from annotation.models import Assignment, Campaign, User

#: An answer to a photo is taken from a former member if the lease ended at most this long ago.
TAKEN = timedelta(days=7)


def campaign_of_former_member(*, user: User, slug: str, image_id: int | None = None) -> Campaign | None:
    """Return the campaign at a present or old address, if the user ever had a photo of it (this one); else None.

    The lease proves that the user was a member. One query.
    """
    had = {"assignments__annotator": user.pk} | ({} if image_id is None else {"assignments__image": image_id})
    return Campaign.objects.filter(addresses__slug=slug, **had).first()


def was_leased_lately(assignments: list[Assignment]) -> bool:
    """Return whether one of a person's leases of a photo ended at most `TAKEN` ago."""
    return any(one.expires_at >= timezone.now() - TAKEN for one in assignments)
