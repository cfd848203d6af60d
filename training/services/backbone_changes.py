"""After a change of a campaign's backbone: one training run on the new features, and the end of the old features."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from annotation.models import Campaign
from inference.models import PRIOR_NAME, Feature, ModelVersion, Signature
from inference.networks.config import is_of_run
from inference.selectors import backbone_of, champion
from training.models import Promotion, TrainingRun
from training.selectors.backbone_change import backbone_change, version_of_network
from training.selectors.runs import live_run
from training.selectors.versions import rollback_target
from training.services.runs import run_request

# Old features are deleted by the sweeps in this time after a promotion, some in each.
_AFTER_PROMOTION = timedelta(hours=1)
_CHUNK = 5000


def runs_request_changed() -> list[TrainingRun]:
    """Request one run for each change of a backbone, when all photos of the campaign have the new features.

    A shipped prior needs none: `prior_install` replaces it. For a network that an earlier run made, the run only
    compares the version of that network with the champion.
    """
    requested = []
    champions = ModelVersion.objects.filter(is_champion=True, campaign__state=Campaign.State.ACTIVE)
    for version in champions.select_related("campaign"):
        if version.recipe.get("name") == PRIOR_NAME and not is_of_run(version.campaign.backbone):
            continue
        change = backbone_change(version.campaign, version)
        if change and change.is_ready and change.run is None and live_run(version.campaign) is None:
            made = version_of_network(version.campaign)
            requested.append(
                run_request(campaign=version.campaign, trigger=TrainingRun.Trigger.BACKBONE, challenger=made)
            )
    return requested


def old_features_delete() -> int:
    """Delete features that a campaign does not need after a recent promotion; return how many.

    The features of the campaign's backbone, of its champion and of the version that a rollback would return to stay. A
    rollback to an older version makes its features again: workers compute those that the champion needs.
    """
    recent = Promotion.objects.filter(created_at__gte=timezone.now() - _AFTER_PROMOTION)
    deleted = 0
    for campaign in Campaign.objects.filter(pk__in=recent.values("campaign")):
        versions = (champion(campaign), rollback_target(campaign))
        names = {campaign.backbone, *(backbone_of(version.backbone) for version in versions if version)}
        kept = Q(pk__in=[])
        for name in names - {""}:
            kept |= Q(backbone__startswith=f"{name}@")
        old = Feature.objects.filter(image__campaign=campaign, backbone__contains="@").exclude(kept)
        rows = list(old.order_by("pk").values_list("pk", "image", "backbone")[:_CHUNK])
        keys, images = {key for _, _, key in rows}, [image for _, image, _ in rows]
        for key in keys:
            Signature.objects.filter(image__in=images, key__startswith=f"{key}/").delete()
        deleted += Feature.objects.filter(pk__in=[pk for pk, _, _ in rows]).delete()[0]
    return deleted
