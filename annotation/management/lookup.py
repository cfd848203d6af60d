"""What several commands ask of their arguments."""

from django.core.management.base import CommandError

from annotation.models import Campaign


def campaign_named(slug: str) -> Campaign:
    """Return the campaign with this slug. Raises CommandError with the slugs that there are."""
    campaign = Campaign.objects.filter(slug=slug).first()
    if campaign is None:
        known = ", ".join(Campaign.objects.values_list("slug", flat=True)) or "there is none yet"
        raise CommandError(f"There is no campaign {slug!r} (known: {known}).")
    return campaign
