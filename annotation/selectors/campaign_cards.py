"""The campaigns of one user, for the home page."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Max, OuterRef

from annotation.models import LIVE, Annotation, Campaign, Image, Membership, Role, User
from annotation.selectors.photos_left import photos_left
from annotation.selectors.progress import Progress, campaigns_progress

PICTURES = 4


@dataclass(frozen=True)
class CampaignCard:
    """One campaign on the home page."""

    campaign: Campaign
    role: Role
    progress: Progress
    own_answers: int
    """The user's votes, on photos of every kind."""
    left: int
    """Photos that are left for the user."""
    answered_at: datetime | None
    """When the user answered last."""
    pictures: list[int]
    """Ids of photos to show: those that the user answered last, or for reviewers the newest ones. An annotator must
    not see a photo before the queue shows it."""

    @property
    def is_open(self) -> bool:
        """Return whether people can rate photos in it now."""
        return self.campaign.state == Campaign.State.ACTIVE and self.progress.all_images > 0


def campaign_cards(user: User | AnonymousUser) -> list[CampaignCard]:
    """Return the campaigns that the user can open, with their progress (six queries; for reviewers and admins seven).

    The campaign in which the user answered last comes first, then the others by name.
    """
    if isinstance(user, AnonymousUser):
        return []
    roles = {membership.campaign_id: Role(membership.role) for membership in Membership.objects.filter(user=user)}
    mine = Campaign.objects.all() if user.is_superuser else Campaign.objects.filter(pk__in=roles)
    of_campaign = {"campaign": OuterRef("pk")}
    own_newest = Annotation.objects.filter(annotator=user, image__withdrawn_at=None, **of_campaign).votes()
    campaigns = list(
        mine.annotate(
            own_newest=ArraySubquery(own_newest.order_by("-pk").values("image_id")[:PICTURES]),
        )
    )
    newest = _newest([one.pk for one in campaigns if user.is_superuser or roles[one.pk] is not Role.ANNOTATOR])
    progress = campaigns_progress([campaign.pk for campaign in campaigns])
    left = photos_left(user, progress)
    votes = Annotation.objects.filter(annotator=user).votes().order_by()
    own = {pk: (count, last) for pk, count, last in votes.values_list("campaign_id").annotate(Count("pk"), Max("pk"))}
    times = dict(Annotation.objects.filter(pk__in=[last for _, last in own.values()]).values_list("pk", "created_at"))
    cards = []
    for campaign in campaigns:
        role = Role.ADMIN if user.is_superuser else roles[campaign.pk]
        count, last = own.get(campaign.pk, (0, None))
        cards.append(
            CampaignCard(
                campaign,
                role,
                progress=progress[campaign.pk],
                own_answers=count,
                left=left[campaign.pk],
                answered_at=times.get(last) if last else None,
                pictures=campaign.own_newest if role is Role.ANNOTATOR else newest.get(campaign.pk, []),
            )
        )
    return sorted(cards, key=lambda card: -card.answered_at.timestamp() if card.answered_at else 0.0)


def _newest(campaigns: list[int]) -> dict[int, list[int]]:
    """Return the ids of the newest photos of each of these campaigns (one query).

    Each campaign is named in a part of its own: the database then knows how many photos that campaign has. For a
    campaign that it does not know it assumes an average, and reads all newer photos of other campaigns.
    """
    parts = [
        Image.objects.filter(LIVE, campaign=one).order_by("-pk").values_list("campaign", "pk")[:PICTURES]
        for one in campaigns
    ]
    found: dict[int, list[int]] = {}
    for campaign, photo in parts[0].union(*parts[1:], all=True) if parts else []:
        found.setdefault(campaign, []).append(photo)
    return {campaign: sorted(photos, reverse=True) for campaign, photos in found.items()}
