"""The gallery and the page of one photo."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Campaign, Image
from inference.gallery import ORDERS
from inference.models import ModelVersion
from inference.views import photos as photo_views
from tests.judgements import images_make, predictions_make, version_make, vote, votes

GALLERY = "/campaigns/watches/photos/"


@pytest.fixture
def version(campaign: Campaign) -> ModelVersion:
    return version_make(campaign)


def shown(html: str) -> list[int]:
    """Return the ids of the photos on a page of the gallery, in order."""
    return [int(pk) for pk in re.findall(r'src="/photos/(\d+)/thumbnail"', html)]


def whole_gallery(client: Any, query: str = "") -> list[int]:
    """Follow 'load more' to the end and return the ids in order."""
    address, found = f"{GALLERY}?{query}", []
    while address:
        html = client.get(address).content.decode()
        found += shown(html)
        more = re.search(r'hx-get="([^"]+)"', html)
        address = more[1].replace("&amp;", "&") if more else ""
    return found


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 200), ("ada", 200)]
)
@pytest.mark.parametrize("page", ["gallery", "photo"])
def test_only_reviewers_and_admins_see_photos_with_predictions(
    client_of: Callable[[str], Any], campaign: Campaign, name: str, status: int, page: str
) -> None:
    (image,) = images_make(campaign, 1)
    address = GALLERY if page == "gallery" else f"{GALLERY}{image.pk}/"
    assert client_of(name).get(address).status_code == status


def test_the_gallery_asks_as_many_questions_for_many_photos_as_for_few(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any], version: ModelVersion
) -> None:
    client = client_of("rita")

    def questions() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{GALLERY}?order=apart").status_code == 200
        return len(captured)

    few = images_make(campaign, 2)
    votes(few, [people["alice"]], 5, "no")
    predictions_make(version, few, [4.0, 7.0])
    before = questions()
    many = images_make(campaign, 60, prefix="more")
    votes(many, [people["alice"], people["bob"]], 6, "yes")
    predictions_make(version, many, [5.0] * 60)
    assert questions() == before <= 8


@pytest.mark.parametrize("order", list(ORDERS))
def test_load_more_reaches_every_photo_once_even_where_they_tie(
    client_of: Callable[[str], Any],
    campaign: Campaign,
    people: dict[str, Any],
    version: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
    order: str,
) -> None:
    monkeypatch.setattr(photo_views, "PAGE_SIZE", 4)  # three pages without a hundred photos
    images = images_make(campaign, 11)
    votes(images, [people["alice"]], 5, "no")
    predictions_make(version, images, [1.1 * (i % 3) + 3 for i in range(len(images))], watch=0.3)
    found = whole_gallery(client_of("rita"), f"order={order}")
    assert sorted(found) == [image.pk for image in images]
    assert len(found) == len(set(found))


def test_orders_are_what_they_say(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any], version: ModelVersion
) -> None:
    a, b, c, unseen = images_make(campaign, 4)
    predictions_make(version, [a, b, c], [5.0, 8.0, 2.0], watch=[0.9, 0.1, 0.5])
    vote(a, people["alice"], 9)
    vote(b, people["alice"], 7)
    vote(c, people["alice"], 10, saw_prediction=True)
    client = client_of("rita")
    assert whole_gallery(client) == [unseen.pk, c.pk, b.pk, a.pk]
    assert whole_gallery(client, "order=best") == [b.pk, a.pk, c.pk]
    assert whole_gallery(client, "order=worst") == [c.pk, a.pk, b.pk]
    assert whole_gallery(client, "order=watch") == [a.pk, c.pk, b.pk]
    assert whole_gallery(client, "order=unlike") == [b.pk, c.pk, a.pk]
    assert whole_gallery(client, "order=apart") == [a.pk, b.pk], "an answer given after seeing the prediction is none"


def test_filters_leave_out_what_does_not_fit(
    client_of: Callable[[str], Any], campaign: Campaign, version: ModelVersion
) -> None:
    low, high = images_make(campaign, 2)
    (held,) = images_make(campaign, 1, holdout=True)
    predictions_make(version, [low, high, held], [3.0, 8.0, 8.0], watch=[0.001, 0.9, 0.001])
    client = client_of("rita")
    assert whole_gallery(client, "quality_class=rejected") == [low.pk]
    assert whole_gallery(client, "watch=yes") == [high.pk]
    assert whole_gallery(client, "watch=no&quality_class=accepted") == [held.pk]
    assert whole_gallery(client, "split=holdout") == [held.pk]


def test_only_the_champions_predictions_are_shown(
    client_of: Callable[[str], Any], campaign: Campaign, version: ModelVersion
) -> None:
    images = images_make(campaign, 1)
    predictions_make(version, images, [4.3])
    predictions_make(version_make(campaign, 2, champion=False), images, [8.8])
    html = client_of("rita").get(GALLERY).content.decode()
    assert "4.3" in html
    assert "8.8" not in html


@pytest.mark.parametrize("query", ["order=prettiest", "watch=maybe", "order=best&after=nonsense"])
def test_an_address_nobody_gave_out_is_refused_in_one_sentence(client_of: Callable[[str], Any], query: str) -> None:
    response = client_of("rita").get(f"{GALLERY}?{query}")
    assert response.status_code == 400
    assert response.content.decode().count("\n") == 0


def test_htmx_gets_the_next_tiles_without_the_page_around_them(
    client_of: Callable[[str], Any], campaign: Campaign
) -> None:
    images_make(campaign, 2)
    html = client_of("rita").get(GALLERY, headers={"HX-Request": "true"}).content.decode()
    assert html.lstrip().startswith("<li")
    assert "<html" not in html


def test_a_gallery_without_photos_says_what_to_do(client_of: Callable[[str], Any]) -> None:
    assert "/campaigns/watches/import/" in client_of("ada").get(GALLERY).content.decode()
    assert "An admin of the campaign imports them" in client_of("rita").get(GALLERY).content.decode()


def test_a_filter_that_nothing_fits_says_so(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    images_make(campaign, 1)
    assert "No photo fits" in client_of("rita").get(f"{GALLERY}?order=best").content.decode()


def test_a_photo_page_shows_people_and_models(
    client_of: Callable[[str], Any],
    campaign: Campaign,
    people: dict[str, Any],
    make_user: Callable[..., Any],
    version: ModelVersion,
) -> None:
    image, twin = images_make(campaign, 2)
    Image.objects.filter(pk=twin.pk).update(group=image.group)
    predictions_make(version, [image], [6.4], watch=0.75)
    first = vote(image, people["alice"], 2, "no")
    vote(image, people["alice"], 4, "yes", supersedes=first, milliseconds=2500)
    vote(image, make_user("robot", is_simulated=True), 6, "yes")
    vote(image, people["bob"], 10, "unsure", saw_prediction=True)
    html = client_of("rita").get(f"{GALLERY}{image.pk}/").content.decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    assert "MOS 5.00" in text, "of 4 and 6: a corrected answer and one given after seeing the prediction are out"
    assert "1 answer given after the prediction was shown is left out" in text
    assert "6.40 ± 1.00" in text
    assert "watch probability 0.750 watch" in text
    assert "digital watch 0.1500" in text
    assert "robot simulated" in text
    assert "corrected" in text
    assert "2.5" in text
    assert image.sha256 in text
    assert f"/photos/{twin.pk}/thumbnail" in html
    assert f"/photos/{image.pk}/original" in html


def test_a_photo_without_votes_or_prediction_says_so(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    (image,) = images_make(campaign, 1)
    html = client_of("rita").get(f"{GALLERY}{image.pk}/").content.decode()
    assert "Nobody has answered yet" in html
    assert "no prediction yet" in html


def test_a_photo_with_votes_and_no_prediction_shows_the_votes(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    (image,) = images_make(campaign, 1)
    vote(image, people["alice"], 7)
    html = client_of("rita").get(f"{GALLERY}{image.pk}/").content.decode()
    assert "MOS 7.00 (1.00–10.00)" in html
    assert "model: no prediction yet" in html


def test_previous_and_next_follow_the_order_of_the_gallery(
    client_of: Callable[[str], Any], campaign: Campaign, version: ModelVersion
) -> None:
    a, b, c = images_make(campaign, 3)
    predictions_make(version, [a, b, c], [5.0, 8.0, 2.0])
    html = client_of("rita").get(f"{GALLERY}{a.pk}/?order=best").content.decode()
    assert re.search(rf'rel="prev" href="{GALLERY}{b.pk}/\?order=best"', html)
    assert re.search(rf'rel="next" href="{GALLERY}{c.pk}/\?order=best"', html)
    assert 'rel="prev"' not in client_of("rita").get(f"{GALLERY}{b.pk}/?order=best").content.decode()


def test_a_photo_of_another_campaign_is_not_found(client_of: Callable[[str], Any], people: dict[str, Any]) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    (image,) = images_make(other, 1)
    assert client_of("rita").get(f"{GALLERY}{image.pk}/").status_code == 404


def test_a_photo_page_asks_as_many_questions_for_many_answers_as_for_few(
    client_of: Callable[[str], Any],
    campaign: Campaign,
    make_user: Callable[..., Any],
    version: ModelVersion,
) -> None:
    image, *others = images_make(campaign, 12)
    predictions_make(version, [image], [5.0])
    client = client_of("rita")

    def questions() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{GALLERY}{image.pk}/").status_code == 200
        return len(captured)

    before = questions()
    for number in range(8):
        vote(image, make_user(f"annotator-{number}"), 5)
    Image.objects.filter(pk__in=[other.pk for other in others]).update(group=image.group)
    predictions_make(version_make(campaign, 2, champion=False), [image], [6.0])
    assert questions() == before <= 13


def test_a_name_full_of_markup_stays_text(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    (image,) = images_make(campaign, 1)
    Image.objects.filter(pk=image.pk).update(name="<script>alert(1)</script>.jpg")
    for address in (GALLERY, f"{GALLERY}{image.pk}/"):
        assert "<script>alert" not in client_of("rita").get(address).content.decode()
