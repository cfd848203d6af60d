"""The tables of the administration by group: what each is for, and which page of the app does the same better."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

from annotation.language.lazy import gettext_lazy
from annotation.models import Campaign
from iqs_site.navigation import CAMPAIGN_PAGES, SITE_PAGES

#: A choice of more campaigns would be longer than a screen. The newest ones are offered.
MOST_CAMPAIGNS = 100
_PAGES = {page.url_name: page for page in (*CAMPAIGN_PAGES, *SITE_PAGES)}
_CAMPAIGN_PAGES = frozenset(page.url_name for page in CAMPAIGN_PAGES)


@dataclass(frozen=True)
class Table:
    """A table of the administration."""

    model: str
    """Label of the model, such as 'annotation.image'."""
    about: str
    """What it is for, in one sentence."""
    better: str
    """Name of the address of the page that does the same better."""
    row_page: tuple[str, ...] = ()
    """Name of the address of the page of one row, and the attributes of the row that the address needs."""

    @property
    def changelist(self) -> str:
        """Return the name of the address of its list."""
        return f"admin:{self.model.replace('.', '_')}_changelist"


@dataclass(frozen=True)
class Group:
    """Tables for one kind of question."""

    name: str
    short: str
    """Its name in the navigation, where four stand beside each other on a phone."""
    tables: tuple[Table, ...]


GROUPS = (
    Group(
        gettext_lazy("People"),
        gettext_lazy("People"),
        (
            Table(
                "annotation.user",
                gettext_lazy("Everybody who can log in, and simulated annotators: names, email addresses and rights."),
                "users",
            ),
        ),
    ),
    Group(
        gettext_lazy("Photos and answers"),
        gettext_lazy("Photos"),
        (
            Table(
                "annotation.campaign",
                gettext_lazy("Every campaign with all its settings. Only its texts can be changed here."),
                "campaign-edit",
                ("campaign", "slug"),
            ),
            Table(
                "annotation.image",
                gettext_lazy(
                    "Every photo: its split, how many votes it has and needs, and what is wrong with its file."
                ),
                "photos",
                ("photo", "campaign.slug", "pk"),
            ),
            Table(
                "annotation.importbatch",
                gettext_lazy("What each import of photos added, left out and rejected."),
                "import",
                ("import-batch", "campaign.slug", "pk"),
            ),
            Table(
                "annotation.assignment",
                gettext_lazy("Which photo was given to whom, why, and until when it is reserved."),
                "members",
            ),
            Table(
                "annotation.annotation",
                gettext_lazy("Every answer and every skip as it was given. A correction is a row of its own."),
                "exports",
            ),
        ),
    ),
    Group(
        gettext_lazy("Models"),
        gettext_lazy("Models"),
        (
            Table(
                "inference.modelversion",
                gettext_lazy("Every model that a campaign has had, with its recipe and the checksum of its file."),
                "models",
                ("version", "campaign.slug", "number"),
            ),
            Table(
                "training.trainingrun",
                gettext_lazy("Every training: what started it, what it learned from and how it ended."),
                "models",
                ("run", "campaign.slug", "pk"),
            ),
            Table(
                "training.evaluation",
                gettext_lazy("How close the predictions of each version are to the votes."),
                "calibration",
                ("version", "model_version.campaign.slug", "model_version.number"),
            ),
            Table(
                "training.promotion",
                gettext_lazy("When which version became the champion, who decided it, and what it replaced."),
                "models",
            ),
            Table(
                "inference.prediction",
                gettext_lazy("What each version predicts for each photo."),
                "photos",
                ("photo", "image.campaign.slug", "image.pk"),
            ),
        ),
    ),
    Group(
        gettext_lazy("Background work"),
        gettext_lazy("Background"),
        (
            Table(
                "inference.feature",
                gettext_lazy("Whether the features of each photo are computed, or why not."),
                "campaign",
                ("photo", "image.campaign.slug", "image.pk"),
            ),
            Table(
                "inference.distortion",
                gettext_lazy("What the detectors of distortions measured in each photo, or why they could not."),
                "campaign",
                ("photo", "image.campaign.slug", "image.pk"),
            ),
            Table(
                "django_celery_beat.periodictask",
                gettext_lazy("What starts by itself and when it started last. A task can be switched off here."),
                "models",
            ),
        ),
    ),
)


@dataclass(frozen=True)
class Link:
    """A page of the app."""

    label: str
    icon: str
    url: str
    campaign: str = ""
    """Name of the campaign that the page belongs to."""


@dataclass(frozen=True)
class TableOnPage:
    """A table as a page of the administration shows it."""

    table: Table
    name: str
    url: str
    can_change: bool
    is_here: bool


@dataclass(frozen=True)
class GroupOnPage:
    """A group as a page of the administration shows it."""

    name: str
    short: str
    tables: list[TableOnPage]

    @property
    def is_here(self) -> bool:
        """Return whether the page belongs to one of its tables."""
        return any(table.is_here for table in self.tables)


def groups_of(registry: "Mapping[type[Model], ModelAdmin[Any]]", request: HttpRequest) -> list[GroupOnPage]:
    """Return the groups with their tables (no query)."""
    admins = {model._meta.label_lower: one for model, one in registry.items()}
    match = request.resolver_match
    here = match.url_name or "" if match else ""
    return [
        GroupOnPage(
            group.name, group.short, [_on_page(table, admins[table.model], request, here) for table in group.tables]
        )
        for group in GROUPS
    ]


def _on_page(table: Table, model_admin: "ModelAdmin[Any]", request: HttpRequest, here: str) -> TableOnPage:
    return TableOnPage(
        table,
        capfirst(str(model_admin.opts.verbose_name_plural)),
        reverse(table.changelist),
        model_admin.has_change_permission(request),
        here.startswith(table.model.replace(".", "_") + "_"),
    )


def campaign_choice(slug: str) -> tuple[list[Campaign], Campaign | None]:
    """Return the newest campaigns, and the one with this slug or the newest (one query)."""
    campaigns = list(Campaign.objects.order_by("-pk").only("slug", "name")[:MOST_CAMPAIGNS])
    chosen = next((one for one in campaigns if one.slug == slug), campaigns[0] if campaigns else None)
    return campaigns, chosen


def link_to(table: Table, campaign: Campaign | None) -> Link | None:
    """Return the page that does the same better, for this campaign if it is a page of campaigns (no query)."""
    page = _PAGES[table.better]
    if table.better not in _CAMPAIGN_PAGES:
        return Link(page.label, page.icon, reverse(table.better))
    if campaign is None:
        return None
    return Link(page.label, page.icon, reverse(table.better, args=[campaign.slug]), campaign.name)


def overview(
    groups: list[GroupOnPage], campaign: Campaign | None
) -> list[tuple[GroupOnPage, list[tuple[TableOnPage, Link | None]]]]:
    """Return the groups, each with its tables and the pages that do the same better."""
    return [(group, [(one, link_to(one.table, campaign)) for one in group.tables]) for group in groups]


def better_page(here: TableOnPage | None, request: HttpRequest) -> Link | None:
    """Return the page that does more than the list that is shown: of the campaign in its filter, or of the newest."""
    if here is None:
        return None
    campaigns = Campaign.objects.order_by("-pk").only("slug", "name")
    wanted = request.GET.get("campaign__id__exact", "")
    chosen = campaigns.filter(pk=wanted).first() if wanted.isdecimal() else campaigns.first()
    return link_to(here.table, chosen)


def row_address(table: Table, row: Model) -> str:
    """Return the address of the page of one row, or '' if it has none."""
    if not table.row_page:
        return ""
    name, *paths = table.row_page
    return reverse(name, args=[_value(row, path) for path in paths])


def _value(row: Any, path: str) -> Any:
    for part in path.split("."):
        row = getattr(row, part)
    return row
