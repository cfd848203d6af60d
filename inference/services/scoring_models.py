"""Which model scores the photos that people send: the shipped one, or a version of a campaign.

Reviewers and admins may choose versions of their campaigns. Annotators get the shipped model only, because a version
of a blind campaign would tell them its predictions.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext, gettext_noop

from annotation.models import Campaign, Membership, Role, User
from inference.decisions.calibration import Tolerances
from inference.decisions.limits import Limits
from inference.models import ModelVersion
from inference.networks.model_files import ModelFileError
from inference.scoring.rows import Rules
from inference.selectors import class_limits, deployed_threshold, features_misfit, fits_scale
from inference.services.decision_limits import campaign_guarantee
from inference.serving.scorer import SITE_RULES, site_scorer, version_scorer

if TYPE_CHECKING:
    from inference.serving.scorer import PhotoScorer

#: Versions of one campaign that the page offers.
MOST_VERSIONS = 12
_MOST_CAMPAIGNS = 50
_FILE = "model.json"


@dataclass(frozen=True)
class ScoringModel:
    """A model with the rules for its results, as they were when the photos were sent."""

    name: str
    """For people, for example 'version 3 of Watches'."""
    rules: Rules
    version_id: int | None = None
    """None for the shipped model."""
    aim: str = ""
    """What its threshold is for, for example 'best F1'; '' for the shipped model."""
    number: int | None = None
    """Of the version; None for the shipped model."""
    limits: Limits | None = None
    """Of the campaign's guarantee; None without one, and for versions that are not the champion."""
    tolerances: Tolerances | None = None
    """What the guarantee allows; None without one."""
    state: str = ""
    """A `State` of `inference.gallery.decisions` for the champion, else ''."""
    campaign_id: int | None = None
    """None for the shipped model."""

    def write(self, folder: Path) -> None:
        """Store it in the folder of a scoring job."""
        (folder / _FILE).write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> "ScoringModel":
        """Return the model of a scoring job; the shipped one if none was chosen."""
        try:
            stored: dict[str, Any] = json.loads((folder / _FILE).read_text())
        except FileNotFoundError:
            return SHIPPED
        rules, limits, tolerances = stored.pop("rules"), stored.pop("limits", None), stored.pop("tolerances", None)
        return cls(
            **stored,
            rules=Rules(**{**rules, "synsets": tuple(rules["synsets"])}),
            limits=limits and Limits(**limits),
            tolerances=tolerances and Tolerances(**tolerances),
        )

    def scorer(self) -> "PhotoScorer":
        """Return the loaded model. Only workers call it. Raises RuntimeError with a message if it cannot be loaded."""
        if self.version_id is None:
            return site_scorer()
        version = ModelVersion.objects.select_related("campaign").filter(pk=self.version_id).first()
        if version is None:
            raise ModelFileError(gettext("The version was deleted."))
        return version_scorer(version, self.rules)


SHIPPED = ScoringModel(gettext_noop("the shipped model"), SITE_RULES)


def model_of(version: ModelVersion) -> ScoringModel:
    """Return a version as a model to try. Its campaign must be loaded."""
    campaign = version.campaign
    reject_at, pending_at = class_limits(campaign, version)
    rules = Rules(
        synsets=tuple(version.synsets or campaign.synsets),
        lowest=campaign.scale_min,
        bins=campaign.bins,
        threshold=deployed_threshold(version),
        reject_at=reject_at,
        pending_at=pending_at,
    )
    name = gettext_noop("version %(number)s of %(campaign)s") % {"number": version.number, "campaign": campaign.name}
    guarantee = campaign_guarantee(campaign) if version.is_champion else None
    return ScoringModel(
        name=name,
        rules=rules,
        version_id=version.pk,
        aim=campaign.get_watch_aim_display(),
        number=version.number,
        limits=guarantee.limits if guarantee else None,
        tolerances=guarantee.tolerances if guarantee else None,
        state=str(guarantee.state) if guarantee else "",
        campaign_id=campaign.pk,
    )


def champions_to_try(user: User) -> list[ModelVersion]:
    """Return the champions of the campaigns in which the user is reviewer or admin, with the campaigns (one query)."""
    versions = ModelVersion.objects.filter(is_champion=True, files_deleted_at=None).select_related("campaign")
    if not user.is_superuser:
        reviewed = Membership.objects.filter(user=user, role__in=_roles())
        versions = versions.filter(campaign__in=reviewed.values("campaign"))
    return [one for one in versions.order_by("campaign__name")[:_MOST_CAMPAIGNS] if is_usable(one)]


def versions_of(campaign: Campaign) -> list[ModelVersion]:
    """Return the champion of a campaign and the newest other versions that can score, in this order (one query)."""
    versions = ModelVersion.objects.filter(campaign=campaign, files_deleted_at=None)
    found = list(versions.order_by("-is_champion", "-number")[:MOST_VERSIONS])
    for version in found:
        version.campaign = campaign
    return [one for one in found if is_usable(one)]


def is_usable(version: ModelVersion) -> bool:
    """Return whether the version can score a photo of today: it fits its campaign's scale and the site's features."""
    return fits_scale(version, version.campaign) and not features_misfit(version)


def model_chosen(user: User, choice: str) -> ScoringModel | None:
    """Return the model for the choice of a form: '' for the shipped one, or the id of a version (one query).

    None if the user may not use it, or if it does not exist.
    """
    if not choice:
        return SHIPPED
    if not choice.isdecimal() or len(choice) > 18:
        return None
    version = ModelVersion.objects.select_related("campaign").filter(pk=choice, files_deleted_at=None).first()
    if version is None or not is_usable(version) or not _may_use(user, version.campaign):
        return None
    return model_of(version)


def _may_use(user: User, campaign: Campaign) -> bool:
    member = Membership.objects.filter(user=user, campaign=campaign, role__in=_roles())
    return user.is_superuser or member.exists()


def _roles() -> Collection[str]:
    return [role for role in Role if role.rank >= Role.REVIEWER.rank]
