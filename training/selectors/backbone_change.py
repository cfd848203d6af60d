"""A change of a campaign's backbone that is under way: what is done, and what comes next."""

from dataclasses import dataclass

from django.utils.translation import gettext

from annotation.models import AuditKind, AuditRecord, Campaign
from inference.models import PRIOR_NAME, ModelVersion
from inference.networks.config import WeightsMissing, is_of_run
from inference.selectors import WorkCounts, backbone_key, backbone_of, features_queue, is_computed, work_counts
from training.evaluation.stored_words import words_shown
from training.models import TrainingRun


@dataclass(frozen=True)
class BackboneChange:
    """The champion reads features of another backbone than the campaign's."""

    champion: ModelVersion
    new: str
    """Name of the campaign's backbone."""
    work: WorkCounts
    """The photos by the state of their new features."""
    run: TrainingRun | None
    """The run that was requested for this change, or None."""

    @property
    def old(self) -> str:
        """Return the name of the champion's backbone."""
        return backbone_of(self.champion.backbone)

    @property
    def finished(self) -> int:
        """Return the number of photos with new features, or without because they failed."""
        return self.work.done + self.work.failed

    @property
    def photos(self) -> int:
        """Return the number of photos."""
        return self.finished + self.work.waiting + self.work.cancelled

    @property
    def is_ready(self) -> bool:
        """Return whether all photos have the new features, or failed."""
        return not (self.work.waiting or self.work.cancelled)

    @property
    def next_step(self) -> str:
        """Return what happens now or next, as a sentence."""
        if self.work.waiting:
            left = gettext(", %(time)s left") % {"time": self.work.time_left} if self.work.time_left else ""
            following = (
                gettext("its prior becomes the champion")
                if self._has_prior
                else gettext("the version with this network is compared with the champion")
                if is_of_run(self.new)
                else gettext("a training run starts")
            )
            return gettext(
                "Workers process all photos again: %(done)s done, %(waiting)s to do%(left)s. Then %(following)s."
            ) % {
                "done": f"{self.work.done:,}",
                "waiting": f"{self.work.waiting:,}",
                "left": left,
                "following": following,
            }
        if self.work.cancelled:
            return gettext("The processing of %(cancelled)s photos was cancelled. Resume it on the campaign page.") % {
                "cancelled": f"{self.work.cancelled:,}"
            }
        if self._has_prior:
            return gettext("All photos are processed. Its prior becomes the champion within a minute.")
        if self.run is None and is_of_run(self.new):
            return gettext("All photos are processed. The version is compared with the champion within a minute.")
        if self.run is None:
            return gettext("All photos are processed. A training run starts within a minute.")
        if self.run.state in TrainingRun.LIVE and is_of_run(self.new):
            return gettext("All photos are processed. Run %(number)s compares the version with the champion.") % {
                "number": self.run.number
            }
        if self.run.state in TrainingRun.LIVE:
            made = gettext("Run %(number)s trains a version and compares it with the champion.") % {
                "number": self.run.number
            }
            return gettext("All photos are processed. %(made)s") % {"made": made}
        return gettext("Run %(number)s has ended. %(message)s") % {
            "number": self.run.number,
            "message": words_shown(self.run.message) or self.run.message,
        }

    @property
    def _has_prior(self) -> bool:
        return bool(self.champion.recipe.get("name") == PRIOR_NAME) and not is_of_run(self.new)


def backbone_change(campaign: Campaign, version: ModelVersion | None) -> BackboneChange | None:
    """Return the change that is under way, or None. `version`: the campaign's champion.

    No query unless the champion reads features of another backbone than the campaign's.
    """
    if version is None or backbone_of(version.backbone) in ("", campaign.backbone):
        return None
    if not is_computed(version.backbone):  # the pages say that it does not fit any more
        return None
    try:
        work = work_counts(campaign, features_queue(campaign.backbone))
    except WeightsMissing:  # the pages say so
        return None
    return BackboneChange(version, campaign.backbone, work, run_of_change(campaign))


def run_of_change(campaign: Campaign) -> TrainingRun | None:
    """Return the newest run that was requested for the last change of the campaign's backbone, or None."""
    changed = AuditRecord.objects.filter(
        campaign=campaign, kind=AuditKind.SETTINGS_CHANGED, after__has_key="backbone"
    ).first()
    runs = TrainingRun.objects.filter(campaign=campaign, trigger=TrainingRun.Trigger.BACKBONE)
    return (runs if changed is None else runs.filter(created_at__gte=changed.at)).first()


def has_other_network(version: ModelVersion, campaign: Campaign) -> bool:
    """Return whether the version has a network of its own that the campaign does not use."""
    name = backbone_of(version.backbone)
    return is_of_run(name) and name != campaign.backbone


def version_of_network(campaign: Campaign) -> ModelVersion | None:
    """Return the version that was made with the network that the campaign uses, if a run made this network."""
    if not is_of_run(campaign.backbone):
        return None
    versions = ModelVersion.objects.filter(campaign=campaign, backbone=backbone_key(campaign.backbone))
    return versions.order_by("number").first()
