"""The page on which admins read what annotators wrote about photos."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from annotation.models import Campaign, Image, PhotoComment
from annotation.services.comments import comment_record

PAGE = "/campaigns/watches/comments/"


@pytest.fixture
def comments(campaign: Campaign, people: Any, make_image: Callable[..., Image]) -> list[PhotoComment]:
    return [
        comment_record(
            campaign=campaign, author=people[name], image_id=make_image(seed).pk, client_id=uuid4(), text=text
        ).comment
        for seed, (name, text) in enumerate([("alice", "Two clocks."), ("bob", "Is this <b>art</b>?")])
    ]


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 403), ("ada", 200)]
)
def test_only_admins_read_and_change_comments(
    client_of: Any, comments: list[PhotoComment], name: str, status: int
) -> None:
    client = client_of(name)
    assert client.get(PAGE).status_code == status
    changed = client.post(reverse("comment-change", args=["watches", comments[0].pk]), {"done": "yes"})
    assert changed.status_code == (302 if status in (200, 302) else status)
    comments[0].refresh_from_db()
    assert (comments[0].done_at is not None) == (name == "ada")


def test_the_page_shows_open_comments_and_done_ones(client_of: Any, comments: list[PhotoComment]) -> None:
    client = client_of("ada")
    page = client.get(PAGE).content.decode()
    assert page.index("&lt;b&gt;art") < page.index("Two clocks.")
    client.post(reverse("comment-change", args=["watches", comments[1].pk]), {"done": "yes"})
    assert "art" not in client.get(PAGE).content.decode()
    assert "Done by ada" in client.get(f"{PAGE}?show=done").content.decode()
    client.post(reverse("comment-change", args=["watches", comments[1].pk]), {})
    assert "art" in client.get(PAGE).content.decode()
    client.post(reverse("comments-done", args=["watches"]), {"newest": str(comments[1].pk)})
    assert "No open comments" in client.get(PAGE).content.decode()


def test_a_comment_of_another_campaign_cannot_be_changed(client_of: Any, comments: list[PhotoComment]) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    PhotoComment.objects.filter(pk=comments[0].pk).update(campaign=other)
    assert client_of("ada").post(reverse("comment-change", args=["watches", comments[0].pk])).status_code == 404


def test_the_number_of_queries_does_not_depend_on_the_number_of_comments(
    campaign: Campaign, client_of: Any, people: Any, comments: list[PhotoComment], django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        comment_record(
            campaign=campaign,
            author=people["alice"],
            image_id=comments[0].image_id,
            client_id=uuid4(),
            text=f"Comment {number}",
        )
    client = client_of("ada")
    with django_assert_max_num_queries(7):
        client.get(PAGE)


def test_admins_find_the_comments_beside_photos_with_problems(client_of: Any, comments: list[PhotoComment]) -> None:
    Image.objects.filter(pk=comments[0].image_id).update(problem="3 annotators skipped it.")
    page = client_of("ada").get("/campaigns/watches/special-photos/?show=problem").content.decode()
    assert "“Two clocks.”" in page
    assert f'href="{PAGE}"' in page
