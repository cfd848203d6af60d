"""The guarantee under which a campaign's champion decides about photos on its own."""

from dataclasses import dataclass

from annotation.models import Campaign
from inference.decisions.calibration import Tolerances
from inference.decisions.limits import Limits
from inference.gallery.decisions import State, deciding


@dataclass(frozen=True)
class Guarantee:
    """What is guaranteed now, or why nothing is."""

    state: State
    limits: Limits | None
    """None unless the model decides."""
    tolerances: Tolerances | None
    """What the campaign allows; None without limits."""


def campaign_guarantee(campaign: Campaign) -> Guarantee:
    """Return the guarantee of the campaign for its present champion (up to three queries)."""
    found = deciding(campaign)
    limits = found.limits
    return Guarantee(found.state, limits, found.rule.tolerances if found.rule and limits else None)
