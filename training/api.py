"""The training app's part of the API."""

from django.http import HttpRequest
from ninja import Field, Router, Schema
from ninja.errors import HttpError

from annotation.access.permissions import campaign_for
from annotation.api_schema import READ_PROBLEMS, Id, Slug
from annotation.models import Role
from training.models import TrainingRun

router = Router(tags=["training"])


class RunOut(Schema):
    """State and progress of a training run."""

    id: int
    state: str = Field(description="queued, running, done, skipped, cancelled or failed.")
    progress: float = Field(description="0 … 1")
    stage: str = Field(description="What the run is doing now, as text.")
    message: str = Field(description="How the run ended, as text.")
    annotations: int = Field(description="Number of answers in its frozen data.")
    challenger: int | None = Field(description="Number of the model version that it made.")


@router.get("/campaigns/{slug}/runs/{run_id}", response={200: RunOut, **READ_PROBLEMS})
def run(request: HttpRequest, slug: Slug, run_id: Id) -> RunOut:
    """Return state and progress of a training run; for reviewers."""
    campaign, _role = campaign_for(request.user, slug, Role.REVIEWER)
    training_run = TrainingRun.objects.filter(campaign=campaign, pk=run_id).select_related("challenger").first()
    if training_run is None:
        raise HttpError(404, f"This campaign has no run number {run_id}.")
    return RunOut(
        id=training_run.pk,
        state=training_run.state,
        progress=training_run.progress,
        stage=training_run.stage,
        message=training_run.message,
        annotations=training_run.annotation_count,
        challenger=training_run.challenger.number if training_run.challenger else None,
    )
