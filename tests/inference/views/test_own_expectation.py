"""What an annotator would say: shown to that annotator alone, and never before the own answer."""

import json
import re
import zipfile
from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation.models import Annotation, Assignment, Campaign, Image, Role, User
from annotation.services.consensus import consensus_refresh
from annotation.services.queue import counters_rebuild
from inference.models import PersonalFit, PersonalLine
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote, votes

# rita expects 8.6 for every photo: the prediction 5.5, and 3.1 more. No other number on the pages has these digits.
BIAS = 3.1
DIGITS = re.compile(r"(?<![\w.])(8\.6|3\.1|7\.3|9\.9|1,?234)(?!\d)")


@pytest.fixture
def photos(campaign: Campaign) -> list[Image]:
    images = images_make(campaign, 4)
    predictions_make(version_make(campaign), images, [5.5] * 4)
    return images


@pytest.fixture
def lines(campaign: Campaign, people: dict[str, User], photos: list[Image]) -> dict[str, PersonalLine]:
    """Return the lines of rita and ada; ada expects what the model predicts."""
    fit = PersonalFit.objects.create(
        model_version=campaign.model_versions.get(),
        annotation_id=0,
        answers=40,
        feature_mean=b"",
        feature_spread=b"",
        centre=5.5,
        vote_variance=2.0,
        surprising=3.0,
        made_at=timezone.now(),
    )
    return {
        name: PersonalLine.objects.create(
            fit=fit,
            annotator=people[name],
            answers=1234,
            bias=bias,
            gain=0.0,
            deviation=1.0,
            weights=b"",
            image_ids=[],
            left_out=[],
        )
        for name, bias in (("rita", BIAS), ("ada", 0.0), ("alice", BIAS))
    }


def page(client: Client, image: Image) -> str:
    return client.get(reverse("photo", args=["watches", image.pk])).content.decode()


def reveal(client: Client, image: Image) -> Any:
    return client.get(f"/api/campaigns/watches/photos/{image.pk}/reveal")


def answer(client: Client, image: Image, score: int) -> Any:
    body = {"client_id": str(uuid4()), "image_id": image.pk, "watch": "no", "score": score}
    sent = client.post("/api/campaigns/watches/annotations", json.dumps(body), content_type="application/json")
    assert sent.status_code == 200
    return sent.json()


def everything_before_an_answer(client: Client, image: Image) -> str:
    """Return all that the server sends to somebody who rates photos, until the answer is stored, and the receipt."""
    api = "/api/campaigns/watches"
    responses = [
        client.get("/campaigns/watches/annotate/"),
        client.post(f"{api}/leases", "{}", content_type="application/json"),
        client.get(f"{api}/progress"),
        client.get(f"{api}/practice"),
        reveal(client, image),
        client.get(reverse("photo-predictions", args=["watches", image.pk])),
        client.get(reverse("photo", args=["watches", image.pk])),
        client.get(reverse("own-work", args=["watches"])),
        client.get(reverse("photos", args=["watches"])),
    ]
    return "\n".join(response.content.decode() for response in responses)


@pytest.mark.parametrize("name", ["alice", "rita"])
@pytest.mark.parametrize("mode", ["reveal", "blind", "prelabel"])
def test_nothing_of_it_reaches_the_browser_before_the_answer(
    campaign: Campaign, photos: list[Image], lines: Any, client_of: Callable[[str], Client], mode: str, name: str
) -> None:
    Campaign.objects.update(mode=mode)
    sent = everything_before_an_answer(client_of(name), photos[0])
    assert photos[0].name in sent
    assert re.findall(r'"unusual":(?!\s*null)', sent) == []
    assert "What I would say" not in sent
    assert DIGITS.findall(sent) == []


def test_a_prediction_before_the_answer_comes_without_a_hint(
    campaign: Campaign, people: dict[str, User], photos: list[Image], lines: Any, client_of: Callable[[str], Client]
) -> None:
    """A lease of a prelabel campaign shows the prediction, also to somebody whose older answer was taken back."""
    Campaign.objects.update(mode="prelabel")
    Assignment.objects.create(
        campaign=campaign,
        image=photos[0],
        annotator=people["alice"],
        state="leased",
        lane="random",
        reason="",
        expires_at=timezone.now(),
    )
    taken_back = vote(photos[0], people["alice"], 1)
    Annotation.objects.create(
        client_id=uuid4(),
        campaign=campaign,
        image=photos[0],
        annotator=people["alice"],
        skip_reason="x",
        supersedes=taken_back,
    )
    shown = reveal(client_of("alice"), photos[0]).json()
    assert shown["prediction"]["quality_mean"] == 5.5
    assert shown["unusual"] is None


@pytest.mark.parametrize(("name", "score", "unusual"), [("alice", 1, 1), ("alice", 8, None), ("ada", 7, None)])
def test_after_an_unusual_answer_the_reveal_says_so_without_a_number(
    photos: list[Image], lines: Any, client_of: Callable[[str], Client], name: str, score: int, unusual: int | None
) -> None:
    Campaign.objects.update(mode="reveal")
    client = client_of(name)
    assert reveal(client, photos[0]).status_code == 403
    receipt = answer(client, photos[0], score)
    assert "unusual" not in receipt
    shown = reveal(client, photos[0])
    assert shown.json()["unusual"] == unusual
    assert DIGITS.findall(shown.content.decode()) == []


def test_the_same_answer_is_usual_for_one_person_and_unusual_for_another(
    photos: list[Image], lines: Any, client_of: Callable[[str], Client]
) -> None:
    """By the crowd alone, 9 is 3.5 points away from what is expected, and alice always gives about three more."""
    Campaign.objects.update(mode="reveal")
    found = {}
    for name in ("alice", "ada", "bob"):  # bob has no line
        answer(client_of(name), photos[0], 9)
        found[name] = reveal(client_of(name), photos[0]).json()["unusual"]
    assert found == {"alice": None, "ada": None, "bob": None}  # the votes of others agree with it
    answer(client_of("ada"), photos[1], 9)
    assert reveal(client_of("ada"), photos[1]).json()["unusual"] == 9


def test_a_blind_campaign_has_no_hint(photos: list[Image], lines: Any, client_of: Callable[[str], Client]) -> None:
    Campaign.objects.update(mode="blind")
    answer(client_of("alice"), photos[0], 1)
    assert reveal(client_of("alice"), photos[0]).status_code == 403


def test_a_correction_after_the_hint_does_not_count_as_blind(
    photos: list[Image], people: dict[str, User], lines: Any, client_of: Callable[[str], Client]
) -> None:
    Campaign.objects.update(mode="reveal")
    client = client_of("alice")
    answer(client, photos[0], 1)
    reveal(client, photos[0])
    Annotation.objects.update(created_at=timezone.now() - timezone.timedelta(seconds=20))
    answer(client, photos[0], 9)
    assert list(Annotation.objects.order_by("pk").values_list("score", "is_blind")) == [(1, True), (9, False)]


@pytest.mark.parametrize(("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403)])
def test_only_reviewers_open_the_page(
    photos: list[Image], lines: Any, client_of: Callable[[str], Client], name: str, status: int
) -> None:
    assert client_of(name).get(reverse("photo", args=["watches", photos[0].pk])).status_code == status


def test_a_reviewer_sees_the_own_expectation_after_the_own_answer_and_never_that_of_others(
    photos: list[Image], people: dict[str, User], lines: Any, client_of: Callable[[str], Client]
) -> None:
    client = client_of("rita")
    vote(photos[0], people["alice"], 8)
    assert "What I would say" not in page(client, photos[0])
    vote(photos[1], people["rita"], 8)
    html = page(client, photos[1])
    assert "What I would say" in html
    assert "8.6" in html
    assert "7.3–9.9" in html
    assert "1,234 of your answers" in html
    # Somebody else has answered the same photo, and sees their own expectation only.
    assert "8.6" not in page(client_of("ada"), photos[1])
    vote(photos[1], people["ada"], 6)
    html = page(client_of("ada"), photos[1])
    assert "What I would say" in html
    assert "8.6" not in html


@pytest.mark.parametrize("how", ["skip", "no line", "no features"])
def test_without_an_own_score_or_without_a_line_the_page_says_nothing(
    photos: list[Image], people: dict[str, User], lines: Any, client_of: Callable[[str], Client], how: str
) -> None:
    if how == "skip":
        Annotation.objects.create(
            client_id=uuid4(),
            campaign=photos[0].campaign,
            image=photos[0],
            annotator=people["rita"],
            skip_reason="I cannot judge this photo",
        )
    else:
        vote(photos[0], people["rita"], 8)
        changes: dict[str, Any] = {"weights": np.ones(8, "<f4").tobytes()}
        if how == "no line":
            PersonalLine.objects.all().delete()
        else:
            PersonalLine.objects.update(**changes)
    assert "What I would say" not in page(client_of("rita"), photos[0])


def test_it_is_hidden_while_the_predictions_of_a_disputed_photo_are(
    campaign: Campaign,
    photos: list[Image],
    people: dict[str, User],
    lines: Any,
    make_user: Callable[..., User],
    client_of: Callable[[str], Client],
) -> None:
    more = images_make(campaign, 6, prefix="more")
    predictions_make(campaign.model_versions.get(), more, [5.5] * 6)
    scores = np.tile([5, 5, 6, 6], (10, 1))
    scores[0] = [1, 4, 8, 10]
    votes([*photos, *more], [make_user(f"person-{number}") for number in range(4)], scores, "no")
    vote(photos[0], people["rita"], 5, saw_prediction=True)  # an exposed answer does not reveal the prediction
    counters_rebuild(campaign=campaign)
    consensus_refresh(campaign=campaign)
    html = page(client_of("rita"), photos[0])
    assert "hidden until you have answered" in html
    assert "What I would say" not in html
    vote(photos[1], people["rita"], 5)
    assert "What I would say" in page(client_of("rita"), photos[1])


def test_it_costs_two_queries(
    photos: list[Image], people: dict[str, User], lines: Any, client_of: Callable[[str], Client]
) -> None:
    vote(photos[0], people["rita"], 8)
    client = client_of("rita")

    def count_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(client, photos[0])
        return len(captured)

    with_line = count_queries()
    PersonalLine.objects.all().delete()
    assert with_line - count_queries() <= 1  # a line with taste also reads the features
    Annotation.objects.filter(annotator=people["rita"]).delete()
    assert with_line - count_queries() <= 2


def test_the_download_of_personal_data_has_the_line(
    people: dict[str, User], lines: dict[str, PersonalLine], client_of: Callable[[str], Client]
) -> None:
    weights = np.arange(3, dtype="<f4")
    PersonalLine.objects.filter(annotator=people["alice"]).update(weights=weights.tobytes())
    sent = client_of("alice").get(reverse("own-data"))
    archive = zipfile.ZipFile(BytesIO(b"".join(sent.streaming_content)))
    rows = json.loads(archive.read("person.json"))["tables"]["inference.personalline"]
    assert [row["annotator_id"] for row in rows] == [people["alice"].pk]
    assert rows[0]["bias"] == BIAS
    assert np.frombuffer(b64decode(rows[0]["weights"]), "<f4").tolist() == [0, 1, 2]


def test_roles_are_what_this_file_takes_them_for(people: dict[str, User], campaign: Campaign) -> None:
    roles = dict(campaign.memberships.values_list("user__username", "role"))
    assert (roles["alice"], roles["rita"], roles["ada"]) == (Role.ANNOTATOR, Role.REVIEWER, Role.ADMIN)
