"""The navigation: groups by role, the tab of the page, the icons, and the help of each page."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from annotation.models import Campaign, Role
from annotation.templatetags.icons import icon, icons
from iqs_site.documentation import texts
from iqs_site.navigation import CAMPAIGN_PAGES, SITE_PAGES, docs_of, navigation

ROOT = Path(settings.BASE_DIR)
NAMES = {Role.ANNOTATOR: "alice", Role.REVIEWER: "rita", Role.ADMIN: "ada"}


def part(page: str, name: str) -> str:
    """Return one `<nav>` of a page by its label."""
    found = re.search(rf'<nav class="[\w-]+" aria-label="{name}">(.*?)</nav>', page, re.DOTALL)
    return found[1] if found else ""


def test_annotators_have_three_pages_and_no_groups(client_of: Callable[[str], Any]) -> None:
    page = client_of("alice").get("/campaigns/watches/").text
    assert part(page, "Areas of the campaign") == ""
    assert re.findall(r"</svg>([\w ]+)</a>", part(page, "Campaign")) == ["Overview", "Annotate", "Your work"]


@pytest.mark.parametrize(("name", "first"), [("rita", "export"), ("ada", "import")])
def test_groups_open_their_first_page_of_the_role(client_of: Callable[[str], Any], name: str, first: str) -> None:
    """Of the group Manage, reviewers have only the exports."""
    areas = part(client_of(name).get("/campaigns/watches/").text, "Areas of the campaign")
    assert re.findall(r">(\w+)</a>", areas) == ["Work", "Photos", "Quality", "Models", "Manage"]
    assert f'href="/campaigns/watches/{first}/"' in areas


@pytest.mark.parametrize("role", list(Role))
def test_every_tab_opens_for_the_roles_that_see_it_and_only_for_them(
    client_of: Callable[[str], Any], role: Role
) -> None:
    client = client_of(NAMES[role])
    for page in CAMPAIGN_PAGES:
        status = client.get(page.url("watches")).status_code
        assert status == (200 if page.role.rank <= role.rank else 403), page.label


def test_the_page_that_is_open_is_marked_once_with_its_group(client_of: Callable[[str], Any]) -> None:
    page = client_of("ada").get("/campaigns/watches/members/").text
    (group,) = re.findall(r'aria-current="true">(\w+)<', part(page, "Areas of the campaign"))
    (tab,) = re.findall(r'aria-current="page">.*?</svg>([\w ]+)<', part(page, "Campaign"))
    assert (group, tab) == ("Manage", "Members")


def test_a_page_below_a_tab_marks_it(campaign: Campaign) -> None:
    tabs = navigation(campaign, Role.ADMIN, "import-batch").pages
    assert [tab.label for tab in tabs if tab.is_active] == ["Import photos"]


def test_a_page_without_a_tab_marks_none(campaign: Campaign) -> None:
    tabs = navigation(campaign, Role.ADMIN, "nowhere").pages
    assert [tab.label for tab in tabs if tab.is_active] == []


@pytest.mark.parametrize(
    ("name", "is_superuser", "shown", "hidden"),
    [
        ("alice", False, ["Your account", "Documentation", "API"], ["Users", "Administration", "New campaign"]),
        ("ada", True, ["Users", "Administration", "Refused attempts"], []),
    ],
)
def test_the_menu_has_what_the_user_may_open(
    client_of: Callable[[str], Any],
    people: dict[str, Any],
    name: str,
    is_superuser: bool,
    shown: list[str],
    hidden: list[str],
) -> None:
    people[name].is_superuser = people[name].is_staff = is_superuser
    people[name].save()
    client = client_of(name)
    found = re.search(r'<div class="menu-panel">(.*?)</details>', client.get("/").text, re.DOTALL)
    assert found
    labels = re.findall(r"</svg>([^<]+)</a>", found[1])
    assert set(shown) <= set(labels)
    assert not set(hidden) & set(labels)
    for address in re.findall(r'href="([^"]+)"', found[1]):
        assert client.get(address).status_code == 200, address


def test_the_help_of_every_page_exists() -> None:
    for page in (*CAMPAIGN_PAGES, *SITE_PAGES):
        assert not page.docs or page.docs in texts(), page.label
    assert docs_of("import-batch") == "how-to/import-photos"
    assert docs_of("nowhere") == ""


def test_the_help_of_a_page_is_linked(client_of: Callable[[str], Any]) -> None:
    page = client_of("rita").get("/campaigns/watches/annotator-quality/").text
    assert 'href="/docs/how-to/annotator-quality/" aria-label="Help for this page"' in page


def test_every_icon_of_a_template_exists() -> None:
    used = {
        name
        for path in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r'\{% icon "([a-z-]+)" %\}', path.read_text())
    } | {page.icon for page in (*CAMPAIGN_PAGES, *SITE_PAGES)}
    assert used <= set(icons())
    assert len(used) > 20
    assert icon("photos").startswith('<svg class="icon"')
    assert 'aria-hidden="true"' in icon("photos")
