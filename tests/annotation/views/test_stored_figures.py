"""Pages show stored figures at once, say how old they are, and follow the worker."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from annotation import tasks
from annotation.models import Campaign, Image, StoredFigures, User
from annotation.services import stored_figures as services
from tests.opinions_and_predictions import images_make, vote

PAGES = {"agreement": "campaign-quality", "raters": "rater-quality", "methods": "methods"}


@pytest.fixture(autouse=True)
def with_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "FEW_ANSWERS", 0)  # the real limit would need 3,000 rows


@pytest.fixture
def rated(campaign: Campaign, make_user: Callable[..., User]) -> list[Image]:
    images = images_make(campaign, 25)
    for number in range(3):
        person = make_user(f"person-{number}")
        for place, image in enumerate(images):
            vote(image, person, 1 + (place + number) % 10, "yes" if place % 2 else "no")
    return images


def part(client: Client, kind: str) -> str:
    response = client.get(reverse("stored-figures", args=["watches", kind]))
    return response.headers.get("HX-Refresh", "") + response.content.decode()


@pytest.mark.parametrize(("kind", "page"), PAGES.items())
def test_a_page_waits_for_its_first_figures_and_then_says_how_old_they_are(
    campaign: Campaign, rated: list[Image], client_of: Callable[[str], Client], kind: str, page: str
) -> None:
    client, address = client_of("rita"), reverse(page, args=["watches"])
    html = client.get(address).content.decode()
    assert "The votes are being counted" in html
    assert "Waiting for a worker" in part(client, kind)
    row = services.CLAIMS.claim(StoredFigures.objects.get().pk)
    assert row is not None
    StoredFigures.objects.update(step="measuring agreement", done=1, total=4)
    assert '<progress max="4" value="1" aria-label="measuring agreement">' in part(client, kind)
    assert services.claimed_figures_make(row=row)
    assert part(client, kind).startswith("true")  # the page loads again
    html = client.get(address).content.decode()
    assert "from 75 votes, fingerprint" in html
    assert "being counted" not in html


def test_newer_votes_are_announced_beside_the_old_figures(
    campaign: Campaign, rated: list[Image], people: dict[str, User], client_of: Callable[[str], Client]
) -> None:
    client, address = client_of("rita"), reverse("campaign-quality", args=["watches"])
    client.get(address)
    tasks.stored_figures_make(StoredFigures.objects.get().pk)
    vote(rated[0], people["alice"], 10)
    assert "There are newer votes. Open this page after" in client.get(address).content.decode()
    StoredFigures.objects.update(made_at="2026-01-01T00:00Z")
    html = client.get(address).content.decode()
    assert "Newer votes are being counted" in html
    assert "From 75 votes" in html


def test_the_markdown_report_waits_on_the_page(
    campaign: Campaign, rated: list[Image], client_of: Callable[[str], Client]
) -> None:
    client, file = client_of("rita"), reverse("methods-markdown", args=["watches"])
    assert client.get(file).url == reverse("methods", args=["watches"])  # type: ignore[attr-defined]
    tasks.stored_figures_make(StoredFigures.objects.get().pk)
    assert "Counted votes: 75" in client.get(file).content.decode()


@pytest.mark.parametrize("name", ["alice", "mallory", "anonymous"])
def test_only_reviewers_see_how_far_a_worker_is(
    campaign: Campaign, client_of: Callable[[str], Client], name: str
) -> None:
    address = reverse("stored-figures", args=["watches", "agreement"])
    assert client_of(name).get(address).status_code in (302, 403, 404)


def test_there_are_no_figures_of_another_kind(campaign: Campaign, client_of: Callable[[str], Client]) -> None:
    assert client_of("rita").get(reverse("stored-figures", args=["watches", "weather"])).status_code == 404
