"""What the search finds: pages, campaigns, photos and documentation that the user may open."""

from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext

from annotation.models import Campaign, Membership, Role, User
from annotation.selectors.photo_search import own_photos_named, photos_named
from iqs_site.documentation import headings
from iqs_site.navigation import SITE_PAGES, campaign_pages

#: Longer questions are cut.
LONGEST = 100
_PAGES, _PHOTOS, _DOCS, _CAMPAIGNS = 8, 6, 6, 8
_CAMPAIGNS_READ = 50
_FEWEST_LETTERS = 2  # of the name of a photo


@dataclass(frozen=True)
class Found:
    """One result."""

    title: str
    note: str
    """Where it is, for example the campaign of a page."""
    url: str


@dataclass(frozen=True)
class FoundGroup:
    """Results of one kind."""

    label: str
    items: list[Found] = field(default_factory=list)


def find(question: str, *, user: User, slug: str = "") -> list[FoundGroup]:
    """Return what matches all words of a question, in groups without empty ones (at most five queries).

    Without a question: the pages of the campaign `slug`, in which the user is, and the campaigns of the user.
    """
    question = " ".join(question[:LONGEST].replace("\0", "").split())
    words = question.casefold().split()
    roles = {one.campaign_id: Role(one.role) for one in Membership.objects.filter(user=user)}
    campaigns = _campaigns(words, user, roles, slug)
    here = next((one for one in campaigns if one[0].slug == slug), None)
    groups = [
        FoundGroup(gettext("Pages"), _pages(words, campaigns, here, user)),
        FoundGroup(gettext("Campaigns"), _campaign_rows(words, campaigns)),
    ]
    if len(question) >= _FEWEST_LETTERS:
        photos = _photos(question, user, roles, here[0].pk if here else None)
        groups += [FoundGroup(gettext("Photos"), photos), FoundGroup(gettext("Documentation"), _docs(words))]
    return [group for group in groups if group.items]


def _campaigns(words: list[str], user: User, roles: dict[int, Role], slug: str) -> list[tuple[Campaign, Role]]:
    """Return the campaigns whose name has one of the words, and the present one, with the user's role in each."""
    campaigns = Campaign.objects.only("name", "slug")
    if words:
        named = [Q(name__icontains=word) | Q(slug__icontains=word) for word in words]
        campaigns = campaigns.filter(reduce(or_, named, Q(slug=slug)))
    if not user.is_superuser:
        campaigns = campaigns.filter(pk__in=roles)
    return [(one, Role.ADMIN if user.is_superuser else roles[one.pk]) for one in campaigns[:_CAMPAIGNS_READ]]


def _pages(
    words: list[str], campaigns: list[tuple[Campaign, Role]], here: tuple[Campaign, Role] | None, user: User
) -> list[Found]:
    """Return pages of the present campaign, of the site, and of the campaigns that the words name."""
    rows: list[tuple[int, Found]] = []
    for campaign, role in campaigns:
        is_here = here is not None and campaign.pk == here[0].pk
        if not words and not is_here:
            continue
        for page in campaign_pages(role):
            place = page.group if is_here else campaign.name
            text = f"{page.label} {page.group} {page.words} {campaign.name} {campaign.slug}"
            if (rank := _rank(words, page.label, text)) is not None:
                rows.append((rank + (0 if is_here else 4), Found(page.label, place, page.url(campaign.slug))))
    for site in SITE_PAGES:
        if site.may_open(user) and (rank := _rank(words, site.label, f"{site.label} {site.words}")) is not None:
            rows.append((rank + (2 if here else 0), Found(site.label, "", reverse(site.url_name))))
    limit = len(rows) if not words else _PAGES
    return [found for _, found in sorted(rows, key=lambda row: row[0])][:limit]


def _rank(words: list[str], label: str, text: str) -> int | None:
    """Return how well words fit a page, 0 for best, or None if one of them is not in its text."""
    text, label = text.casefold(), label.casefold()
    if not all(word in text for word in words):
        return None
    if label.startswith(" ".join(words)):
        return 0
    return 1 if all(word in label for word in words) else 2


def _campaign_rows(words: list[str], campaigns: list[tuple[Campaign, Role]]) -> list[Found]:
    rows = [
        Found(campaign.name, str(role.label), reverse("campaign", args=[campaign.slug]))
        for campaign, role in campaigns
        if all(word in f"{campaign.name} {campaign.slug}".casefold() for word in words)
    ]
    return rows[:_CAMPAIGNS]


def _photos(question: str, user: User, roles: dict[int, Role], here: int | None) -> list[Found]:
    """Return photos by name (at most two queries). Reviewers find all photos of their campaigns, the present one first.

    Annotators find those that they have answered: the queue shows them the others.
    """
    reviewed = [pk for pk, role in roles.items() if role.rank >= Role.REVIEWER.rank]
    if user.is_superuser:
        reviewed = list(Campaign.objects.values_list("pk", flat=True))
    own = [pk for pk in roles if pk not in reviewed]
    photos = photos_named(question, campaign_ids=reviewed, first=here, limit=_PHOTOS) if reviewed else []
    found = [Found(one.name, one.campaign.name, reverse("photo", args=[one.campaign.slug, one.pk])) for one in photos]
    if own and len(found) < _PHOTOS:
        answered = own_photos_named(question, annotator=user, campaign_ids=own, limit=_PHOTOS - len(found))
        found += [
            Found(one.name, one.campaign.name, reverse("own-answer", args=[one.campaign.slug, one.pk]))
            for one in answered
        ]
    return found


def _docs(words: list[str]) -> list[Found]:
    rows = []
    for heading in headings():
        rank = _rank(words, heading.title, f"{heading.title} {heading.page_title}")
        if rank is not None:
            address = reverse("docs-page", args=[heading.page]) + (f"#{heading.anchor}" if heading.anchor else "")
            note = "" if heading.title == heading.page_title else heading.page_title
            rows.append((rank + (0 if not heading.anchor else 1), Found(heading.title, note, address)))
    return [found for _, found in sorted(rows, key=lambda row: row[0])][:_DOCS]
