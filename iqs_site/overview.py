"""Where campaigns stand, drawn from every app: the cards of the home page, the live part of a campaign's."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, F, IntegerField, Q, Sum
from django.db.models.functions import Least

from annotation.models import QUEUED, Annotation, Campaign, Image, ImportBatch, Membership, Role, User
from annotation.selectors.progress import OwnProgress, Progress, campaign_progress, own_progress, queue_status
from inference.models import Feature, ModelVersion
from inference.selectors import (
    Backlog,
    WorkCounts,
    backlog,
    champion,
    distortions_queue,
    features_queue,
    work_counts,
)
from iqs_site.workers import WorkerState, broker_alive, workers_alive
from training.evaluation.registry import MeasuredMetric, measured
from training.models import Evaluation, TrainingRun
from training.selectors.versions import newest_evaluations, votes_changed_since

RUNS_SHOWN = 4
IMPORTS_SHOWN = 3
FAILURES_SHOWN = 20
KEY_METRICS = {"quality_srcc", "quality_rmse", "watch_roc_auc"}
QUEUES = ("default", "inference", "training")


@dataclass(frozen=True)
class CampaignCard:
    """One campaign on the home page."""

    campaign: Campaign
    role: Role
    images: int = 0
    complete_images: int = 0
    votes_given: int = 0
    """Votes that count towards `votes_wanted`; surplus ones do not."""
    votes_wanted: int = 0
    own_answers: int = 0


def campaign_cards(user: User | AnonymousUser) -> list[CampaignCard]:
    """Return the campaigns that the user may enter, with their progress, in four queries."""
    if isinstance(user, AnonymousUser):
        return []
    roles = {membership.campaign_id: Role(membership.role) for membership in Membership.objects.filter(user=user)}
    campaigns = Campaign.objects.all() if user.is_superuser else Campaign.objects.filter(pk__in=roles)
    sound = QUEUED
    progress: dict[int, dict[str, Any]] = {
        row["campaign_id"]: dict(row)
        for row in Image.objects.filter(campaign__in=campaigns)
        .order_by()
        .values("campaign_id")
        .annotate(
            images=Count("pk"),
            complete_images=Count("pk", filter=sound & Q(vote_count__gte=F("votes_needed"))),
            votes_given=Sum(Least("vote_count", "votes_needed", output_field=IntegerField()), filter=sound, default=0),
            votes_wanted=Sum("votes_needed", filter=sound, default=0),
        )
    }
    own = dict(
        Annotation.objects.filter(annotator=user).votes().order_by().values_list("campaign_id").annotate(Count("pk"))
    )
    return [
        CampaignCard(
            campaign,
            Role.ADMIN if user.is_superuser else roles[campaign.pk],
            own_answers=own.get(campaign.pk, 0),
            **{name: count for name, count in progress.get(campaign.pk, {}).items() if name != "campaign_id"},
        )
        for campaign in campaigns
    ]


@dataclass(frozen=True)
class ModelsStatus:
    """What reviewers and admins see beside the progress."""

    backlog: Backlog
    distortions: WorkCounts
    failures: list[Feature]
    broker: bool
    workers: list[WorkerState]
    idle_queues: list[str]
    """Queues that no living worker serves."""
    champion: ModelVersion | None
    evaluation: Evaluation | None
    figures: list[MeasuredMetric]
    """The champion's key figures."""
    votes_changed: str
    """How the holdout votes have changed since they were measured, '' when they have not."""
    runs: list[TrainingRun]
    imports: list[ImportBatch]


@dataclass(frozen=True)
class WorkersStatus:
    """Whether broker and workers are alive, as `_worker_notices.html` wants it."""

    broker: bool
    workers: list[WorkerState]
    idle_queues: list[str]
    """Queues that no worker takes."""


def workers_status() -> WorkersStatus:
    """Return which workers are alive."""
    broker = broker_alive()
    workers = workers_alive() if broker else []
    idle = [queue for queue in QUEUES if not any(queue in worker.queues for worker in workers)]
    return WorkersStatus(broker, workers, idle)


@dataclass(frozen=True)
class CampaignStatus:
    """The live part of a campaign's home; `models` only for reviewers and admins."""

    progress: Progress
    own: OwnProgress
    nothing_to_do: str
    """Why the user has no photo to judge, or ''."""
    models: ModelsStatus | None = field(default=None)


def campaign_status(campaign: Campaign, user: User, role: Role) -> CampaignStatus:
    """Return where the campaign stands, as far as the role may see it."""
    return CampaignStatus(
        progress=campaign_progress(campaign),
        own=own_progress(campaign, user),
        nothing_to_do=queue_status(campaign, user),
        models=_models_status(campaign, role) if role.rank >= Role.REVIEWER.rank else None,
    )


def _models_status(campaign: Campaign, role: Role) -> ModelsStatus:
    version = champion(campaign)
    evaluation = newest_evaluations([version]).get(version.pk) if version else None
    failures: list[Feature] = []
    counts = backlog(campaign)
    if counts.failed and role is Role.ADMIN:
        failed = features_queue().rows.filter(image__campaign=campaign, state=Feature.State.FAILED)
        failures = list(failed.select_related("image").defer("vector").order_by("-pk")[:FAILURES_SHOWN])
    alive = workers_status()
    return ModelsStatus(
        backlog=counts,
        distortions=work_counts(campaign, distortions_queue()),
        failures=failures,
        broker=alive.broker,
        workers=alive.workers,
        idle_queues=alive.idle_queues,
        champion=version,
        evaluation=evaluation,
        figures=[one for one in measured(evaluation.metrics) if one.metric.name in KEY_METRICS] if evaluation else [],
        votes_changed=votes_changed_since(evaluation) if evaluation else "",
        runs=list(campaign.training_runs.select_related("challenger", "requested_by")[:RUNS_SHOWN]),
        imports=list(campaign.imports.all()[:IMPORTS_SHOWN]),
    )
