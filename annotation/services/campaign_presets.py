"""What a new campaign can be for. A purpose gives the settings that somebody would otherwise have to find out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from annotation.language.lazy import gettext_lazy
from annotation.models import Campaign, Role, User
from annotation.services.lane_mixtures import mixture


@dataclass(frozen=True)
class Purpose:
    """A purpose that the page of a new campaign offers."""

    name: str
    label: str
    description: str
    """One or two sentences for somebody who has never made a campaign."""
    settings: Mapping[str, Any]
    """Fields of the campaign. The page shows them under 'Advanced', where each can be changed."""


#: The first one has the defaults of `Campaign`, and is chosen when the page opens.
PURPOSES = (
    Purpose(
        "teach",
        gettext_lazy("Teach a model"),
        gettext_lazy(
            "3 votes per photo. After each answer people see what the model says, and it learns from every 200 answers."
        ),
        {
            "mode": Campaign.Mode.REVEAL,
            "votes_per_image": 3,
            "holdout_votes": 5,
            "holdout_fraction": 0.2,
            "repeat_share": 0.0,
            "gold_share": 0.05,
            "train_after": 200,
            "lane_shares": mixture("both"),
        },
    ),
    Purpose(
        "measure",
        gettext_lazy("Measure what people see"),
        gettext_lazy(
            "10 votes per photo, for studies. Nobody sees a prediction, and hidden repeats show how consistent "
            "people are."
        ),
        {
            "mode": Campaign.Mode.BLIND,
            "votes_per_image": 10,
            "holdout_votes": 10,
            "holdout_fraction": 0.2,
            "repeat_share": 0.05,
            "gold_share": 0.05,
            "train_after": 0,
            "lane_shares": mixture("scores"),
        },
    ),
    Purpose(
        "sort",
        gettext_lazy("Sort a collection quickly"),
        gettext_lazy(
            "1 vote per photo. People see the prediction first and correct it, so models are not measured with these "
            "answers."
        ),
        {
            "mode": Campaign.Mode.PRELABEL,
            "votes_per_image": 1,
            "holdout_votes": 1,
            "holdout_fraction": 0.1,
            "repeat_share": 0.0,
            "gold_share": 0.05,
            "train_after": 0,
            "lane_shares": mixture("random"),
        },
    ),
)
#: Scales that the page offers by name, as (lowest, highest).
SCALES = ((1, 5), (1, 7), (1, 10), (0, 100))
#: What annotators read before they start, unless the admin writes something else.
INSTRUCTIONS = gettext_noop(
    "Look at each photo for a moment. First say whether it shows a watch or a clock. Then say how good the photo looks."
    " The lowest score is for the worst photos, the highest for the best. Use the whole scale, and trust your first "
    "impression."
)
#: Fields that a campaign does not take over from another one: they are its own, or follow from what happened to it.
_OWN_FIELDS = {"id", "slug", "name", "state", "seed", "closed_at", "data_deleted_at", "created_by", "created_at"}
_TEXTS = ("description", "instructions")


def settings_of(campaign: Campaign, *, with_texts: bool = True) -> dict[str, Any]:
    """Return the settings that a new campaign like this one has. with_texts: description and instructions too."""
    left_out = _OWN_FIELDS if with_texts else _OWN_FIELDS.union(_TEXTS)
    return {
        field.name: getattr(campaign, field.name)
        for field in Campaign._meta.concrete_fields
        if field.name not in left_out
    }


def campaigns_to_copy(user: User) -> QuerySet[Campaign]:
    """Return the campaigns whose settings the user may take for a new one: those that the user is an admin of."""
    campaigns = Campaign.objects.order_by("-created_at")
    if user.is_superuser:
        return campaigns
    return campaigns.filter(memberships__user=user, memberships__role=Role.ADMIN)
