"""The training app's part of the API."""

from django.http import HttpRequest
from ninja import Field, Router, Schema
from ninja.errors import HttpError

from annotation.access.permissions import campaign_for
from annotation.models import Role
from training.models import TrainingRun

router = Router(tags=["training"])


class RunOut(Schema):
    """Where a training run stands."""

    id: int
    state: str = Field(description="queued, running, done, skipped, cancelled or failed.")
    progress: float = Field(description="0 … 1")
    stage: str = Field(description="What it is doing, in words.")
    message: str = Field(description="How it ended, in words.")
    annotations: int = Field(description="Answers in its frozen data.")
    challenger: int | None = Field(description="Number of the model version that it made.")


@router.get("/campaigns/{slug}/runs/{run_id}", response=RunOut)
def run(request: HttpRequest, slug: str, run_id: int) -> RunOut:
    """Say where a training run stands; for reviewers."""
    campaign, _role = campaign_for(request.user, slug, Role.REVIEWER)
    found = TrainingRun.objects.filter(campaign=campaign, pk=run_id).select_related("challenger").first()
    if found is None:
        raise HttpError(404, f"This campaign has no run number {run_id}.")
    return RunOut(
        id=found.pk,
        state=found.state,
        progress=found.progress,
        stage=found.stage,
        message=found.message,
        annotations=found.annotation_count,
        challenger=found.challenger.number if found.challenger else None,
    )
