"""The consensus of the annotators on the photo page, in the gallery and on the overview of a campaign."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.models import Campaign, Image, PhotoConsensus, User
from annotation.services.consensus import consensus_refresh
from tests.opinions_and_predictions import images_make, vote, votes


@pytest.fixture
def rated(campaign: Campaign, make_user: Callable[..., User]) -> list[Image]:
    """Three people rate 12 photos, ever better; the consensus is stored."""
    images = images_make(campaign, 12)
    scores = np.clip(np.arange(12)[:, np.newaxis] * 0.7 + np.array([1, 2, 3]), 1, 10).astype(int)
    votes(images, [make_user(f"person-{number}") for number in range(3)], scores, "yes")
    consensus_refresh(campaign=campaign)
    return images


def page(client: Client, view: str, *parts: Any, **query: str) -> str:
    response = client.get(reverse(view, args=parts), query)
    assert response.status_code == 200
    return response.content.decode()


def test_the_photo_page_shows_the_corrected_mos_beside_the_plain_one(
    rated: list[Image], campaign: Campaign, client_of: Callable[[str], Client]
) -> None:
    html = page(client_of("rita"), "photo", campaign.slug, rated[4].pk)
    row = PhotoConsensus.objects.get(pk=rated[4].pk)
    assert f"{row.mos:.2f} <span" in html
    assert f"{row.corrected_mos:.2f} <span" in html
    assert f"({row.corrected_low:.2f}–{row.corrected_high:.2f}, 95 %)" in html
    assert "watch probability from people" in html


def test_the_photo_page_says_when_the_stored_consensus_lacks_votes(
    rated: list[Image], campaign: Campaign, people: dict[str, Any], client_of: Callable[[str], Client]
) -> None:
    assert "workers add the others soon" not in page(client_of("rita"), "photo", campaign.slug, rated[4].pk)
    vote(rated[4], people["alice"], 5)
    assert "workers add the others soon" in page(client_of("rita"), "photo", campaign.slug, rated[4].pk)


def test_a_photo_without_votes_has_no_corrected_mos(
    campaign: Campaign, make_image: Callable[..., Image], client_of: Callable[[str], Client]
) -> None:
    assert "Corrected MOS" not in page(client_of("rita"), "photo", campaign.slug, make_image(1).pk)


@pytest.mark.parametrize(("order", "descending"), [("people_best", True), ("people_worst", False)])
def test_the_gallery_is_ordered_by_the_corrected_mos(
    rated: list[Image], campaign: Campaign, client_of: Callable[[str], Client], order: str, descending: bool
) -> None:
    images_make(campaign, 2, prefix="unrated")
    html = page(client_of("rita"), "photos", campaign.slug, order=order)
    places = {image.pk: html.index(f'id="photo-{image.pk}"') for image in rated}
    by_quality = PhotoConsensus.objects.order_by("corrected_mos", "pk").values_list("pk", flat=True)
    assert sorted(places, key=lambda pk: places[pk], reverse=descending) == list(by_quality)
    assert "unrated" not in html
    assert "corrected MOS" in html


def test_the_overview_shows_the_consensus_to_reviewers_only(
    rated: list[Image], campaign: Campaign, client_of: Callable[[str], Client]
) -> None:
    html = page(client_of("rita"), "campaign", campaign.slug)
    assert "<h2>Consensus</h2>" in html
    assert "independent votes used" in html
    assert "Consensus" not in page(client_of("alice"), "campaign", campaign.slug)
    assert client_of("mallory").get(reverse("photo", args=[campaign.slug, rated[0].pk])).status_code in (403, 404)


def test_the_overview_of_a_new_campaign_says_that_there_is_no_fit(
    campaign: Campaign, make_image: Callable[..., Image], client_of: Callable[[str], Client]
) -> None:
    make_image(1)
    assert "No fit yet." in page(client_of("rita"), "campaign", campaign.slug)


def test_the_gallery_takes_as_many_queries_for_many_photos(
    rated: list[Image], campaign: Campaign, client_of: Callable[[str], Client]
) -> None:
    client = client_of("rita")
    counts = []
    for name in ("photo-1.jpg", "photo"):
        page(client, "photos", campaign.slug, order="people_best", name=name)
        with CaptureQueriesContext(connection) as captured:
            page(client, "photos", campaign.slug, order="people_best", name=name)
        counts.append(len(captured))
    assert counts[0] == counts[1]
