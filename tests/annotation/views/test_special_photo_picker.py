"""The grid from which practice, example and gold photos are chosen."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from annotation.models import Campaign, Image
from annotation.services.consensus import consensus_refresh
from tests.opinions_and_predictions import vote

PAGE = "/campaigns/watches/special-photos/pick/{}/"


@pytest.fixture
def images(campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]) -> list[Image]:
    """Return three photos with the means 2.5, 8 and 5; people disagree about the last one."""
    images = [make_image(seed) for seed in range(3)]
    for image, scores in zip(images, [(2, 3), (8, 8), (1, 9)], strict=True):
        vote(image, people["alice"], scores[0], watch="yes")
        vote(image, people["bob"], scores[1], watch="yes")
    consensus_refresh(campaign=campaign)
    return images


def shown(response: Any) -> list[str]:
    return [one.image.name for one in response.context["candidates"]]


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 403), ("ada", 200)]
)
def test_only_admins_choose(client_of: Any, images: list[Image], name: str, status: int) -> None:
    url = PAGE.format("gold")
    assert client_of(name).get(url).status_code == status
    sent = {"photo": images[1].pk, f"score-{images[1].pk}": 8, f"watch-{images[1].pk}": "yes"}
    assert client_of(name).post(url, sent).status_code == (302 if status == 200 else status)
    assert Image.objects.filter(role="gold").exists() == (status == 200)


def test_photos_come_in_the_order_that_helps(client_of: Any, images: list[Image]) -> None:
    client = client_of("ada")
    worst = [images[0].name, images[2].name, images[1].name]
    assert shown(client.get(PAGE.format("practice"))) == worst
    assert shown(client.get(PAGE.format("example"), {"order": "best"})) == worst[::-1]
    assert shown(client.get(PAGE.format("gold"), {"order": "newest", "q": "PHOTO-1"})) == [images[1].name]


def test_a_few_photos_spread_from_worst_to_best(
    client_of: Any, images: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    from annotation.views import special_photo_picker

    monkeypatch.setattr(special_photo_picker, "PAGE_SIZE", 2)  # as if there were more photos than fit
    assert shown(client_of("ada").get(PAGE.format("practice"))) == [images[0].name, images[1].name]


def test_the_answer_of_the_people_is_proposed(client_of: Any, images: list[Image]) -> None:
    candidates = client_of("ada").get(PAGE.format("practice")).context["candidates"]
    assert [(one.score, one.watch) for one in candidates] == [(3, "yes"), (5, "yes"), (8, "yes")]


def test_several_photos_are_added_at_once(client_of: Any, images: list[Image]) -> None:
    data: dict[str, Any] = {"photo": [image.pk for image in images[:2]]}
    for image, score in zip(images, (2, 9, 5), strict=True):
        data |= {f"score-{image.pk}": score, f"watch-{image.pk}": "no"}
    response = client_of("ada").post(PAGE.format("practice"), data)
    assert response.url == f"{reverse('special-photos', args=['watches'])}?show=practice"
    rows = Image.objects.order_by("pk").values_list("role", "expected_score", "expected_watch")
    assert list(rows) == [("practice", 2, "no"), ("practice", 9, "no"), ("rated", None, "")]


def test_what_is_wrong_is_said_for_each_photo(client_of: Any, images: list[Image], campaign: Campaign) -> None:
    Image.objects.filter(pk=images[0].pk).update(split="holdout")
    data = {
        "photo": [image.pk for image in images],
        f"score-{images[0].pk}": 2,
        f"watch-{images[0].pk}": "yes",
        f"score-{images[1].pk}": 99,
        f"watch-{images[1].pk}": "yes",
        f"score-{images[2].pk}": 5,
        f"watch-{images[2].pk}": "yes",
    }
    response = client_of("ada").post(PAGE.format("practice"), data)
    page = response.content.decode()
    assert response.status_code == 422
    assert f"{images[0].name}: This photo belongs to the holdout." in page
    assert f"{images[1].name}: The expected score must be from 1 to 10." in page
    assert "1 photo added." in page
    client_of("ada").post(PAGE.format("practice"), data | {"photo": images[0].pk, "leave_evaluation": "on"})
    assert Image.objects.get(pk=images[0].pk).role == "practice"


def test_choosing_nothing_is_explained(client_of: Any, images: list[Image]) -> None:
    assert "Choose at least one photo." in client_of("ada").post(PAGE.format("gold"), {}).content.decode()


def test_photos_of_another_campaign_are_not_changed(client_of: Any, images: list[Image], make_image: Any) -> None:
    other = make_image(9, campaign=Campaign.objects.create(slug="other", name="Other"))
    client_of("ada").post(PAGE.format("gold"), {"photo": other.pk, f"score-{other.pk}": 5, f"watch-{other.pk}": "yes"})
    assert not Image.objects.filter(role="gold").exists()


def test_other_kinds_are_not_found(client_of: Any, campaign: Campaign) -> None:
    assert client_of("ada").get(PAGE.format("rated")).status_code == 404


def test_the_page_takes_few_queries(client_of: Any, images: list[Image], django_assert_num_queries: Any) -> None:
    client = client_of("ada")
    with django_assert_num_queries(6):  # session, user, campaign with role, simulated annotators?, number, photos
        client.get(PAGE.format("gold"))
    assert "No photo to choose from" in client.get(PAGE.format("gold"), {"q": "zzz"}).content.decode()
