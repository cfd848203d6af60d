"""The data of the live part of a campaign's overview, from all apps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext

from annotation.drawing.svg import Svg
from annotation.models import Annotation, Campaign, Image, ImportBatch, Role, User
from annotation.selectors.comments import CommentCounts, comment_counts
from annotation.selectors.consensus import ConsensusSummary, consensus_summary
from annotation.selectors.daily_answers import DayOfAnswers, daily_answers
from annotation.selectors.enough_votes import Forecast
from annotation.selectors.last_answers import last_answers
from annotation.selectors.near_duplicates import DuplicatesSummary, duplicates_summary
from annotation.selectors.photo_files import DamagedCounts, damaged_counts, damaged_photos
from annotation.selectors.photos_left import photos_left
from annotation.selectors.progress import (
    DecidedPhotos,
    OwnProgress,
    Participation,
    Progress,
    campaign_participation,
    campaign_progress,
    decided_in_queue,
    own_progress,
    queue_status,
)
from annotation.services.counts import forecast_of
from annotation.services.kept_counts import LARGE, KeptCounts, counts_forget
from annotation.tasks import counts_announce
from inference.models import Feature, ModelVersion
from inference.selectors import (
    Backlog,
    WorkCounts,
    champion,
    features_misfit,
    features_queue,
    version_misfit,
)
from inference.services.counts import BACKLOG, DISTORTIONS, TO_COMPARE, backlog_of
from inference.serving.model_check import backbone_problem, prior_problem, version_problem
from iqs_site.instance.models_install import models_install
from iqs_site.trends import answers_chart, versions_chart
from iqs_site.workers import WorkerState, broker_alive, workers_alive
from training.evaluation.measured import MeasuredMetric, measured
from training.evaluation.trust import Trust
from training.models import Evaluation, TrainingRun
from training.selectors.backbone_change import BackboneChange, backbone_change
from training.selectors.due_work import champion_trust
from training.selectors.stored_texts import verdict_words_of_runs
from training.selectors.versions import newest_evaluations, same_holdout
from training.services.counts import changed_since_kept

RUNS_SHOWN = 4
IMPORTS_SHOWN = 3
DAMAGED_SHOWN = 20
FAILURES_SHOWN = 20
_MAIN_METRIC = "quality_srcc"
KEY_METRICS = {"quality_srcc", "quality_rmse", "watch_roc_auc"}
ANSWERS_SHOWN = 6
VERSIONS_SHOWN = 12
QUEUES = ("default", "inference", "single", "training")


@dataclass(frozen=True)
class Trends:
    """How a campaign develops."""

    days: list[DayOfAnswers]
    """The last days, oldest first."""
    versions: list[tuple[ModelVersion, MeasuredMetric]]
    """The SRCC of the versions that were measured on the champion's holdout, oldest first."""

    @property
    def answers_chart(self) -> Svg | str:
        """Draw the answers of each day."""
        return answers_chart(self.days)

    @property
    def versions_chart(self) -> Svg | str:
        """Draw the SRCC of each version."""
        return versions_chart(self.versions)


@dataclass(frozen=True)
class ModelsStatus:
    """What reviewers and admins see in addition to the progress."""

    participation: Participation
    decided: DecidedPhotos
    comments: CommentCounts
    """Comments of annotators that no admin has marked as done."""
    consensus: ConsensusSummary | None
    """What people say together; None before the first fit."""
    forecast: Forecast | None
    """Votes and hours that are still needed; None before a worker has counted them."""
    backlog: Backlog | None
    distortions: WorkCounts | None
    failures: list[Feature]
    broker: bool
    workers: list[WorkerState]
    idle_queues: list[str]
    """Queues without a running worker."""
    champion: ModelVersion | None
    evaluation: Evaluation | None
    figures: list[MeasuredMetric]
    """The champion's key figures."""
    trust: Trust
    """Whether the champion may be trusted."""
    trends: Trends
    outdated: str
    """How holdout votes and settings have changed since the evaluation, as a sentence; '' when they have not."""
    misfit: str
    """Why the champion does not fit the campaign or the site any more, as a sentence; '' when it does."""
    backbone_change: BackboneChange | None
    """A change of the backbone that is under way."""
    runs: list[TrainingRun]
    verdict_words: dict[str, str]
    """What the rule said about their versions, in English and in the language of the reader."""
    imports: list[ImportBatch]
    damaged: DamagedCounts
    """Photos whose files are missing or damaged."""
    damaged_photos: list[Image]
    """The first of them."""
    duplicates: DuplicatesSummary
    """Near-duplicates that were found after the import."""
    to_compare: int | None
    """Photos that were not compared yet with the others."""
    model_problems: list[str]
    """What is wrong with model files, as sentences."""
    counted_at: datetime | None
    """When the oldest number of photos was counted, in a large campaign; None: all are of now."""
    is_counting: bool
    """Whether a number is missing because a worker has not counted it yet."""

    @property
    def compared(self) -> int | None:
        """Return how many processed photos were compared with the others; None before a worker has counted them."""
        if self.backlog is None or self.to_compare is None:
            return None
        return max(self.backlog.done - self.to_compare, 0)


@dataclass(frozen=True)
class WorkersStatus:
    """Whether the broker answers and which workers run, for `_worker_notices.html`."""

    broker: bool
    workers: list[WorkerState]
    idle_queues: list[str]
    """Queues without a running worker."""


def workers_status() -> WorkersStatus:
    """Return whether the broker answers, and which workers are running.

    While the models are being installed, no queue counts as idle: the workers start when they are there.
    """
    broker = broker_alive()
    workers = workers_alive() if broker else []
    if models_install() is not None:
        return WorkersStatus(broker, workers, [])
    idle = [queue for queue in QUEUES if not any(queue in worker.queues for worker in workers)]
    return WorkersStatus(broker, workers, idle)


@dataclass(frozen=True)
class CampaignStatus:
    """The data of the live part; `models` is set for reviewers and admins only."""

    progress: Progress
    own: OwnProgress
    left: int
    """Photos that are left for the user."""
    nothing_to_do: str
    """Why there is no photo for the user to rate, or ''."""
    last_answers: list[Annotation] = field(default_factory=list)
    """The user's last answers; for annotators only."""
    models: ModelsStatus | None = field(default=None)


def campaign_status(campaign: Campaign, user: User, role: Role) -> CampaignStatus:
    """Return the status of a campaign, with the parts that the role may see."""
    progress = campaign_progress(campaign)
    kept = KeptCounts(campaign, is_large=progress.all_images > LARGE)
    is_reviewer = role.rank >= Role.REVIEWER.rank
    return CampaignStatus(
        progress=progress,
        own=own_progress(campaign, user),
        left=photos_left(user, {campaign.pk: progress})[campaign.pk],
        nothing_to_do=queue_status(campaign, user),
        last_answers=[] if is_reviewer else last_answers(campaign, user, count=ANSWERS_SHOWN),
        models=_models_status(campaign, role, kept) if is_reviewer else None,
    )


def _models_status(campaign: Campaign, role: Role, kept: KeptCounts) -> ModelsStatus:
    version = champion(campaign)
    evaluation = newest_evaluations([version]).get(version.pk) if version else None
    failures: list[Feature] = []
    counts, distortions, forecast = backlog_of(kept), kept.get(DISTORTIONS), forecast_of(kept)
    problem = counts.problem if counts else backbone_problem(campaign.backbone)
    to_compare = 0 if problem else kept.get(TO_COMPARE)
    outdated = changed_since_kept(evaluation, kept) if evaluation else ""
    counts_announce(kept)
    if counts and counts.failed and role is Role.ADMIN:
        failed = features_queue(campaign.backbone).rows.filter(image__campaign=campaign, state=Feature.State.FAILED)
        failures = list(failed.select_related("image").defer("vector").order_by("-pk")[:FAILURES_SHOWN])
    alive = workers_status()
    runs = list(campaign.training_runs.select_related("challenger", "requested_by")[:RUNS_SHOWN])
    damaged = damaged_counts([campaign.pk]).get(campaign.pk, DamagedCounts())
    return ModelsStatus(
        participation=campaign_participation(campaign),
        decided=decided_in_queue(campaign),
        comments=comment_counts(campaign),
        consensus=consensus_summary(campaign),
        forecast=forecast,
        backlog=counts,
        distortions=distortions,
        failures=failures,
        broker=alive.broker,
        workers=alive.workers,
        idle_queues=alive.idle_queues,
        champion=version,
        evaluation=evaluation,
        figures=[one for one in measured(evaluation.metrics) if one.metric.name in KEY_METRICS] if evaluation else [],
        trust=champion_trust(version, evaluation),
        trends=Trends(daily_answers([campaign.pk])[campaign.pk], _versions_measured(campaign, evaluation)),
        outdated=outdated,
        misfit=(version_misfit(version, campaign) or features_misfit(version)) if version else "",
        backbone_change=backbone_change(campaign, version),
        runs=runs,
        verdict_words=verdict_words_of_runs(runs),
        imports=list(campaign.imports.all()[:IMPORTS_SHOWN]),
        damaged=damaged,
        damaged_photos=list(damaged_photos(campaign)[:DAMAGED_SHOWN]) if damaged.total else [],
        duplicates=duplicates_summary(campaign),
        to_compare=to_compare,
        model_problems=_model_problems(version),
        counted_at=kept.counted_at,
        is_counting=kept.is_missing,
    )


def work_counts_forget(campaign: Campaign) -> None:
    """Let the next overview count the photos of the work queues again."""
    counts_forget(campaign, BACKLOG, DISTORTIONS)


def _versions_measured(campaign: Campaign, of_champion: Evaluation | None) -> list[tuple[ModelVersion, MeasuredMetric]]:
    """Return the SRCC of the newest versions that were measured on the champion's holdout (two queries)."""
    if of_champion is None:
        return []
    versions = list(ModelVersion.objects.filter(campaign=campaign)[:VERSIONS_SHOWN])
    evaluations = newest_evaluations(versions)
    found = []
    for version in reversed(versions):
        evaluation = evaluations.get(version.pk)
        if evaluation and same_holdout(evaluation, of_champion):
            found += [(version, one) for one in measured(evaluation.metrics) if one.metric.name == _MAIN_METRIC]
    return found


def _model_problems(version: ModelVersion | None) -> list[str]:
    """Return what is wrong with the champion's file and the shipped prior. The backlog has problems of the backbone."""
    problems = [version_problem(version) if version else prior_problem()]
    return [
        gettext("There are no new predictions. %(problem)s") % {"problem": problem} for problem in problems if problem
    ]


@dataclass(frozen=True)
class FileNotice:
    """What is wrong with the files of one campaign, for the home page of its admins."""

    campaign: Campaign
    damaged: DamagedCounts
    model_problem: str
    """What is wrong with the champion's file, as a sentence, or ''."""


def file_notices(campaigns: Sequence[Campaign]) -> list[FileNotice]:
    """Return the campaigns with missing or damaged files (two queries)."""
    damaged = damaged_counts([campaign.pk for campaign in campaigns])
    champions = {
        version.campaign_id: version_problem(version)
        for version in ModelVersion.objects.filter(campaign__in=campaigns, is_champion=True)
    }
    notices = [
        FileNotice(campaign, damaged.get(campaign.pk, DamagedCounts()), champions.get(campaign.pk, ""))
        for campaign in campaigns
    ]
    return [notice for notice in notices if notice.damaged.total or notice.model_problem]
