"""The page Campaign quality."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Annotation, Campaign, Image
from annotation.selectors import campaign_quality
from tests.opinions_and_predictions import images_make, vote

PAGE = "/campaigns/watches/quality/"


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


@pytest.fixture
def rated(campaign: Campaign, people: dict[str, Any]) -> list[Image]:
    """60 photos, rated by three people who agree mostly."""
    rng = np.random.default_rng(1)
    images = images_make(campaign, 60)
    quality = rng.uniform(2, 9, 60)
    for image, one in zip(images, quality, strict=True):
        for shift, name in enumerate(("alice", "bob", "rita")):
            score = int(np.clip(np.rint(one + shift - 1 + rng.normal(0, 0.8)), 1, 10))
            vote(image, people[name], score, "yes" if one > 7 else "no")
    return images


@pytest.mark.parametrize(
    ("name", "status"),
    [("anonymous", 302), ("mallory", 404), ("alice", 403), ("bob", 403), ("rita", 200), ("ada", 200)],
)
def test_only_reviewers_and_admins_see_the_page(client_of: Callable[[str], Any], name: str, status: int) -> None:
    assert client_of(name).get(PAGE).status_code == status


def test_only_reviewers_and_admins_have_it_in_the_navigation(client_of: Callable[[str], Any]) -> None:
    assert f'href="{PAGE}"' in client_of("rita").get("/campaigns/watches/annotator-quality/").content.decode()
    assert PAGE not in client_of("alice").get("/campaigns/watches/").content.decode()


def test_an_empty_campaign_says_so(client_of: Callable[[str], Any]) -> None:
    assert "No votes yet" in text_of(client_of("rita").get(PAGE))


def test_the_page_says_which_form_the_ceiling_has(client_of: Callable[[str], Any], rated: list[Image]) -> None:
    text = text_of(client_of("rita").get(PAGE))
    assert re.search(r"A perfect model would reach a correlation of 0\.9\d \(0\.\d\d–\d\.\d\d\)", text)
    assert "Ceiling √rₖ, ICC(C,1)" in text
    assert "The form fits because the same people rated all photos" in text
    assert "180 votes by 3 annotators. 60 photos have two or more." in text


def test_few_votes_are_not_enough_to_tell(client_of: Callable[[str], Any], campaign: Campaign, people: Any) -> None:
    for image in images_make(campaign, 5):
        vote(image, people["alice"], 5)
        vote(image, people["bob"], 6)
    text = text_of(client_of("rita").get(PAGE))
    assert "Not enough votes to tell how well people agree" in text
    assert text.count("not enough votes to tell: needs") == 10
    assert "Not enough votes to tell. The chart needs two weeks" in text


def test_hidden_repeats_are_compared(client_of: Callable[[str], Any], rated: list[Image], people: Any) -> None:
    for image in rated[:12]:
        score = Annotation.objects.get(image=image, annotator=people["alice"], is_repeat=False).score
        vote(image, people["alice"], score, is_repeat=True)  # type: ignore[arg-type]
    assert "The same annotator again, SRCC 1.00 (1.00–1.00) 12 repeats" in text_of(client_of("rita").get(PAGE))


def test_answers_after_a_prediction_and_withdrawn_photos_do_not_count(
    client_of: Callable[[str], Any], rated: list[Image], people: Any
) -> None:
    vote(rated[0], people["ada"], 1, saw_prediction=True)
    Image.objects.filter(pk=rated[1].pk).update(withdrawn_at=datetime.now(UTC))
    text = text_of(client_of("rita").get(PAGE))
    assert "177 votes by 3 annotators. 59 photos have two or more." in text
    assert "Votes by score, n = 177" in text


def test_weeks_with_enough_photos_are_in_the_chart(client_of: Callable[[str], Any], rated: list[Image]) -> None:
    earlier = datetime(2026, 3, 4, tzinfo=UTC)  # a Wednesday
    Annotation.objects.filter(image__in=rated[:30]).update(created_at=earlier)
    Annotation.objects.filter(image__in=rated[30:]).update(created_at=earlier + timedelta(days=5))  # a Monday
    response = client_of("rita").get(PAGE)
    assert [(day.isoformat(), one.photos) for day, one in response.context["weeks"]] == [
        ("2026-03-02", 30),
        ("2026-03-09", 30),
    ]
    assert "alpha by week, with its interval" in response.content.decode()


def test_label_counts_are_those_of_the_photos(client_of: Callable[[str], Any], campaign: Campaign, people: Any) -> None:
    scores = {4: 2, 5: 3, 6: 1, 9: 4}  # MOS: photos
    images = iter(images_make(campaign, 10))
    for mos, count in scores.items():
        for _ in range(count):
            image = next(images)
            vote(image, people["alice"], mos - 1, "yes")
            vote(image, people["bob"], mos + 1, "yes" if mos == 9 else "no")
    context = client_of("rita").get(PAGE).context
    counted = context["counted"]
    assert (counted.rejected, counted.pending, counted.accepted) == (5, 1, 4)
    assert (counted.watch, counted.no_watch, counted.undecided) == (4, 0, 6)
    assert counted.in_middle == 4  # 5 and 6, between 4.5 and 6.5
    assert counted.photos == [0, 0, 0, 2, 3, 1, 0, 0, 4, 0]
    assert sum(counted.votes) == 20
    _, classes, _ = context["class_tables"][0]
    assert [(one.photos, one.balanced_photos) for one in classes] == [(5, 1), (1, 1), (4, 1)]
    assert "40 % of the photos are in the middle" in text_of(client_of("rita").get(PAGE))


def test_simulated_annotators_are_named(client_of: Callable[[str], Any], rated: list[Image], people: Any) -> None:
    people["bob"].is_simulated = True
    people["bob"].save()
    assert "60 of them are from simulated annotators" in text_of(client_of("rita").get(PAGE))


def test_many_votes_are_measured_on_photos_drawn_at_random(
    client_of: Callable[[str], Any], rated: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign_quality, "MOST_VOTES", 90)  # the real number takes a minute to store
    first, second = (text_of(client_of("rita").get(PAGE)) for _ in range(2))
    assert "measured on 30 of 60 photos, drawn at random, with 90 votes" in first
    assert "From 180 votes" in first
    assert first == second


def test_the_number_of_queries_does_not_depend_on_photos(
    client_of: Callable[[str], Any], rated: list[Image], campaign: Campaign, people: Any
) -> None:
    client = client_of("rita")
    client.get(PAGE)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(PAGE)
    vote(rated[0], people["ada"], 6)
    with CaptureQueriesContext(connection) as counted:
        client.get(PAGE)
    for image in images_make(campaign, 30, prefix="more"):
        vote(image, people["alice"], 5)
        vote(image, people["ada"], 6)
    with CaptureQueriesContext(connection) as many:
        client.get(PAGE)
    assert len(few) <= 9
    assert len(many) == len(counted) <= 21
