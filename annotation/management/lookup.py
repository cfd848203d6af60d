"""Arguments that several commands share."""

from django.core.management.base import CommandError

from annotation.models import Campaign


def campaign_named(slug: str) -> Campaign:
    """Return the campaign with this present or old slug. Raises CommandError with a list of the existing slugs."""
    campaign = Campaign.objects.filter(addresses__slug=slug).first()
    if campaign is None:
        known = ", ".join(Campaign.objects.values_list("slug", flat=True)) or "none"
        raise CommandError(f"There is no campaign {slug!r}. Existing campaigns: {known}.")
    return campaign
