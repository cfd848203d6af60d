"""Pages of errors: each says in plain words what happened, has one heading, and leads back."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from annotation.models import Campaign
from iqs_site.request_limits import REFUSAL

pytestmark = pytest.mark.django_db

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
CAMPAIGN = "/campaigns/watches/"
FORMS = ["models/evaluate", "state", "members/1", "invitations", "photos/bulk/start", "more-votes/"]


@pytest.mark.parametrize("name", ["400", "403_csrf", "500", "507", "refused"])
def test_a_page_without_the_user_has_one_heading_and_a_way_on(name: str) -> None:
    page = render_to_string(f"{name}.html", {"title": "Too much at once", "sentence": "At most 5 MB."})
    assert len(re.findall("<h1", page)) == 1
    assert '<main class="page narrow">' in page
    assert '<a class="button primary" href="/">' in page


@pytest.mark.parametrize("path", FORMS)
def test_an_address_of_a_form_shows_a_page_that_leads_back(
    client_of: Callable[[str], Client], campaign: Campaign, people: dict[str, Any], path: str
) -> None:
    response = client_of("ada").get(CAMPAIGN + path, headers=BROWSER)
    assert response.status_code == 405
    assert response.headers["Allow"]
    page = response.content.decode()
    assert "Nothing was sent" in page
    assert f'href="{CAMPAIGN}"' in page


def test_a_form_that_is_sent_after_the_session_ended_is_explained_after_the_login(
    client: Client, campaign: Campaign, people: dict[str, Any]
) -> None:
    login = client.post(f"{CAMPAIGN}models/evaluate", headers=BROWSER)
    assert login.status_code == 302
    name_and_password = {"username": "ada", "password": "pass-word-1"}
    response = client.post(login.headers["Location"], name_and_password, headers=BROWSER, follow=True)
    assert "Nothing was sent" in response.content.decode()


def test_programs_get_no_page_at_an_address_of_a_form(
    client_of: Callable[[str], Client], campaign: Campaign, people: dict[str, Any]
) -> None:
    client = client_of("ada")
    assert client.get(f"{CAMPAIGN}state", headers={"Accept": "*/*"}).content == b""
    answer = client.get("/api/campaigns/watches/leases", headers=BROWSER)
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("path", ["photos/?order=none", "photos/map/points"])
def test_a_wrong_address_of_the_gallery_is_a_page_with_the_reason(
    client_of: Callable[[str], Client], campaign: Campaign, people: dict[str, Any], path: str
) -> None:
    response = client_of("rita").get(CAMPAIGN + path, headers=BROWSER)
    assert response.status_code == 400
    page = response.content.decode()
    assert "The server did not understand this request" in page
    assert "order" in page or "There is no map yet." in page


def test_a_bad_request_of_django_says_nothing_about_the_server(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    response = client.get("/accounts/login/", headers={"Host": "elsewhere.example"})
    assert response.status_code == 400
    page = response.content.decode()
    assert "The server did not understand this request" in page
    assert "ALLOWED_HOSTS" not in page


def test_a_form_without_its_token_is_explained(people: dict[str, Any]) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/accounts/login/", {"username": "ada", "password": "pass-word-1"})
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


def test_an_early_refusal_has_the_language_of_its_own_request_and_programs_get_english(client: Client) -> None:
    refused = {REFUSAL: 503}
    headers = {**BROWSER, "Accept-Language": "de"}
    with translation.override("de"):  # as another request of the thread has left it
        english = client.get("/accounts/login/", headers={**headers, "Accept-Language": "en"}, **refused)
        program = client.get("/api/campaigns/watches/leases", headers=headers, **refused)
    assert "The server is busy" in english.content.decode()
    assert program.json() == {"detail": "The server is busy. Try again in a few seconds."}
