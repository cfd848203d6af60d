"""Training runs of a campaign, and the answers that came since."""

from annotation.models import Annotation, Campaign
from training.models import TrainingRun


def newest_annotation_id(campaign: Campaign) -> int:
    """Return the number of the newest annotation of the campaign, 0 when there is none."""
    return Annotation.objects.filter(campaign=campaign).order_by("-pk").values_list("pk", flat=True).first() or 0


def annotations_since(campaign: Campaign, annotation_id: int) -> int:
    """Return how many votes came after this annotation."""
    return Annotation.objects.filter(campaign=campaign, pk__gt=annotation_id).votes().count()


def live_run(campaign: Campaign) -> TrainingRun | None:
    """Return the run that is queued or running; there is at most one."""
    return TrainingRun.objects.filter(campaign=campaign, state__in=TrainingRun.LIVE).first()


def last_learned(campaign: Campaign) -> TrainingRun | None:
    """Return the newest run that made a model version which is still there."""
    return (
        TrainingRun.objects.filter(campaign=campaign, state=TrainingRun.State.DONE, challenger__isnull=False)
        .select_related("challenger")
        .first()
    )
