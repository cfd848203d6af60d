"""The search: it finds what the user may open, and nothing else; an index finds photos by name."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Assignment, Campaign, Image, Membership, Role
from annotation.selectors.photo_search import photos_named
from tests.opinions_and_predictions import images_make


def found(client: Any, question: str = "", campaign: str = "") -> dict[str, list[dict[str, str]]]:
    """Return {label: items} of the answer."""
    response = client.get("/find", {"q": question, "campaign": campaign})
    assert response.status_code == 200
    return {group["label"]: group["items"] for group in response.json()["groups"]}


def titles(groups: dict[str, list[dict[str, str]]], label: str) -> list[str]:
    return [item["title"] for item in groups.get(label, [])]


@pytest.fixture
def images(campaign: Campaign) -> list[Image]:
    images = images_make(campaign, 3, prefix="Beach")
    Image.objects.filter(pk=images[2].pk).update(name="holiday/Beach-folder.jpg")
    return images


def test_a_login_is_needed(client_of: Callable[[str], Any]) -> None:
    assert client_of("anonymous").get("/find").status_code == 302


def test_only_reading_is_allowed(client_of: Callable[[str], Any]) -> None:
    assert client_of("alice").post("/find").status_code == 405


def test_without_a_question_it_lists_the_pages_of_the_campaign(client_of: Callable[[str], Any]) -> None:
    groups = found(client_of("rita"), campaign="watches")
    assert titles(groups, "Pages")[:3] == ["Overview", "Annotate", "Your work"]
    assert "Calibration" in titles(groups, "Pages")
    assert "Settings" not in titles(groups, "Pages")
    assert titles(groups, "Campaigns") == ["Watches"]


@pytest.mark.parametrize(("name", "sees"), [("alice", False), ("rita", True), ("ada", True), ("mallory", False)])
def test_pages_of_a_campaign_are_for_its_roles(client_of: Callable[[str], Any], name: str, sees: bool) -> None:
    assert ("Calibration" in titles(found(client_of(name), "calibration", "watches"), "Pages")) == sees


def test_non_members_do_not_learn_that_a_campaign_exists(client_of: Callable[[str], Any], images: list[Image]) -> None:
    for question in ("watches", "beach"):
        groups = found(client_of("mallory"), question, "watches")
        assert "Campaigns" not in groups
        assert "Photos" not in groups


def test_a_page_of_another_campaign_is_found_by_both_names(
    client_of: Callable[[str], Any], people: dict[str, Any]
) -> None:
    other = Campaign.objects.create(slug="cats", name="Cats at night")
    Membership.objects.create(campaign=other, user=people["rita"], role=Role.REVIEWER)
    (first, *_) = found(client_of("rita"), "cats calib", "watches")["Pages"]
    assert first == {"title": "Calibration", "note": "Cats at night", "url": "/campaigns/cats/calibration/"}


@pytest.mark.parametrize("question", ["beach", "BEACH", "beach-"])
def test_reviewers_find_photos_by_the_beginning_of_the_file_name(
    client_of: Callable[[str], Any], images: list[Image], question: str
) -> None:
    items = found(client_of("rita"), question, "watches")["Photos"]
    assert {item["title"] for item in items} == {"Beach-0.jpg", "Beach-1.jpg", "holiday/Beach-folder.jpg"}
    assert items[0]["url"].startswith("/campaigns/watches/photos/")


def test_a_folder_narrows_the_search(client_of: Callable[[str], Any], images: list[Image]) -> None:
    assert titles(found(client_of("rita"), "holiday/beach"), "Photos") == ["holiday/Beach-folder.jpg"]


def test_annotators_find_only_photos_that_they_have_answered(
    client_of: Callable[[str], Any], images: list[Image], people: dict[str, Any], campaign: Campaign
) -> None:
    assert "Photos" not in found(client_of("alice"), "beach", "watches")
    Assignment.objects.create(
        campaign=campaign, image=images[1], annotator=people["alice"], state="done", expires_at=images[1].created_at
    )
    (item,) = found(client_of("alice"), "beach", "watches")["Photos"]
    assert item["url"] == f"/campaigns/watches/mine/{images[1].pk}/"
    assert "Photos" not in found(client_of("bob"), "beach", "watches")


def test_withdrawn_photos_are_not_found(client_of: Callable[[str], Any], images: list[Image]) -> None:
    Image.objects.update(withdrawn_at=images[0].created_at)
    assert "Photos" not in found(client_of("rita"), "beach", "watches")


def test_a_superuser_finds_every_campaign(make_user: Callable[..., Any], images: list[Image], client: Any) -> None:
    client.force_login(make_user("root", is_superuser=True))
    groups = found(client, "beach")
    assert len(groups["Photos"]) == 3
    assert titles(found(client, "watches"), "Campaigns") == ["Watches"]


def test_the_documentation_is_found_by_its_headings(client_of: Callable[[str], Any]) -> None:
    (first, *_) = found(client_of("alice"), "rate photos")["Documentation"]
    assert first == {"title": "Rate photos", "note": "", "url": "/docs/how-to/rate-photos/"}
    assert any("#" in item["url"] for item in found(client_of("alice"), "near-duplicates")["Documentation"])


@pytest.mark.parametrize("question", ["%", "_", "\\", "'", '"<script>', "\0", "x" * 5000, "💥", "a" * 3 + "%"])
def test_odd_questions_find_nothing_and_break_nothing(
    client_of: Callable[[str], Any], images: list[Image], question: str
) -> None:
    assert "Photos" not in found(client_of("rita"), question, "watches")


def test_the_answer_is_short(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    images_make(campaign, 50, prefix="many")
    groups = found(client_of("ada"), "ma", "watches")
    assert len(groups["Photos"]) == 6
    assert all(len(items) <= 8 for items in groups.values())


def test_the_number_of_queries_is_constant(
    client_of: Callable[[str], Any], images: list[Image], people: dict[str, Any]
) -> None:
    client = client_of("rita")

    def query_count() -> int:
        with CaptureQueriesContext(connection) as captured:
            found(client, "beach", "watches")
        return len(captured)

    before = query_count()
    for number in range(5):
        other = Campaign.objects.create(slug=f"beach{number}", name=f"Beach {number}")
        Membership.objects.create(campaign=other, user=people["rita"], role=list(Role)[number % 3])
    # Two more with campaigns of other roles: photos of the other campaigns, and own photos.
    assert query_count() <= before + 2 <= 7


def test_an_index_finds_photos_by_name(campaign: Campaign) -> None:
    images_make(campaign, 3000, prefix="many")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE annotation_image")
    with CaptureQueriesContext(connection) as captured:
        photos_named("many-12", campaign_ids=[campaign.pk], first=None, limit=6)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + captured[0]["sql"])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "image_file_name" in plan
