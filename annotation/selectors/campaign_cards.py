"""The campaigns of one user, for the home page."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count

from annotation.models import Annotation, Campaign, Membership, Role, User
from annotation.selectors.progress import Progress, campaigns_progress


@dataclass(frozen=True)
class CampaignCard:
    """One campaign on the home page."""

    campaign: Campaign
    role: Role
    progress: Progress
    own_answers: int
    """The user's votes, on photos of every kind."""


def campaign_cards(user: User | AnonymousUser) -> list[CampaignCard]:
    """Return the campaigns that the user can open, with their progress (four queries)."""
    if isinstance(user, AnonymousUser):
        return []
    roles = {membership.campaign_id: Role(membership.role) for membership in Membership.objects.filter(user=user)}
    campaigns = Campaign.objects.all() if user.is_superuser else Campaign.objects.filter(pk__in=roles)
    progress = campaigns_progress([campaign.pk for campaign in campaigns])
    own = dict(
        Annotation.objects.filter(annotator=user).votes().order_by().values_list("campaign_id").annotate(Count("pk"))
    )
    return [
        CampaignCard(
            campaign,
            Role.ADMIN if user.is_superuser else roles[campaign.pk],
            progress=progress[campaign.pk],
            own_answers=own.get(campaign.pk, 0),
        )
        for campaign in campaigns
    ]
