"""The data of the home page: what is left to do for this person, and whether the site is well."""

from collections.abc import Collection
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Count
from django.utils.translation import gettext

from annotation.drawing.columns import Series, columns
from annotation.drawing.svg import Svg
from annotation.files.free_space import Disk
from annotation.language.dates import day_shown
from annotation.models import Campaign, ImportBatch, Role, User
from annotation.selectors.campaign_cards import CampaignCard, campaign_cards
from annotation.selectors.comments import open_comments_counts
from annotation.selectors.daily_answers import DayOfAnswers, daily_answers
from annotation.services.counts import disputed_of
from annotation.services.disk_space import disks_low
from annotation.services.kept_counts import LARGE
from annotation.tasks import counts_announce
from inference.models import Feature
from inference.serving.model_check import site_problems
from iqs_site import overview
from iqs_site.instance.models_install import ModelsInstall, models_install
from training.selectors.due_work import DueWork, due_work

_SHOWN_IMPORTS = {ImportBatch.State.QUEUED, ImportBatch.State.RUNNING, ImportBatch.State.FAILED}
_TREND_HEIGHT, _TREND_WIDTH = 28, 140  # pixels


@dataclass(frozen=True)
class HomeCard:
    """A campaign with what this person may see of it."""

    card: CampaignCard
    due: DueWork | None = None
    """For reviewers and admins."""
    days: list[DayOfAnswers] = field(default_factory=list)
    """The answers of everybody, for reviewers and admins."""

    @property
    def today(self) -> DayOfAnswers | None:
        """Return today's answers."""
        return self.days[-1] if self.days else None

    @property
    def trend(self) -> Svg | str:
        """Draw the answers of the last days, or '' without any."""
        given = [day.answers for day in self.days]
        if not any(given):
            return ""
        return columns(
            name=gettext("Answers a day in the last %(days)s days: %(together)s together, %(today)s today")
            % {"days": len(given), "together": f"{sum(given):,}", "today": f"{given[-1]:,}"},
            series=[Series("people", given)],
            end=max(given),
            titles=[f"{day_shown(day.day)}: {day.answers:,}" for day in self.days],
            height=_TREND_HEIGHT,
            width=_TREND_WIDTH,
        )


@dataclass(frozen=True)
class Health:
    """Whether the parts of the site work, for admins."""

    workers: overview.WorkersStatus
    waiting: int
    """Photos that wait for a worker, in the campaigns of the person."""
    imports: list[ImportBatch]
    """Imports that run or have failed: the newest one of each campaign."""
    disks_low: list[Disk]
    model_problems: list[str]
    file_notices: list[overview.FileNotice]
    models_wait: str
    """Why no worker runs yet, in a few words; '' when the models are installed."""

    @property
    def is_well(self) -> bool:
        """Return whether there is nothing to repair."""
        failed = any(batch.state == ImportBatch.State.FAILED for batch in self.imports)
        missing = not self.workers.broker or self.workers.idle_queues or self.models_wait
        return not (missing or failed or self.disks_low or self.model_problems or self.file_notices)

    @property
    def running_imports(self) -> list[ImportBatch]:
        """Return the imports that are under way."""
        return [batch for batch in self.imports if batch.state != ImportBatch.State.FAILED]

    @property
    def failed_imports(self) -> list[ImportBatch]:
        """Return the newest imports that failed."""
        return [batch for batch in self.imports if batch.state == ImportBatch.State.FAILED]


@dataclass(frozen=True)
class Home:
    """Everything on the home page."""

    cards: list[HomeCard]
    next: CampaignCard | None
    """The campaign in which to go on rating: the last one, or else the first one with photos for this person."""
    due: list[DueWork]
    """For reviewers and admins: the campaigns in which something is due."""
    comments: list[tuple[Campaign, int]]
    """For admins: the campaigns in which annotators have written something, with the number of open comments."""
    is_reviewer: bool
    """Whether the person is reviewer or admin of a campaign."""
    health: Health | None
    """For admins and staff."""
    kept_megabytes: int

    @property
    def left(self) -> int:
        """Return how many photos are left for the person in all open campaigns."""
        return sum(one.card.left for one in self.cards if one.card.is_open)

    @property
    def own_answers(self) -> int:
        """Return how many photos the person has rated."""
        return sum(one.card.own_answers for one in self.cards)


def home(user: User) -> Home:
    """Return the home page of a user. The number of queries does not depend on the number of campaigns."""
    cards = campaign_cards(user)
    reviewed = [card.campaign for card in cards if card.role.rank >= Role.REVIEWER.rank]
    administered = [card.campaign for card in cards if card.role is Role.ADMIN]
    large = [card.campaign.pk for card in cards if card.progress.all_images > LARGE]
    disputed, kept = disputed_of(reviewed, large=large)
    for one in kept:
        counts_announce(one)
    due = due_work(reviewed, disputed=disputed)
    days = daily_answers([campaign.pk for campaign in reviewed]) if reviewed else {}
    rated = [card for card in cards if card.is_open and card.left]
    return Home(
        cards=[HomeCard(card, due.get(card.campaign.pk), days.get(card.campaign.pk, [])) for card in cards],
        next=rated[0] if rated else None,
        due=[one for one in due.values() if one.is_due],
        comments=open_comments_counts(administered),
        is_reviewer=bool(reviewed),
        health=_health(administered) if administered or user.is_staff else None,
        kept_megabytes=int(settings.IQS_LOW_DISK_BYTES // 1024**2),
    )


def _health(campaigns: Collection[Campaign]) -> Health:
    """Return whether the site is well (four queries, and two questions to the broker)."""
    keys = [campaign.pk for campaign in campaigns]
    queued = Feature.objects.filter(state=Feature.State.QUEUED, turn_campaign__in=keys).order_by()
    install = models_install()
    newest = ImportBatch.objects.filter(campaign__in=keys).order_by("campaign_id", "-id").distinct("campaign_id")
    return Health(
        workers=overview.workers_status(),
        waiting=queued.aggregate(count=Count("pk"))["count"],
        imports=[batch for batch in newest.select_related("campaign") if batch.state in _SHOWN_IMPORTS],
        disks_low=disks_low(),
        # Weights are files of packages that may still be on their way.
        model_problems=[] if install else site_problems(),
        file_notices=overview.file_notices(list(campaigns)),
        models_wait=_models_wait(install) if install else "",
    )


def _models_wait(install: ModelsInstall) -> str:
    if install.is_failed:
        return gettext("No worker runs, because the models could not be installed")
    return gettext("The models are being installed, and the workers start afterwards")
