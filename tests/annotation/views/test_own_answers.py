"""Filters of the page "Your work", editing in its rows, and undo beside the change."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from annotation.models import Annotation, Campaign, Image, PhotoComment
from annotation.services.comments import comment_record
from tests.opinions_and_predictions import vote

PAGE = "/campaigns/watches/mine/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def images(campaign: Campaign, people: Any, make_image: Callable[..., Image]) -> list[Image]:
    """Return five photos: alice gave 2, 4, 6, 8 with the labels yes, no, unsure, yes, and skipped the last."""
    images = [make_image(seed, name=f"photo-{seed}.jpg") for seed in range(5)]
    for image, score, watch in zip(images, (2, 4, 6, 8), ("yes", "no", "unsure", "yes"), strict=False):
        vote(image, people["alice"], score, watch)
    Annotation.objects.create(
        client_id=uuid4(), campaign=campaign, image=images[4], annotator=people["alice"], skip_reason="Dark."
    )
    return images


def listed(client: Client, query: str) -> list[int]:
    response = client.get(f"{PAGE}?{query}")
    assert response.status_code == 200
    return sorted(int(answer.image.name[6]) for answer in response.context["history"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("lowest=4&highest=6", [1, 2]),
        ("answer=yes", [0, 3]),
        ("answer=skipped", [4]),
        ("answer=yes&lowest=5", [3]),
        ("name=PHOTO-2", [2]),
        ("changed=on", [1]),
        ("comment=on", [3]),
        ("since={today}", [1, 2, 3, 4]),
        ("until={yesterday}", [0]),
        ("lowest=many&answer=maybe&since=soon", [0, 1, 2, 3, 4]),
        ("answer=no&comment=on", []),
    ],
)
def test_filters_stand_in_the_address(
    campaign: Campaign, client_of: Any, people: Any, images: list[Image], query: str, found: list[int]
) -> None:
    client = client_of("alice")
    Annotation.objects.filter(image=images[0]).update(created_at=timezone.now() - timedelta(days=1))
    client.post(f"{PAGE}{images[1].pk}/", {"client_id": str(uuid4()), "watch": "no", "score": "5"})
    for name, image in (("alice", images[3]), ("bob", images[0])):
        comment_record(campaign=campaign, author=people[name], image_id=image.pk, client_id=uuid4(), text="Two clocks.")
    today = timezone.localdate()
    assert listed(client, query.format(today=today, yesterday=today - timedelta(days=1))) == found


def test_the_list_says_how_many_answers_fit_and_keeps_the_filter_in_links(
    client_of: Any, images: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.views.own_work.PAGE_SIZE", 1)
    page = client_of("alice").get(f"{PAGE}?answer=yes", headers=HTMX).content.decode()
    assert "2 answers of yours fit the filter" in page
    assert "<h1>" not in page
    assert "?answer=yes&amp;before=" in page
    empty = client_of("alice").get(f"{PAGE}?name=nothing").content.decode()
    assert "No answer fits this filter." in empty


def test_a_row_is_edited_in_place_and_the_change_is_undone_there(
    client_of: Any, people: Any, images: list[Image]
) -> None:
    client, page = client_of("alice"), f"{PAGE}{images[0].pk}/"
    form = client.get(page, headers=HTMX).content.decode()
    assert form.startswith(f'<li id="answer-{images[0].pk}" class="editing">')
    row = client.post(page, {"client_id": str(uuid4()), "watch": "no", "score": "9"}, headers=HTMX).content.decode()
    assert "Saved." in row
    assert "Before: watch, 2." in row
    changed = Annotation.objects.get(image=images[0], superseded_by=None)
    assert (changed.watch, changed.score) == ("no", 9)
    body = {"answer": str(changed.pk), "client_id": str(uuid4())}
    for _ in range(2):  # a double click
        undone = client.post(f"{page}undo", body, headers=HTMX).content.decode()
    assert "there is a newer answer" in undone
    last = Annotation.objects.get(image=images[0], superseded_by=None)
    assert (last.watch, last.score, last.supersedes) == ("yes", 2, changed)
    assert Annotation.objects.filter(image=images[0]).count() == 3


def test_a_rated_skip_can_be_undone(client_of: Any, images: list[Image]) -> None:
    client, page = client_of("alice"), f"{PAGE}{images[4].pk}/"
    client.post(page, {"client_id": str(uuid4()), "watch": "no", "score": "9"})
    answer = Annotation.objects.get(image=images[4], superseded_by=None)
    client.post(f"{page}undo", {"answer": str(answer.pk)})
    assert Annotation.objects.get(image=images[4], superseded_by=None).skip_reason == "Dark."


def test_only_the_comment_is_stored_when_the_answer_stays(client_of: Any, people: Any, images: list[Image]) -> None:
    body = {"client_id": str(uuid4()), "watch": "yes", "score": "2", "comment": "Cropped later?"}
    for _ in range(2):  # a double click
        row = client_of("alice").post(f"{PAGE}{images[0].pk}/", body, headers=HTMX).content.decode()
    assert "Your comment was sent." in row
    assert "“Cropped later?”" in row
    assert Annotation.objects.filter(image=images[0]).count() == 1
    assert PhotoComment.objects.get().author == people["alice"]


def test_wrong_values_and_closed_campaigns_are_shown_in_the_row(client_of: Any, images: list[Image]) -> None:
    client, page = client_of("alice"), f"{PAGE}{images[0].pk}/"
    wrong = client.post(page, {"client_id": str(uuid4()), "watch": "no", "score": "11"}, headers=HTMX)
    assert (wrong.status_code, "from 1 to 10" in wrong.content.decode()) == (200, True)
    client.post(page, {"client_id": str(uuid4()), "watch": "no", "score": "3"})
    answer = Annotation.objects.get(image=images[0], superseded_by=None)
    Campaign.objects.update(state="closed")
    assert "The campaign is closed" in client.get(page, headers=HTMX).content.decode()
    undone = client.post(f"{page}undo", {"answer": str(answer.pk)}, headers=HTMX).content.decode()
    assert "The campaign is closed" in undone
    assert Annotation.objects.filter(image=images[0]).count() == 2


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 200), ("bob", 404), ("ada", 404)]
)
@pytest.mark.parametrize("address", ["row", "undo"])
def test_only_the_annotator_has_the_row_and_undoes(
    client_of: Any, images: list[Image], name: str, status: int, address: str
) -> None:
    client, page = client_of(name), f"{PAGE}{images[0].pk}/{address}"
    response = client.get(page) if address == "row" else client.post(page, headers=HTMX)
    assert response.status_code == status
    assert Annotation.objects.filter(image=images[0]).count() == 1


def test_a_filter_takes_few_queries(client_of: Any, images: list[Image], django_assert_max_num_queries: Any) -> None:
    client = client_of("alice")
    with django_assert_max_num_queries(6):  # session, user, campaign, list, comments, count
        client.get(f"{PAGE}?answer=yes&lowest=1&comment=on", headers=HTMX)
