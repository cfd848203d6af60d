"""The gallery and the page of one photo."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Campaign, DuplicateLink, Image, SplitChange
from annotation.services.consensus import consensus_refresh
from inference.distortion.combine import quality_class_of
from inference.gallery.query import ORDERS
from inference.models import Distortion, ModelVersion
from inference.services.disagreements import disagreements_refresh
from inference.views import photos as photo_views
from inference.views.photo import DISTORTION_THRESHOLDS
from tests.opinions_and_predictions import distortions_make, images_make, predictions_make, version_make, vote, votes

GALLERY = "/campaigns/watches/photos/"


@pytest.fixture
def version(campaign: Campaign) -> ModelVersion:
    return version_make(campaign)


def photo_ids(html: str) -> list[int]:
    """Return the ids of the photos on a page of the gallery, in order."""
    return [int(pk) for pk in re.findall(r'src="/photos/(\d+)/thumbnail"', html)]


def whole_gallery(client: Any, query: str = "") -> list[int]:
    """Follow 'load more' to the end and return the ids in order."""
    address, found = f"{GALLERY}?{query}", []
    while address:
        html = client.get(address).content.decode()
        found += photo_ids(html)
        more = re.search(r'hx-get="([^"]+)" hx-trigger="revealed"', html)
        address = more[1].replace("&amp;", "&") if more else ""
    return found


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 200), ("ada", 200)]
)
@pytest.mark.parametrize("page", ["", "photo", "extremes/", "table.csv"])
def test_only_reviewers_and_admins_see_photos_with_predictions(
    client_of: Callable[[str], Any], campaign: Campaign, name: str, status: int, page: str
) -> None:
    (image,) = images_make(campaign, 1)
    address = f"{GALLERY}{image.pk}/" if page == "photo" else f"{GALLERY}{page}"
    assert client_of(name).get(address).status_code == status


@pytest.mark.parametrize(
    ("page", "limit"),
    [("?order=best&watch=no", 16), ("?order=blur", 17), ("?order=apart", 23), ("extremes/", 18)],
)
def test_the_number_of_queries_does_not_grow_with_the_photos(
    client_of: Callable[[str], Any],
    campaign: Campaign,
    people: dict[str, Any],
    version: ModelVersion,
    page: str,
    limit: int,
) -> None:
    client = client_of("rita")

    def count_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{GALLERY}{page}").status_code == 200
        return len(captured)

    few = images_make(campaign, 2)
    votes(few, [people["alice"]], 5, "no")
    predictions_make(version, few, [4.0, 7.0])
    distortions_make(few, quality=40.0)
    disagreements_refresh(version=version)
    before = count_queries()
    many = images_make(campaign, 60, prefix="more")
    votes(many, [people["alice"], people["bob"]], 6, "yes")
    predictions_make(version, many, [5.0] * 60)
    distortions_make(many, quality=40.0)
    disagreements_refresh(version=version)
    assert count_queries() == before <= limit


@pytest.mark.parametrize("order", list(ORDERS))
def test_load_more_reaches_every_photo_once_when_values_tie(
    client_of: Callable[[str], Any],
    campaign: Campaign,
    people: dict[str, Any],
    version: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
    order: str,
) -> None:
    monkeypatch.setattr(photo_views, "PAGE_SIZE", 4)  # three pages for eleven photos
    images = images_make(campaign, 11)
    votes(images, [people["alice"]], 5, "no")
    predictions_make(version, images, [1.1 * (i % 3) + 3 for i in range(len(images))], watch=0.3)
    distortions_make(images, quality=[40.0 + i % 2 for i in range(len(images))], noise=0.0)
    consensus_refresh(campaign=campaign)
    found = whole_gallery(client_of("rita"), f"order={order}")
    assert sorted(found) == [image.pk for image in images]
    assert len(found) == len(set(found))


def test_orders_sort_by_their_key(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any], version: ModelVersion
) -> None:
    a, b, c, unpredicted = images_make(campaign, 4)
    predictions_make(version, [a, b, c], [5.0, 8.0, 2.0], watch=[0.9, 0.1, 0.5])
    vote(a, people["alice"], 9, "yes")
    vote(b, people["alice"], 7, "yes")
    vote(c, people["alice"], 10, saw_prediction=True)
    distortions_make([a, b], quality=[20.0, 70.0], blur=[0.9, 0.1], noise=[0.0, 0.4])
    distortions_make([c], quality=1.0, blur=1.0, state=Distortion.State.RUNNING)
    client = client_of("rita")
    assert whole_gallery(client) == [unpredicted.pk, c.pk, b.pk, a.pk]
    assert whole_gallery(client, "order=best") == [b.pk, a.pk, c.pk]
    assert whole_gallery(client, "order=worst") == [c.pk, a.pk, b.pk]
    assert whole_gallery(client, "order=watch") == [a.pk, c.pk, b.pk]
    assert whole_gallery(client, "order=unlike") == [b.pk, c.pk, a.pk]
    assert whole_gallery(client, "order=apart") == [a.pk, b.pk], "an answer after the reveal does not count"
    assert whole_gallery(client, "order=watch_apart") == [b.pk, a.pk]
    assert whole_gallery(client, "order=distorted") == [a.pk, b.pk]
    assert whole_gallery(client, "order=undistorted") == [b.pk, a.pk]
    assert whole_gallery(client, "order=blur") == [a.pk, b.pk]
    assert whole_gallery(client, "order=noise") == [b.pk, a.pk]


def test_filters_leave_out_other_photos(
    client_of: Callable[[str], Any], campaign: Campaign, version: ModelVersion
) -> None:
    low, high = images_make(campaign, 2)
    (holdout_photo,) = images_make(campaign, 1, holdout=True)
    predictions_make(version, [low, high, holdout_photo], [3.0, 8.0, 8.0], watch=[0.001, 0.9, 0.001])
    client = client_of("rita")
    assert whole_gallery(client, "quality_class=rejected") == [low.pk]
    assert whole_gallery(client, "watch=yes") == [high.pk]
    assert whole_gallery(client, "watch=no&quality_class=accepted") == [holdout_photo.pk]
    assert whole_gallery(client, "split=holdout") == [holdout_photo.pk]
    assert whole_gallery(client, "quality_from=3&quality_to=7.9") == [low.pk], "both ends are included"
    assert whole_gallery(client, "watch_from=0.9&watch_to=0.95") == [high.pk]
    assert whole_gallery(client, "watch=no&watch_to=0.99&order=best") == [holdout_photo.pk, low.pk]
    distortions_make([low, high, holdout_photo], quality=[50.0, 90.0, 5.0], blur=[0.6, 0.0, 0.8], noise=[0.1, 0.2, 0.3])
    assert whole_gallery(client, "distortion_class=pending") == [low.pk]
    assert whole_gallery(client, "distortion_from=50&order=worst") == [low.pk, high.pk]
    assert whole_gallery(client, "blur_from=0.6&order=blur") == [holdout_photo.pk, low.pk]
    assert whole_gallery(client, "blur_from=0.6&noise_from=0.2&quality_class=accepted") == [holdout_photo.pk]
    Image.objects.filter(pk=high.pk).update(name="Holiday_100%.JPG")
    assert whole_gallery(client, "name=holiday_") == [high.pk]
    assert whole_gallery(client, "name=0%25") == [high.pk], "% is not a wildcard"


def test_only_the_champions_predictions_are_shown(
    client_of: Callable[[str], Any], campaign: Campaign, version: ModelVersion
) -> None:
    images = images_make(campaign, 1)
    predictions_make(version, images, [4.3])
    predictions_make(version_make(campaign, 2, champion=False), images, [8.8])
    html = client_of("rita").get(GALLERY).content.decode()
    assert "4.3" in html
    assert "8.8" not in html


@pytest.mark.parametrize(
    "query",
    [
        "order=prettiest",
        "watch=maybe",
        "order=best&after=nonsense",
        "order=best&after=nan~1",
        "order=best&before=1~99999999999999999999",
        "quality_from=good",
        "watch_from=nan",
        "quality_from=7&quality_to=3",
    ],
)
def test_invalid_query_parameters_give_a_page_with_one_sentence(client_of: Callable[[str], Any], query: str) -> None:
    response = client_of("rita").get(f"{GALLERY}?{query}")
    assert response.status_code == 400
    # It was a line of plain text without a way on. Now the line stands between the heading and what to do.
    assert re.search(r"</h1>\s*<p>[^<\n]+</p>\s*<p>Something in the address", response.content.decode())


def test_htmx_gets_only_the_next_tiles(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    images_make(campaign, 2)
    html = client_of("rita").get(GALLERY, headers={"HX-Request": "true"}).content.decode()
    assert html.lstrip().startswith("<li")
    assert "<html" not in html


def test_an_empty_gallery_says_what_to_do(client_of: Callable[[str], Any]) -> None:
    assert "/campaigns/watches/import/" in client_of("ada").get(GALLERY).content.decode()
    assert "An admin of the campaign can import photos" in client_of("rita").get(GALLERY).content.decode()


def test_a_filter_without_results_says_so(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    images_make(campaign, 1)
    assert "No results" in client_of("rita").get(f"{GALLERY}?order=best").content.decode()


def test_a_gallery_without_results_offers_to_remove_a_filter(
    client_of: Callable[[str], Any], campaign: Campaign, version: ModelVersion
) -> None:
    predictions_make(version, images_make(campaign, 2), [3.0, 4.0], watch=0.9)
    html = client_of("rita").get(f"{GALLERY}?order=best&watch=yes&quality_from=9").content.decode()
    (ways,) = re.findall(r'<p class="row ways">(.*?)</p>', html)
    assert re.findall(r'href="([^"]+)"[^>]*>([^<]+)<', ways) == [
        (f"{GALLERY}?order=best&amp;watch=yes", "quality ≥ 9 ")
    ]


def test_extremes_show_the_best_and_the_worst_photos_of_a_filter(
    client_of: Callable[[str], Any], campaign: Campaign, version: ModelVersion
) -> None:
    images = images_make(campaign, 50)
    predictions_make(version, images, [1 + 0.1 * i for i in range(50)], watch=[0.9, 0.01] * 25)
    html = client_of("rita").get(f"{GALLERY}extremes/?watch=yes").content.decode()
    ids = [image.pk for image in images[::2]]
    assert photo_ids(html) == [*ids[::-1][:20], *ids[:20]]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    assert "20 best Show all, best first 1 5.80 watch 0.90 no votes" in text


def test_a_page_around_a_photo_loads_more_at_both_ends(
    client_of: Callable[[str], Any], campaign: Campaign, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_views, "PAGE_SIZE", 3)
    images = images_make(campaign, 12)
    predictions_make(version, images, [1 + 0.5 * i for i in range(12)])
    ids = [image.pk for image in images]
    client = client_of("rita")
    html = client.get(f"{GALLERY}?order=worst&at={ids[6]}").content.decode()
    assert photo_ids(html) == ids[3:10]
    links = [link.replace("&amp;", "&") for link in re.findall(r'hx-get="([^"]+(?:before|after)=[^"]+)"', html)]
    earlier, more = (client.get(link, headers={"HX-Request": "true"}).content.decode() for link in links)
    assert photo_ids(earlier) == ids[:3]
    assert photo_ids(more) == ids[10:]
    assert "hx-get" not in earlier + more
    assert f'href="{GALLERY}?order=worst&amp;at={ids[6]}#photo-{ids[6]}"' in (
        client.get(f"{GALLERY}{ids[6]}/?order=worst").content.decode()
    )
    assert photo_ids(client.get(f"{GALLERY}?order=worst&at=0").content.decode()) == ids[:3]


def test_a_photo_page_shows_answers_and_predictions(
    client_of: Callable[[str], Any],
    campaign: Campaign,
    people: dict[str, Any],
    make_user: Callable[..., Any],
    version: ModelVersion,
) -> None:
    image, near_duplicate = images_make(campaign, 2)
    Image.objects.filter(pk=near_duplicate.pk).update(group=image.group)
    predictions_make(version, [image], [6.4], watch=0.75)
    first = vote(image, people["alice"], 2, "no")
    vote(image, people["alice"], 4, "yes", supersedes=first, milliseconds=2500)
    vote(image, make_user("robot", is_simulated=True), 6, "yes")
    vote(image, people["bob"], 10, "unsure", saw_prediction=True)
    html = client_of("rita").get(f"{GALLERY}{image.pk}/").content.decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    assert "MOS 5.00" in text, "the mean of 4 and 6; corrected answers and answers after the reveal do not count"
    assert "1 annotator answered only after seeing the prediction. This answer is not counted" in text
    assert "6.40 ± 1.00" in text
    assert "watch probability 0.750 watch" in text
    assert "digital watch 0.1500" in text
    assert "robot simulated" in text
    assert "corrected" in text
    assert "2.5" in text
    assert image.sha256 in text
    assert f"/photos/{near_duplicate.pk}/thumbnail" in html
    assert f"/photos/{image.pk}/original" in html


def test_a_photo_without_votes_or_prediction_says_so(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    (image,) = images_make(campaign, 1)
    html = client_of("rita").get(f"{GALLERY}{image.pk}/").content.decode()
    assert "Not measured yet" in html
    assert "Not available yet" in html
    assert "No answers yet" in html
    assert "no prediction yet" in html


def test_a_photo_without_a_prediction_shows_its_votes(
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


def test_a_photo_says_why_it_is_in_neither_split_and_how_near_its_copies_are(
    client_of: Callable[[str], Any], campaign: Campaign
) -> None:
    image, copy = images_make(campaign, 2)
    Image.objects.filter(campaign=campaign).update(group=image.group, split=Image.Split.NEITHER)
    SplitChange.objects.create(image=image, before="train", after="neither")
    DuplicateLink.objects.create(image=copy, other=image, cosine=0.9171, bits=4, is_mirrored=True)
    html = client_of("rita").get(f"{GALLERY}{image.pk}/").content.decode()
    assert "used neither for training nor for evaluation" in html
    assert "when near-duplicates were found in both splits" in html
    assert "0.917, mirrored" in html
    assert "0.917, mirrored" in client_of("rita").get(f"{GALLERY}{copy.pk}/").content.decode()


def test_a_photo_of_another_campaign_is_not_found(client_of: Callable[[str], Any], people: dict[str, Any]) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    (image,) = images_make(other, 1)
    assert client_of("rita").get(f"{GALLERY}{image.pk}/").status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_answers(
    client_of: Callable[[str], Any],
    campaign: Campaign,
    make_user: Callable[..., Any],
    version: ModelVersion,
) -> None:
    image, *others = images_make(campaign, 12)
    predictions_make(version, [image], [5.0])
    client = client_of("rita")

    def count_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{GALLERY}{image.pk}/").status_code == 200
        return len(captured)

    before = count_queries()
    for number in range(8):
        vote(image, make_user(f"annotator-{number}"), 5)
    Image.objects.filter(pk__in=[other.pk for other in others]).update(group=image.group)
    predictions_make(version_make(campaign, 2, champion=False), [image], [6.0])
    assert count_queries() == before <= 31  # one asks whether there are so many predictions that the rank is estimated


def test_markup_in_a_name_is_escaped(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    (image,) = images_make(campaign, 1)
    Image.objects.filter(pk=image.pk).update(name="<script>alert(1)</script>.jpg")
    for address in (GALLERY, f"{GALLERY}{image.pk}/"):
        assert "<script>alert" not in client_of("rita").get(address).content.decode()


def test_a_photo_page_shows_distortions_percentile_and_thresholds(
    client_of: Callable[[str], Any], campaign: Campaign, version: ModelVersion
) -> None:
    images = images_make(campaign, 4)
    predictions_make(version, images, [3.0, 5.5, 6.5, 8.0])
    distortions_make(images[1:2], quality=47.4, blur=0.75, noise=0.1, exposure=0.4, compression=0.0)
    html = client_of("rita").get(f"{GALLERY}{images[1].pk}/").content.decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    assert re.findall(r'<i class="(\w+)" style="width:calc\(([\d.]+)', html)[-4:] == [
        ("strong", "0.7500"),
        ("slight", "0.1000"),
        ("clear", "0.4000"),
        ("none", "0.0000"),
    ]
    assert "47 of 100 pending rejected ≤ 10" in text
    assert "rejected ≤ 5 &lt; pending ≤ 6 &lt; accepted" in text
    assert "pending , as 25 % of the 4 predicted photos are; 38 % of all have a lower score." in text


@pytest.mark.parametrize(
    ("state", "reason", "sentence"),
    [
        ("failed", "The file is truncated.", "Not measured: The file is truncated."),
        ("cancelled", "", "the measurement was cancelled"),
        ("running", "", "Measuring…"),
        ("queued", "", "Not measured yet"),
    ],
)
def test_a_photo_page_says_why_a_measurement_is_missing(
    client_of: Callable[[str], Any], campaign: Campaign, state: str, reason: str, sentence: str
) -> None:
    images = images_make(campaign, 1)
    distortions_make(images, quality=None, blur=None, state=state, reason=reason)
    assert sentence in client_of("rita").get(f"{GALLERY}{images[0].pk}/").content.decode()


@pytest.mark.parametrize("quality", [0.0, 10.0, 10.1, 60.0, 60.1, 100.0])
def test_the_thresholds_on_the_page_match_the_detectors(quality: float) -> None:
    reject, pending = DISTORTION_THRESHOLDS
    expected = "rejected" if quality <= reject else "pending" if quality <= pending else "accepted"
    assert quality_class_of(quality) == expected
