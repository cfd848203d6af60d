"""The limits of a campaign beyond which its champion decides about photos on its own."""

from annotation.models import Campaign
from inference.decisions.limits import Limits


def campaign_limits(campaign: Campaign) -> Limits | None:
    """Return the limits of the campaign's guarantee for the present champion, or None without a guarantee."""
    return None
