"""The pages that people can go to: for the navigation, for the search, and for the links to the documentation.

A new page of a campaign is one row of `CAMPAIGN_PAGES`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from annotation.language.lazy import gettext_lazy
from annotation.models import Campaign, Role, User


@dataclass(frozen=True)
class CampaignPage:
    """A page of a campaign in the navigation."""

    url_name: str
    label: str
    icon: str
    group: str
    role: Role
    """The lowest role that may open it."""
    docs: str
    """The page of the documentation that explains it, with its heading if it is a part of the page."""
    below: tuple[str, ...] = ()
    """Pages that are reached through it, by the names of their addresses. They mark the same tab."""
    words: str = ""
    """Other words that find it."""
    keeps_query: bool = False
    """Whether it has the filters of the gallery, which stay on the way to another page with this."""

    def url(self, slug: str) -> str:
        """Return its address in the campaign with this slug."""
        return reverse(self.url_name, args=[slug])


@dataclass(frozen=True)
class SitePage:
    """A page that belongs to no campaign."""

    url_name: str
    label: str
    icon: str
    docs: str = ""
    for_whom: str = ""
    """'' for everybody, 'staff' or 'superuser'."""
    words: str = ""

    def may_open(self, user: User | AnonymousUser) -> bool:
        """Return whether the user may open it."""
        needed = {"": True, "staff": user.is_staff, "superuser": user.is_superuser}
        return bool(needed[self.for_whom])


_A, _R, _ADMIN = Role.ANNOTATOR, Role.REVIEWER, Role.ADMIN

CAMPAIGN_PAGES = (
    CampaignPage(
        "campaign",
        gettext_lazy("Overview"),
        "overview",
        gettext_lazy("Work"),
        _A,
        "how-to/find-your-way",
        words="progress status home",
    ),
    CampaignPage(
        "annotate",
        gettext_lazy("Annotate"),
        "annotate",
        gettext_lazy("Work"),
        _A,
        "how-to/rate-photos",
        words="rate photos answer",
    ),
    CampaignPage(
        "own-work",
        gettext_lazy("Your work"),
        "work",
        gettext_lazy("Work"),
        _A,
        "how-to/what-happens-to-an-answer",
        below=("own-answer",),
        words="own answers history mine",
    ),
    CampaignPage(
        "next-photos",
        gettext_lazy("Next photos"),
        "plan",
        gettext_lazy("Work"),
        _R,
        "how-to/choose-the-next-photos",
        words="queue lanes active learning asked because coverage stop",
    ),
    CampaignPage(
        "photos",
        gettext_lazy("All photos"),
        "photos",
        gettext_lazy("Photos"),
        _R,
        "how-to/browse-photos",
        below=("photo", "bulk-actions"),
        words="gallery browse images",
        keeps_query=True,
    ),
    CampaignPage(
        "photo-map",
        gettext_lazy("Map"),
        "map",
        gettext_lazy("Photos"),
        _R,
        "how-to/browse-photos",
        words="similar clusters projection lasso",
        keeps_query=True,
    ),
    CampaignPage(
        "photo-extremes",
        gettext_lazy("Best and worst"),
        "star",
        gettext_lazy("Photos"),
        _R,
        "how-to/browse-photos",
        words="extremes top lowest",
        keeps_query=True,
    ),
    CampaignPage(
        "adjudications",
        gettext_lazy("Disputed"),
        "disputed",
        gettext_lazy("Photos"),
        _R,
        "how-to/decide-disputed-photos",
        below=("adjudication",),
        words="decide decisions adjudication",
    ),
    CampaignPage(
        "withdrawn-photos",
        gettext_lazy("Withdrawn"),
        "withdrawn",
        gettext_lazy("Photos"),
        _R,
        "how-to/privacy",
        words="removed deleted photos",
    ),
    CampaignPage(
        "calibration",
        gettext_lazy("Calibration"),
        "calibration",
        gettext_lazy("Quality"),
        _R,
        "reference/metrics",
        words="trust verdict threshold reliability charts",
    ),
    CampaignPage(
        "rater-quality",
        gettext_lazy("Annotator quality"),
        "raters",
        gettext_lazy("Quality"),
        _R,
        "how-to/annotator-quality",
        words="raters agreement bias speed",
    ),
    CampaignPage(
        "campaign-quality",
        gettext_lazy("Campaign quality"),
        "quality",
        gettext_lazy("Quality"),
        _R,
        "how-to/campaign-quality",
        words="agreement ceiling reliability votes labels",
    ),
    CampaignPage(
        "methods",
        gettext_lazy("Methods report"),
        "methods",
        gettext_lazy("Quality"),
        _R,
        "how-to/campaign-quality",
        words="paper audit report",
    ),
    CampaignPage(
        "models",
        gettext_lazy("Versions and runs"),
        "models",
        gettext_lazy("Models"),
        _R,
        "reference/recipes",
        below=("run", "version"),
        words="champion train training promote roll back",
    ),
    CampaignPage(
        "decisions",
        gettext_lazy("Decide for me"),
        "check",
        gettext_lazy("Models"),
        _R,
        "how-to/let-the-model-decide",
        words="guarantee tolerance automatic limits accept reject",
    ),
    CampaignPage(
        "version-pair",
        gettext_lazy("Compare versions"),
        "compare",
        gettext_lazy("Models"),
        _R,
        "reference/metrics",
        words="side by side pair",
    ),
    CampaignPage(
        "gate",
        gettext_lazy("Check photos"),
        "try",
        gettext_lazy("Models"),
        _R,
        "how-to/check-uploads",
        below=("gate-result",),
        words="score a photo try the model upload gate accept reject",
    ),
    CampaignPage(
        "import",
        gettext_lazy("Import photos"),
        "import",
        gettext_lazy("Manage"),
        _ADMIN,
        "how-to/import-photos",
        below=("import-batch",),
        words="upload zip add",
    ),
    CampaignPage(
        "vote-imports",
        gettext_lazy("Import votes"),
        "votes",
        gettext_lazy("Manage"),
        _ADMIN,
        "how-to/import-votes",
        below=("vote-import",),
        words="labels answers file",
    ),
    CampaignPage(
        "special-photos",
        gettext_lazy("Practice and check photos"),
        "practice",
        gettext_lazy("Manage"),
        _ADMIN,
        "how-to/practice-and-check-photos",
        below=("special-photo", "special-photos-pick", "comments"),
        words="gold example",
    ),
    CampaignPage(
        "members",
        gettext_lazy("Members"),
        "members",
        gettext_lazy("Manage"),
        _ADMIN,
        "how-to/invite-annotators",
        words="people invite invitation roles",
    ),
    CampaignPage(
        "exports",
        gettext_lazy("Export"),
        "import",
        gettext_lazy("Manage"),
        _R,
        "how-to/export",
        words="download tables csv json parquet",
    ),
    CampaignPage(
        "campaign-audit",
        gettext_lazy("Audit"),
        "audit",
        gettext_lazy("Manage"),
        _ADMIN,
        "how-to/accounts",
        words="who changed what log",
    ),
    CampaignPage(
        "campaign-edit",
        gettext_lazy("Settings"),
        "settings",
        gettext_lazy("Manage"),
        _ADMIN,
        "how-to/changing-a-running-campaign",
        words="edit close pause scale classes",
    ),
)

SITE_PAGES = (
    SitePage("home", "Home", "home", "how-to/find-your-way", words="campaigns start"),
    SitePage("try-model", gettext_lazy("Try the model"), "try", "how-to/score-a-folder", words="score a photo"),
    SitePage(
        "account",
        gettext_lazy("Your account"),
        "account",
        "how-to/accounts",
        words="profile time zone keys password tokens",
    ),
    SitePage("docs", gettext_lazy("Documentation"), "book", words="help manual guide"),
    SitePage("api-docs", "API", "api", "how-to/use-the-api", words="programs json openapi"),
    SitePage("campaign-new", gettext_lazy("New campaign"), "plus", "tutorial", "staff", words="create"),
    SitePage(
        "plan-campaign",
        gettext_lazy("Plan a campaign"),
        "plan",
        "how-to/campaign-quality",
        "staff",
        words="how many votes power",
    ),
    SitePage("users", gettext_lazy("Users"), "members", "how-to/accounts", "superuser", words="accounts people"),
    SitePage(
        "audit",
        gettext_lazy("Audit of the site"),
        "audit",
        "how-to/accounts",
        "superuser",
        words="who changed what log",
    ),
    SitePage(
        "refused-attempts",
        gettext_lazy("Refused attempts"),
        "clock",
        "how-to/accounts",
        "superuser",
        words="locked log-in limits",
    ),
    SitePage(
        "admin:index",
        gettext_lazy("Administration"),
        "admin",
        "reference/data-model",
        "superuser",
        words="django tables database",
    ),
)


@dataclass(frozen=True)
class Tab:
    """A link of the navigation."""

    label: str
    icon: str
    url: str
    is_active: bool
    keeps_query: bool = False
    """Whether the filters of the present page go with the link."""


@dataclass(frozen=True)
class Navigation:
    """The navigation of a campaign: groups, and the pages of the group that is open. Annotators have no groups."""

    groups: list[Tab]
    pages: list[Tab]


def campaign_pages(role: Role) -> Iterator[CampaignPage]:
    """Yield the pages that a role may open, in the order of the navigation."""
    return (page for page in CAMPAIGN_PAGES if page.role.rank <= role.rank)


def navigation(campaign: Campaign, role: Role, url_name: str) -> Navigation:
    """Return the navigation on the page with this name (no query). A group opens its first page."""
    pages = list(campaign_pages(role))
    here = next((page for page in pages if url_name == page.url_name or url_name in page.below), pages[0])
    firsts: dict[str, CampaignPage] = {}
    for page in pages:
        firsts.setdefault(page.group, page)
    groups = [Tab(name, first.icon, first.url(campaign.slug), name == here.group) for name, first in firsts.items()]
    is_known = any(url_name == page.url_name or url_name in page.below for page in pages)
    tabs = [
        Tab(
            page.label,
            page.icon,
            page.url(campaign.slug),
            is_known and page is here,
            page.keeps_query and here.keeps_query,
        )
        for page in pages
        if page.group == here.group
    ]
    return Navigation(groups if len(groups) > 1 else [], tabs)


def docs_of(url_name: str) -> str:
    """Return the page of the documentation that explains a page, or '' for the start of the documentation."""
    for page in CAMPAIGN_PAGES:
        if url_name == page.url_name or url_name in page.below:
            return page.docs
    return next((page.docs for page in SITE_PAGES if url_name == page.url_name), "")
