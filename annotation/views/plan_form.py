"""The form of the page Plan a campaign, and what it starts with."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from annotation.measures.panels import PUBLISHED, Panel
from annotation.measures.study_design import Study
from annotation.models import Campaign, Image, User
from annotation.selectors.panels import campaign_pace, campaign_panel, campaigns_reviewed

DEFAULTS: dict[str, Any] = {
    "noise": "oasis",
    "lowest": 1,
    "highest": 10,
    "photos": 800,
    "votes": 3,
    "holdout_photos": 200,
    "holdout_votes": 5,
    "people": 10,
    "seconds": 5.0,
    "cost_per_hour": 0.0,
    "champion": 0.6,
    "similarity": 0.9,
}


@dataclass(frozen=True)
class Noise:
    """Where the noise of the votes is from."""

    panel: Panel
    campaign: Campaign | None = None


class PlanForm(forms.Form):
    """A planned campaign."""

    noise = forms.ChoiceField(
        label=gettext_lazy("Noise of the votes from"),
        help_text=gettext_lazy("A pilot is a campaign with two votes a photo."),
    )
    lowest = forms.IntegerField(label=gettext_lazy("Lowest score"), min_value=0, max_value=99)
    highest = forms.IntegerField(label=gettext_lazy("Highest score"), min_value=1, max_value=100)
    people = forms.IntegerField(label=gettext_lazy("Annotators"), min_value=1, max_value=100_000)
    photos = forms.IntegerField(label=gettext_lazy("Photos to learn from"), min_value=1, max_value=10_000_000)
    votes = forms.IntegerField(label=gettext_lazy("Votes on each"), min_value=1, max_value=1000)
    holdout_photos = forms.IntegerField(label=gettext_lazy("Holdout photos"), min_value=1, max_value=1_000_000)
    holdout_votes = forms.IntegerField(label=gettext_lazy("Votes on each holdout photo"), min_value=1, max_value=1000)
    seconds = forms.FloatField(label=gettext_lazy("Seconds a vote"), min_value=0.1, max_value=3600)
    cost_per_hour = forms.FloatField(
        label=gettext_lazy("Cost an hour"), min_value=0, max_value=10_000, help_text=gettext_lazy("In any currency.")
    )
    champion = forms.FloatField(
        label=gettext_lazy("SRCC of the present model"),
        min_value=0.01,
        max_value=0.99,
        help_text=gettext_lazy("With the opinion of everybody. The gain is measured from here."),
    )
    similarity = forms.FloatField(
        label=gettext_lazy("SRCC of the two models' scores"),
        min_value=0.01,
        max_value=0.999,
        help_text=gettext_lazy("Two versions of one campaign often have 0.9 and more."),
    )

    def __init__(self, *args: Any, campaigns: list[Campaign], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        published = [(key, one.name) for key, one in PUBLISHED.items()]
        own = [(one.slug, one.name) for one in campaigns]
        field = self.fields["noise"]
        field.choices = [(gettext("Published"), published), *([(gettext("Campaigns"), own)] if own else [])]  # type: ignore[attr-defined]
        for name in ("seconds", "cost_per_hour", "champion", "similarity"):
            self.fields[name].widget.attrs["step"] = "any"

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the fields under headings."""
        names = {
            gettext("Scale and noise"): ("noise", "lowest", "highest"),
            gettext("Photos and votes"): ("photos", "votes", "holdout_photos", "holdout_votes", "people"),
            gettext("Time and cost"): ("seconds", "cost_per_hour"),
            gettext("Models to compare"): ("champion", "similarity"),
        }
        return [(heading, [self[name] for name in fields]) for heading, fields in names.items()]

    def clean(self) -> dict[str, Any]:
        """Check what depends on two fields."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("lowest") is not None and data.get("highest") is not None and data["highest"] <= data["lowest"]:
            self.add_error("highest", gettext("The highest score must be above the lowest."))
        for name in ("votes", "holdout_votes"):
            if data.get("people") and data.get(name) and data[name] > data["people"]:
                self.add_error(
                    name,
                    gettext("Each annotator has one vote on a photo, so at most %(data)s are possible.")
                    % {"data": data["people"]},
                )
        return data

    def study(self) -> Study:
        """Return the planned campaign of a valid form."""
        names = ("photos", "votes", "holdout_photos", "holdout_votes", "people", "seconds", "cost_per_hour")
        return Study(**{name: self.cleaned_data[name] for name in (*names, "champion", "similarity")})


def plan_campaigns(user: User) -> list[Campaign]:
    """Return the campaigns whose noise the user can see, by name (one query)."""
    return list(campaigns_reviewed(user))


def noise_of(key: str, campaigns: list[Campaign]) -> Noise | None:
    """Return the noise with this key: a published panel or a campaign's slug; None if the campaign has too few votes.

    Raises KeyError for an unknown key.
    """
    for campaign in campaigns:
        if campaign.slug == key:
            panel = campaign_panel(campaign)
            return None if panel is None else Noise(panel, campaign)
    return Noise(PUBLISHED[key])


def first_values(key: str, campaigns: list[Campaign]) -> dict[str, Any]:
    """Return what the form starts with, for the noise with this key; unknown keys give the defaults.

    For a campaign these are its own numbers, as far as it has them (four queries).
    """
    campaign = next((one for one in campaigns if one.slug == key), None)
    if campaign is None:
        return DEFAULTS | ({"noise": key} if key in PUBLISHED else {})
    photos = {
        split: campaign.images.filter(split=split, withdrawn_at=None).count()
        for split in (Image.Split.TRAIN, Image.Split.HOLDOUT)
    }
    people = max(
        campaign.memberships.count(), campaign.votes_per_image, campaign.holdout_votes
    )  # members, because everybody may vote
    pace = campaign_pace(campaign)
    return DEFAULTS | {
        "noise": campaign.slug,
        "lowest": campaign.scale_min,
        "highest": campaign.scale_max,
        "photos": photos[Image.Split.TRAIN] or DEFAULTS["photos"],
        "votes": campaign.votes_per_image,
        "holdout_photos": photos[Image.Split.HOLDOUT] or DEFAULTS["holdout_photos"],
        "holdout_votes": campaign.holdout_votes,
        "people": people,
        "seconds": round(pace, 1) if pace else DEFAULTS["seconds"],
    }
