"""The training app's part of the API: runs, and which version is the champion."""

from enum import StrEnum
from typing import cast

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema
from ninja.errors import HttpError
from ninja.responses import Status

from annotation.access.permissions import campaign_for
from annotation.api_schema import READ_PROBLEMS, WRITE_PROBLEMS, Id, Problem, Slug, StrictSchema
from annotation.models import HourlyUse, Role, User
from annotation.services.quotas import QuotaUsedUp, quota_take
from annotation.tasks import announce
from inference.models import ModelVersion
from inference.tasks import predictions_run
from training.learning.registry import DEFAULT_RECIPE, RECIPES
from training.models import Evaluation, Promotion, TrainingRun
from training.selectors.runs import live_run
from training.selectors.verdicts import verdict_of
from training.selectors.versions import newest_evaluations
from training.services.promotions import PromotionError, promotion_by_admin
from training.services.runs import run_request
from training.tasks import MESSAGE_SECONDS, run_execute

router = Router(tags=["training"])


class RunOut(Schema):
    """State and progress of a training run."""

    id: int
    state: str = Field(description="queued, running, done, skipped, cancelled or failed.")
    progress: float = Field(description="0 … 1")
    stage: str = Field(description="What the run is doing now, as text.")
    message: str = Field(description="How the run ended, as text.")
    annotations: int = Field(description="Number of answers in its frozen data.")
    histograms: int = Field(description="Photos with an imported histogram of votes, which it learned from too.")
    labels: int = Field(description="Photos with an imported watch label, which it learned from too.")
    decisions: int = Field(description="Photos where a reviewer's decision stood in place of the votes.")
    challenger: int | None = Field(description="Number of the model version that it made.")


RecipeName = StrEnum("RecipeName", {name: name for name in RECIPES})  # type: ignore[misc]  # names known at start


class RunIn(StrictSchema):
    """What a run learns from."""

    exposed_answers: bool | None = Field(
        None,
        description="Whether it also learns from answers given after seeing a prediction. Default: as the newest run.",
    )

    recipe: RecipeName = Field(RecipeName(DEFAULT_RECIPE), description="How the quality head learns.")


class VersionOut(Schema):
    """A model version."""

    number: int = Field(description="1, 2, … within the campaign; 1 is the shipped prior.")
    is_champion: bool
    created_at: str = Field(description="Date and time, in ISO 8601.")
    decision: str = Field(
        description="What the promotion rule says: promote, refuse, no better, cannot tell; empty without a comparison."
    )
    reason: str = Field(description="Why, as text; empty without a comparison.")


class VersionsOut(Schema):
    """The model versions of a campaign, the newest first."""

    versions: list[VersionOut]


@router.get("/campaigns/{slug}/runs/{run_id}", response={200: RunOut, **READ_PROBLEMS})
def run(request: HttpRequest, slug: Slug, run_id: Id) -> RunOut:
    """Return state and progress of a training run; for reviewers."""
    campaign, _role = campaign_for(request.user, slug, Role.REVIEWER)
    training_run = TrainingRun.objects.filter(campaign=campaign, pk=run_id).select_related("challenger").first()
    if training_run is None:
        raise HttpError(404, f"This campaign has no run number {run_id}.")
    return _run_out(training_run)


@router.post("/campaigns/{slug}/runs", response={200: RunOut, **WRITE_PROBLEMS}, url_name="runs-start")
def run_start(request: HttpRequest, response: HttpResponse, slug: Slug, wanted: RunIn) -> RunOut | Status[Problem]:
    """Start a training run and return it, or the run that waits or runs already; for admins.

    429 when you have started as many runs as one hour allows; `Retry-After` has the seconds until the next hour.
    """
    campaign, _role = campaign_for(request.user, slug, Role.ADMIN)
    user = cast(User, request.user)  # campaign_for turns anonymous visitors away
    if live_run(campaign) is None:
        try:
            quota_take(user=user, kind=HourlyUse.Kind.TRAINING_RUNS)
        except QuotaUsedUp as used_up:
            response["Retry-After"] = str(used_up.quota.retry_after)
            limit = used_up.quota.limit
            return Status(
                429, Problem(detail=f"You have started {limit} training runs in this hour, as many as are allowed.")
            )
    started = run_request(
        campaign=campaign,
        trigger=TrainingRun.Trigger.API,
        by=user,
        exposed_answers=wanted.exposed_answers,
        recipe=wanted.recipe.value,
    )
    if started.state == TrainingRun.State.QUEUED:
        announce(run_execute, started.pk, expires=MESSAGE_SECONDS)
    return _run_out(started)


@router.get("/campaigns/{slug}/versions", response={200: VersionsOut, **READ_PROBLEMS}, url_name="versions")
def versions(request: HttpRequest, slug: Slug) -> VersionsOut:
    """List the model versions; for reviewers."""
    campaign, _role = campaign_for(request.user, slug, Role.REVIEWER)
    found = list(ModelVersion.objects.filter(campaign=campaign))
    evaluations = newest_evaluations(found)
    return VersionsOut(versions=[_version_out(one, evaluations.get(one.pk)) for one in found])


@router.post(
    "/campaigns/{slug}/versions/{number}/promote",
    response={200: VersionOut, 409: Problem, **WRITE_PROBLEMS},
    url_name="version-promote",
)
def version_promote(request: HttpRequest, slug: Slug, number: Id) -> VersionOut:
    """Make a version the champion; for admins. 409 when it cannot become champion, with the reason."""
    return _champion_change(request, slug, number, Promotion.Kind.MANUAL)


@router.post(
    "/campaigns/{slug}/versions/{number}/rollback",
    response={200: VersionOut, 409: Problem, **WRITE_PROBLEMS},
    url_name="version-rollback",
)
def version_rollback(request: HttpRequest, slug: Slug, number: Id) -> VersionOut:
    """Make a former champion the champion again; for admins. 409 when that is not possible, with the reason."""
    return _champion_change(request, slug, number, Promotion.Kind.ROLLBACK)


def _champion_change(request: HttpRequest, slug: str, number: int, kind: Promotion.Kind) -> VersionOut:
    campaign, _role = campaign_for(request.user, slug, Role.ADMIN)
    version = ModelVersion.objects.filter(campaign=campaign, number=min(number, 2**31 - 1)).first()
    if version is None:
        raise HttpError(404, f"This campaign has no model version number {number}.")
    try:
        promotion_by_admin(version=version, kind=kind, by=cast(User, request.user))
    except PromotionError as error:
        raise HttpError(409, str(error)) from None
    announce(predictions_run, version.pk)
    version.refresh_from_db()
    return _version_out(version, newest_evaluations([version]).get(version.pk))


def _run_out(training_run: TrainingRun) -> RunOut:
    return RunOut(
        id=training_run.pk,
        state=training_run.state,
        progress=training_run.progress,
        stage=training_run.stage,
        message=training_run.message,
        annotations=training_run.annotation_count,
        histograms=training_run.histogram_count,
        labels=training_run.label_count,
        decisions=training_run.decision_count,
        challenger=training_run.challenger.number if training_run.challenger else None,
    )


def _version_out(version: ModelVersion, evaluation: Evaluation | None) -> VersionOut:
    verdict = verdict_of(evaluation) if evaluation else None
    return VersionOut(
        number=version.number,
        is_champion=version.is_champion,
        created_at=version.created_at.isoformat(),
        decision=verdict.decision if verdict else "",
        reason=verdict.reason if verdict else "",
    )
