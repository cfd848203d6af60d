"""A reviewer sees the predictions of a disputed photo only after the own answer, on every page and download."""

import csv
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Adjudication, Campaign, Image, User
from annotation.selectors.adjudications import photos_disputed
from annotation.services.consensus import consensus_refresh
from annotation.services.queue import counters_rebuild
from annotation.services.vote_requests import votes_request
from inference.models import ModelVersion
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote, votes

DISPUTED = 3
# No other number on the pages has these digits.
MEAN, WATCH = 7.31, 0.617


@pytest.fixture
def photos(campaign: Campaign, make_user: Callable[..., User]) -> list[Image]:
    """Four people agree about ten holdout photos, except for one. A model has looked at all."""
    images = images_make(campaign, 10, holdout=True)
    scores = np.tile([5, 5, 6, 6], (10, 1))
    scores[DISPUTED] = [1, 4, 8, 10]
    watch = np.full((10, 4), "no", dtype=object)
    watch[:5] = "yes"
    votes(images, [make_user(f"person-{number}") for number in range(4)], scores, watch)
    counters_rebuild(campaign=campaign)
    consensus_refresh(campaign=campaign)
    version = version_make(campaign)
    means, watches = np.full(10, 5.5), np.full(10, 0.25)
    means[DISPUTED], watches[DISPUTED] = MEAN, WATCH
    predictions_make(version, images, means, watches)
    return images


def url(name: str, *more: Any) -> str:
    return reverse(name, args=["watches", *more])


def pages(image: Image) -> list[str]:
    """Return every address at which a reviewer could find the prediction of one photo."""
    return [
        url("photo", image.pk),
        url("photos"),
        url("photos") + "?order=best",
        url("photos") + "?order=watch&watch_from=0.5",
        url("photo-extremes"),
        url("photos-table"),
        url("predictions-table"),
        url("calibration"),
        url("calibration") + f"?photo={image.pk}",
        url("adjudications"),
        url("adjudication", image.pk),
        url("photo-predictions", image.pk),
    ]


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    parts = response.streaming_content if response.streaming else [response.content]
    return b"".join(parts).decode()


def seen(client: Client, image: Image) -> list[str]:
    """Return the addresses that show the prediction."""
    shown = ("7.31", "7.3<", "0.617", "0.62", ">7.3 ")
    return [
        f"{page} {digits}"
        for page in pages(image)
        for digits in shown
        # Not the fractions of seconds in times, such as 12:00:27.31.
        if re.search(rf"(?<![\d:]){re.escape(digits)}", text_of(client, page))
    ]


def decide(client: Client, image: Image, **changes: Any) -> None:
    data = {"watch": "yes", "score": "6", "comment": ""} | changes
    assert client.post(url("adjudication", image.pk), data).status_code == 302


def test_no_page_shows_the_prediction_before_the_own_answer(
    photos: list[Image], client_of: Callable[[str], Client]
) -> None:
    for name in ("rita", "ada"):
        assert seen(client_of(name), photos[DISPUTED]) == []
    client = client_of("rita")
    assert client.get(url("photo-predictions", photos[DISPUTED].pk)).status_code == 403
    assert "hidden until you have answered" in text_of(client, url("photo", photos[DISPUTED].pk))
    names = [row["file"] for row in csv.DictReader(text_of(client, url("photos-table") + "?order=best").splitlines())]
    assert len(names) == 9
    assert photos[DISPUTED].name not in names
    assert "5.50" in text_of(client, url("photo", photos[0].pk))


def test_the_own_decision_reveals_the_prediction_to_everybody(
    photos: list[Image], client_of: Callable[[str], Client]
) -> None:
    client, image = client_of("rita"), photos[DISPUTED]
    decide(client, image)
    assert "7.31" in text_of(client, url("photo-predictions", image.pk))
    assert len(seen(client, image)) >= 6
    # It is not disputed any more, so nobody is asked for a blind answer.
    assert "7.31" in text_of(client_of("ada"), url("photo", image.pk))


def test_after_an_undone_decision_only_its_reviewer_sees_the_prediction(
    photos: list[Image], client_of: Callable[[str], Client]
) -> None:
    client, image = client_of("rita"), photos[DISPUTED]
    decide(client, image)
    client.post(url("adjudication-undo", image.pk))
    assert "7.31" in text_of(client, url("photo", image.pk))
    assert seen(client_of("ada"), image) == []


def test_a_disputed_photo_that_waits_for_more_votes_stays_hidden_until_the_decision(
    photos: list[Image], people: dict[str, User], campaign: Campaign, client_of: Callable[[str], Client]
) -> None:
    image = photos[DISPUTED]
    votes_request(campaign=campaign, image_ids=[image.pk], by=people["rita"], reason="disputed", votes=2)
    assert photos_disputed(campaign, limit=9) == (0, [])  # nobody has to decide while votes are on their way
    assert seen(client_of("rita"), image) == []
    # One of the two votes has come, and the other one not yet.
    vote(image, people["alice"], 2)
    counters_rebuild(campaign=campaign)
    consensus_refresh(campaign=campaign)
    assert seen(client_of("rita"), image) == []
    decide(client_of("ada"), image)
    assert "7.31" in text_of(client_of("rita"), url("photo", image.pk))


def test_a_photo_that_people_agree_on_is_not_hidden_by_a_request_for_more_votes(
    photos: list[Image], people: dict[str, User], campaign: Campaign, client_of: Callable[[str], Client]
) -> None:
    votes_request(campaign=campaign, image_ids=[photos[0].pk], by=people["rita"], reason="model and people apart")
    assert "5.50" in text_of(client_of("rita"), url("photo", photos[0].pk))


def test_an_own_blind_answer_reveals_the_prediction_and_an_exposed_one_does_not(
    photos: list[Image], people: dict[str, User], campaign: Campaign, client_of: Callable[[str], Client]
) -> None:
    image = photos[DISPUTED]
    vote(image, people["rita"], 5)
    vote(image, people["ada"], 5, saw_prediction=True)
    consensus_refresh(campaign=campaign)
    assert "7.31" in text_of(client_of("rita"), url("photo", image.pk))
    assert seen(client_of("ada"), image) == []


def test_a_decision_says_whether_predictions_were_visible(
    photos: list[Image], campaign: Campaign, client_of: Callable[[str], Client]
) -> None:
    client, image = client_of("rita"), photos[DISPUTED]
    decide(client, image)
    assert not Adjudication.objects.get().saw_prediction
    page = text_of(client, url("adjudication", image.pk))
    assert "before any prediction" in page
    assert "Keep it" in page
    decide(client, image, score="9")
    first, changed = Adjudication.objects.order_by("pk")
    assert (first.undone_at is not None, changed.undone_at, changed.saw_prediction) == (True, None, True)
    assert "changed after the reveal from watch, score 6" in text_of(client, url("adjudication", image.pk))
    # On a photo that is not disputed, predictions are visible to everybody.
    decide(client, photos[0])
    assert Adjudication.objects.get(image=photos[0]).saw_prediction


def test_who_had_a_lease_that_showed_the_prediction_has_seen_it(
    photos: list[Image], people: dict[str, User], client_of: Callable[[str], Client]
) -> None:
    vote(photos[DISPUTED], people["rita"], 5, saw_prediction=True)
    decide(client_of("rita"), photos[DISPUTED])
    assert Adjudication.objects.get().saw_prediction


def test_commands_leave_nothing_out(photos: list[Image], campaign: Campaign) -> None:
    from inference.gallery.predictions_table import prediction_records

    assert MEAN in {round(row.quality_mean, 2) for row in prediction_records(campaign)}
    assert photos_disputed(campaign, limit=5)[0] == 1


@pytest.mark.parametrize("name", ["alice", "mallory", "anonymous"])
def test_only_reviewers_get_the_predictions(photos: list[Image], client_of: Callable[[str], Client], name: str) -> None:
    assert client_of(name).get(url("photo-predictions", photos[0].pk)).status_code in (302, 403, 404)


def test_a_version_without_predictions_says_so(
    photos: list[Image], campaign: Campaign, client_of: Callable[[str], Client]
) -> None:
    ModelVersion.objects.all().delete()
    assert "No model has looked at" in text_of(client_of("rita"), url("photo-predictions", photos[0].pk))
