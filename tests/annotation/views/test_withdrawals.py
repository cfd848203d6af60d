from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from annotation.models import Campaign, Image, Withdrawal
from annotation.services.withdrawals import photo_withdraw
from tests.conftest import thumbnail_path

ROLES = [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 200), ("ada", 200)]


@pytest.fixture
def photo(make_image: Callable[..., Image], people: Any) -> Image:
    image = make_image(1)
    thumbnail_path(image).write_bytes(b"thumbnail")
    return image


@pytest.mark.parametrize(("name", "status"), ROLES)
def test_reviewers_see_the_withdrawn_photos(client_of: Any, campaign: Campaign, name: str, status: int) -> None:
    assert client_of(name).get(reverse("withdrawn-photos", args=[campaign.slug])).status_code == status


@pytest.mark.parametrize(("name", "status"), [(name, 302 if status == 200 else status) for name, status in ROLES])
def test_reviewers_withdraw_and_put_back(
    client_of: Any, campaign: Campaign, photo: Image, name: str, status: int
) -> None:
    client = client_of(name)
    at = [campaign.slug, photo.pk]
    assert client.post(reverse("photo-withdraw", args=at), {"reason": "Private"}).status_code == status
    may = name in ("rita", "ada")
    assert Withdrawal.objects.exists() is may
    if may:
        assert b"Private" in client.get(reverse("withdrawn-photos", args=[campaign.slug])).content
    else:
        photo_withdraw(image=photo, reason="Private", by=None)
    assert client.post(reverse("withdrawal-undo", args=at)).status_code == status
    assert Withdrawal.objects.exists() is not may


def test_photos_of_another_campaign_cannot_be_withdrawn(client_of: Any, campaign: Campaign, make_image: Any) -> None:
    other = make_image(2, campaign=Campaign.objects.create(slug="other", name="Other"))
    url = reverse("photo-withdraw", args=[campaign.slug, other.pk])
    assert client_of("ada").post(url, {"reason": "Private"}).status_code == 404


def test_without_a_reason_the_photo_stays(client_of: Any, campaign: Campaign, photo: Image) -> None:
    response = client_of("rita").post(reverse("photo-withdraw", args=[campaign.slug, photo.pk]), {}, follow=True)
    assert b"Enter a reason" in response.content
    assert not Withdrawal.objects.exists()


@pytest.mark.parametrize("name", ["alice", "rita", "ada", "root"])
@pytest.mark.parametrize("url_name", ["photo-original", "photo-thumbnail"])
def test_nobody_gets_the_files(
    client_of: Any, people: Any, make_user: Any, photo: Image, url_name: str, name: str
) -> None:
    people["root"] = make_user("root", is_superuser=True)
    photo_withdraw(image=photo, reason="Private", by=people["rita"])
    assert client_of(name).get(reverse(url_name, args=[photo.pk])).status_code == 404


def test_no_page_shows_the_photo(
    client_of: Any, campaign: Campaign, people: Any, photo: Image, make_image: Any
) -> None:
    near = make_image(2, group=photo.group)
    photo_withdraw(image=photo, reason="Private", by=people["rita"])
    client = client_of("ada")
    urls = [
        reverse("photos", args=[campaign.slug]),
        reverse("photo", args=[campaign.slug, near.pk]),
        f"{reverse('special-photos', args=[campaign.slug])}?show=problem",
        reverse("photos-table", args=[campaign.slug]),
        reverse("own-work", args=[campaign.slug]),
        reverse("annotate", args=[campaign.slug]),
    ]
    for url in urls:
        response = client.get(url)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        assert photo.name.encode() not in content, url
    page = client.get(reverse("photo", args=[campaign.slug, photo.pk]))
    assert page.url == f"{reverse('withdrawn-photos', args=[campaign.slug])}#photo-{photo.pk}"
    assert client.get(f"/api/v1/campaigns/{campaign.slug}/photos/{photo.pk}/reveal").status_code == 404


def test_the_list_takes_few_queries(
    client_of: Any, campaign: Campaign, people: Any, make_image: Any, django_assert_max_num_queries: Any
) -> None:
    for seed in range(5):
        photo_withdraw(image=make_image(seed), reason="Private", by=people["rita"])
    client = client_of("rita")
    with django_assert_max_num_queries(7):
        client.get(reverse("withdrawn-photos", args=[campaign.slug]))
