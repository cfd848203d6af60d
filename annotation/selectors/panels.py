"""The noise of a campaign's own votes, as a panel to plan another campaign with."""

import numpy as np
from django.db.models import QuerySet
from django.utils.translation import gettext

from annotation.measures.agreement.ceiling import FEWEST_PHOTOS
from annotation.measures.agreement.crossed import VarianceComponents, variance_components
from annotation.measures.agreement.one_way import one_way_variances
from annotation.measures.panels import Panel, panel_of
from annotation.models import Campaign, Membership, Role, User
from annotation.selectors.activity import Median
from annotation.selectors.campaign_quality import agreement_votes, label_counts
from annotation.selectors.opinions import campaign_vote_variance
from annotation.selectors.votes import votes_of


def campaigns_reviewed(user: User) -> QuerySet[Campaign]:
    """Return the campaigns in which the user is a reviewer or admin; all for superusers."""
    if user.is_superuser:
        return Campaign.objects.all()
    roles = [role.value for role in Role if role.rank >= Role.REVIEWER.rank]
    return Campaign.objects.filter(pk__in=Membership.objects.filter(user=user, role__in=roles).values("campaign"))


def campaign_panel(campaign: Campaign) -> Panel | None:
    """Return the noise of the campaign's independent votes; None with fewer than 20 photos that have two votes.

    When the votes cannot tell annotators from the rest, all noise counts as rest.
    """
    counted = label_counts(campaign)
    votes = agreement_votes(campaign, counted=counted).table
    _, row, count = np.unique(votes.image_ids, return_inverse=True, return_counts=True)
    if (count > 1).sum() < FEWEST_PHOTOS:
        return None
    variances = variance_components(votes.image_ids, votes.annotator_ids, votes.scores)
    if variances is None:
        photos, rest = one_way_variances(row, votes.scores.astype(np.float64))
        variances = VarianceComponents(photos, 0.0, rest)
    if variances.photos <= 0 or variances.rest <= 0:
        return None
    people = len(np.unique(votes.annotator_ids))
    source = gettext("%(votes)s votes on %(photos)s photos by %(people)s people of this campaign") % {
        "votes": f"{len(votes):,}",
        "photos": f"{len(count):,}",
        "people": f"{people:,}",
    }
    if counted.simulated_votes:
        simulated = {"votes": f"{counted.simulated_votes:,}"}
        source += "; " + gettext("%(votes)s of all votes are from simulated annotators") % simulated
    scale = (campaign.scale_min, campaign.scale_max)
    return panel_of(campaign.name, source, scale, variances, campaign_vote_variance(campaign))


def campaign_pace(campaign: Campaign) -> float | None:
    """Return the median seconds from showing a photo to the answer, over all votes; None when it is unknown."""
    found = votes_of(campaign).aggregate(pace=Median("milliseconds"))["pace"]
    return None if not found else found / 1000
