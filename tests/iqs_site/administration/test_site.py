"""The administration: which tables it has, who may open it, what its pages say, and what can be changed."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from annotation.models import AuditKind, AuditRecord, Campaign, User
from iqs_site.administration.tables import GROUPS
from tests.opinions_and_predictions import predictions_make, version_make, votes

TABLES = [table for group in GROUPS for table in group.tables]
INDEX = "/admin/"
# Names that are the same in both languages.
SAME = {"IQS", "/", ".", "· Watches", "A", "ada", "API", "Ctrl K", "Administration", "Export", "Audit", "Import"}


@pytest.fixture
def root(people: dict[str, User], client_of: Callable[[str], Client]) -> Client:
    """Return the client of a superuser."""
    User.objects.filter(username="ada").update(is_superuser=True, is_staff=True)
    return client_of("ada")


@pytest.fixture
def task(db: None) -> PeriodicTask:
    """Return a task of the scheduler."""
    every = IntervalSchedule.objects.create(every=15, period="seconds")
    return PeriodicTask.objects.create(name="training sweep", task="training.tasks.sweep", interval=every)


def lines_of(page: str) -> set[str]:
    """Return the texts of a page, without its scripts."""
    body = re.sub(r"(?s)<(script|title|svg).*?</\1>", "", page[page.index("<body") :])
    return {line for text in re.split(r"<[^>]+>", body) if (line := " ".join(html.unescape(text).split()))}


def test_only_wanted_tables_are_registered_and_each_has_a_place() -> None:
    registered = {model._meta.label_lower for model in admin.site._registry}
    assert registered == {table.model for table in TABLES}
    assert "auth.group" not in registered
    assert {name for name in registered if name.startswith("django_celery_beat")} == {"django_celery_beat.periodictask"}


@pytest.mark.parametrize("path", [INDEX, "/admin/annotation/image/", "/admin/annotation/user/1/change/"])
def test_people_without_an_account_are_sent_to_the_login_page(client: Client, people: Any, path: str) -> None:
    response = client.get(path, follow=True)
    assert response.redirect_chain[-1][0] == f"/accounts/login/?next={path}"


@pytest.mark.parametrize("path", [INDEX, "/admin/annotation/image/", "/admin/annotation/user/"])
@pytest.mark.parametrize("name", ["mallory", "alice", "rita", "ada"])
def test_only_superusers_get_in_also_staff_do_not(client_of: Callable[[str], Client], name: str, path: str) -> None:
    User.objects.filter(username=name).update(is_staff=True)
    response = client_of(name).get(path, follow=True)
    assert response.status_code == 403
    assert "Only superusers can open the administration." in response.text


def test_the_index_says_what_each_table_is_for_and_where_the_same_is_done_better(
    root: Client, campaign: Campaign
) -> None:
    page = html.unescape(root.get(INDEX).text)
    for table in TABLES:
        assert str(table.about) in page
        assert f'href="{reverse(table.changelist)}"' in page
    for path in (f"/campaigns/{campaign.slug}/photos/", f"/campaigns/{campaign.slug}/models/", "/users/"):
        assert f'href="{path}"' in page
        assert root.get(path).status_code == 200


def test_links_lead_to_pages_of_the_campaign_that_is_chosen(root: Client, campaign: Campaign) -> None:
    Campaign.objects.create(slug="newest", name="Newest")
    assert "/campaigns/newest/photos/" in root.get(INDEX).text
    page = root.get(INDEX, {"campaign": campaign.slug}).text
    assert f"/campaigns/{campaign.slug}/photos/" in page
    assert "/campaigns/newest/photos/" not in page
    table = root.get("/admin/annotation/image/", {"campaign__id__exact": campaign.pk}).text
    assert f"/campaigns/{campaign.slug}/photos/" in table


def test_without_a_campaign_every_page_still_opens(client: Client, make_user: Callable[..., User]) -> None:
    client.force_login(make_user("root", is_superuser=True))
    assert client.get(INDEX).status_code == 200
    for table in TABLES:
        page = client.get(reverse(table.changelist)).text
        assert "This table is empty" in page or table.model == "annotation.user"


def test_the_german_index_has_no_english_words(root: Client, campaign: Campaign) -> None:
    english = lines_of(root.get(INDEX).text)
    User.objects.filter(username="ada").update(language="de")
    german = lines_of(root.get(INDEX).text)
    assert len(german) > 50
    assert english & german <= SAME


@pytest.mark.parametrize("language", ["de", "en-gb"])
def test_the_columns_of_every_list_are_in_the_language_of_the_reader(
    root: Client, campaign: Campaign, make_image: Callable[..., Any], task: PeriodicTask, language: str
) -> None:
    User.objects.filter(username="ada").update(language=language)
    images = [make_image(seed) for seed in range(2)]
    predictions_make(version_make(campaign), images, [5.0, 6.0])
    heads = {}
    for path in ("annotation/image", "annotation/campaign", "inference/prediction", "django_celery_beat/periodictask"):
        page = root.get(f"/admin/{path}/").text
        heads[path] = lines_of("<body" + page[page.index("<thead>") : page.index("</thead>")])
    assert ("Vote count" in heads["annotation/image"]) == (language == "en-gb")
    assert ("Bewertungen" in heads["annotation/image"]) == (language == "de")
    assert ("Created at" in heads["annotation/campaign"]) == (language == "en-gb")


def test_a_list_needs_as_many_queries_for_ten_rows_as_for_two(
    root: Client, campaign: Campaign, make_image: Callable[..., Any], people: dict[str, User]
) -> None:
    def counts() -> list[int]:
        found = []
        for table in TABLES:
            with CaptureQueriesContext(connection) as captured:
                assert root.get(reverse(table.changelist)).status_code == 200
            found.append(len(captured))
        return found

    version = version_make(campaign)
    first = [make_image(seed) for seed in range(2)]
    votes(first, [people["alice"]], [[5], [6]], "no")
    predictions_make(version, first, [5.0, 6.0])
    before = counts()
    more = [make_image(seed) for seed in range(2, 10)]
    votes(more, [people["alice"]], [[5]] * 8, "no")
    predictions_make(version, more, [5.0] * 8)
    assert counts() == before


def test_a_row_leads_to_its_page(root: Client, campaign: Campaign, make_image: Callable[..., Any]) -> None:
    image = make_image(1)
    version = version_make(campaign)
    for path, page in {
        f"annotation/image/{image.pk}": f"/campaigns/watches/photos/{image.pk}/",
        f"annotation/campaign/{campaign.pk}": "/campaigns/watches/",
        f"inference/modelversion/{version.pk}": "/campaigns/watches/models/1/",
    }.items():
        assert f'href="{page}"' in root.get(f"/admin/{path}/change/").text
        assert root.get(page).status_code == 200


def test_tables_of_one_app_lead_to_the_index(root: Client) -> None:
    assert root.get("/admin/annotation/").headers["Location"] == INDEX


def test_a_task_can_be_switched_off_and_nothing_else(root: Client, task: PeriodicTask) -> None:
    address = f"/admin/django_celery_beat/periodictask/{task.pk}/"
    assert root.get("/admin/django_celery_beat/periodictask/add/").status_code == 403
    assert root.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    response = root.post(f"{address}change/", {"name": "other", "task": "evil"})  # an empty box is not sent
    assert response.status_code == 302
    task.refresh_from_db()
    assert (task.enabled, task.name, task.task) == (False, "training sweep", "training.tasks.sweep")
    assert AuditRecord.objects.filter(kind=AuditKind.ADMIN_SITE).exists()
    history = root.get(f"{address}history/").text
    assert "ada" in history
    assert "Nothing was changed here" not in history


def test_the_form_of_a_user_has_no_rights_on_tables_and_keeps_its_dates(root: Client, people: dict[str, User]) -> None:
    alice = people["alice"]
    address = f"/admin/annotation/user/{alice.pk}/change/"
    fields = root.get(address).context["adminform"].form.fields
    assert not fields.keys() & {"groups", "user_permissions", "password", "last_login", "date_joined"}
    values = {"username": "alice", "first_name": "Alice", "email": "", "is_active": "on", "last_login": "2001-01-01"}
    assert root.post(address, values).status_code == 302
    changed = User.objects.get(pk=alice.pk)
    assert (changed.first_name, changed.last_login) == ("Alice", alice.last_login)
    assert "Nothing was changed here" in root.get(f"/admin/annotation/user/{people['bob'].pk}/history/").text


def test_nobody_is_deactivated_here_and_the_last_superuser_stays_one(root: Client, people: dict[str, User]) -> None:
    def change(name: str, **values: str) -> str:
        return root.post(f"/admin/annotation/user/{people[name].pk}/change/", {"username": name, **values}).text

    assert "ada is the last superuser and stays one." in change("ada")
    change("alice", is_superuser="on")
    assert "stays one" not in change("ada"), "alice is another one"
    superusers = User.objects.filter(is_superuser=True)
    assert [user.username for user in superusers] == ["alice"]
    assert not User.objects.filter(is_active=False).exists()


def test_searches_and_filters_without_rows_say_so(
    root: Client, campaign: Campaign, make_image: Callable[..., Any]
) -> None:
    make_image(1)
    assert "No row fits" in root.get("/admin/annotation/image/", {"q": "nowhere"}).text
    assert "No row fits" in root.get("/admin/annotation/campaign/", {"state__exact": "closed"}).text
