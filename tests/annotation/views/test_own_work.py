"""The page "Your work": own answers only, others' answers only when allowed, and edits as new revisions."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation.models import Annotation, Campaign, Image, Role, ScreeningDecision
from annotation.selectors.own_history import own_history
from annotation.selectors.own_work import DAYS, others_shown, own_comparison, own_days, own_repeats
from annotation.views import own_work as own_work_page
from tests.opinions_and_predictions import images_make, vote, votes

PAGE = "/campaigns/watches/mine/"


@pytest.fixture
def images(campaign: Campaign, people: dict[str, Any]) -> list[Image]:
    """Return seven photos. Alice rated six of them 2 … 7, and bob and rita one point lower. Only bob rated the last."""
    images = images_make(campaign, 7)
    for score, image in enumerate(images[:6], start=2):
        votes([image], [people["alice"], people["bob"], people["rita"]], [[score, score - 1, score - 1]], [["yes"] * 3])
    vote(images[6], people["bob"], 9)
    return images


def page_of(client: Any, query: str = "") -> str:
    response = client.get(f"{PAGE}{query}")
    assert response.status_code == 200
    html: str = response.content.decode()
    return html


@pytest.mark.parametrize(
    ("name", "status", "own"),
    [("anonymous", 302, 0), ("mallory", 404, 0), ("alice", 200, 6), ("bob", 200, 7), ("rita", 200, 6), ("ada", 200, 0)],
)
def test_members_see_only_their_own_answers(
    client_of: Any, people: dict[str, Any], images: list[Image], name: str, status: int, own: int
) -> None:
    response = client_of(name).get(PAGE)
    assert response.status_code == status
    if status == 200:
        assert {answer.annotator for answer in response.context["history"]} <= {people[name]}
        assert len(response.context["history"]) == own


@pytest.mark.parametrize(
    ("name", "status"),
    [("anonymous", 302), ("mallory", 404), ("alice", 404), ("bob", 200), ("rita", 404), ("ada", 404)],
)
def test_only_the_annotator_of_an_answer_can_edit_it(
    client_of: Any, people: dict[str, Any], images: list[Image], name: str, status: int
) -> None:
    page = f"{PAGE}{images[6].pk}/"
    assert client_of(name).get(page).status_code == status
    posted = client_of(name).post(page, {"client_id": str(uuid4()), "watch": "no", "score": "1"})
    assert posted.status_code == (302 if status == 200 else status)
    assert Annotation.objects.filter(image=images[6]).count() == (2 if name == "bob" else 1)


def test_an_edited_answer_is_one_new_revision(
    campaign: Campaign, client_of: Any, people: dict[str, Any], images: list[Image]
) -> None:
    page, client = f"{PAGE}{images[0].pk}/", client_of("alice")
    found = re.search(r'name="client_id" value="([^"]+)"', client.get(page).content.decode())
    assert found is not None
    for _ in range(2):  # a double click
        response = client.post(page, {"client_id": found[1], "watch": "unsure", "score": "9"})
        assert response.headers["Location"] == f"{PAGE}#history"
    first, second = Annotation.objects.filter(image=images[0], annotator=people["alice"]).order_by("pk")
    assert (second.supersedes, second.watch, second.score) == (first, "unsure", 9)
    assert second.saw_prediction  # the campaign shows predictions after the answer
    assert second.viewing == {"page": "own-work"}
    assert [row.score for row in own_history(campaign, people["alice"], count=1)[0]] == [9]
    assert "edited" in page_of(client)


def test_an_edited_answer_in_a_blind_campaign_is_independent(
    campaign: Campaign, client_of: Any, people: dict[str, Any], images: list[Image]
) -> None:
    Campaign.objects.update(mode="blind")
    client_of("alice").post(f"{PAGE}{images[0].pk}/", {"client_id": str(uuid4()), "watch": "no", "score": "3"})
    assert not Annotation.objects.get(image=images[0], annotator=people["alice"], score=3).saw_prediction


def test_the_page_shows_why_an_answer_cannot_be_edited(client_of: Any, images: list[Image]) -> None:
    page, client = f"{PAGE}{images[0].pk}/", client_of("alice")
    answer = {"client_id": str(uuid4()), "watch": "no", "score": "3"}
    wrong = client.post(page, answer | {"score": "11"})
    assert (wrong.status_code, "from 1 to 10" in wrong.content.decode()) == (422, True)
    Image.objects.filter(pk=images[0].pk).update(role="practice")
    assert "now a practice or example photo" in client.get(page).content.decode()
    Campaign.objects.update(state="closed")
    refused = client.post(page, answer)
    assert (refused.status_code, "The campaign is closed" in refused.content.decode()) == (422, True)
    assert Annotation.objects.filter(image=images[0]).count() == 3


def test_a_skipped_photo_can_be_rated_later(client_of: Any, people: dict[str, Any], images: list[Image]) -> None:
    Annotation.objects.create(
        client_id=uuid4(), campaign=images[6].campaign, image=images[6], annotator=people["alice"], skip_reason="Dark."
    )
    html = page_of(client_of("alice"))
    assert "Skipped: Dark." in html
    assert "others 9.0" not in html  # without alice's own answer, the others' answers are hidden
    client_of("alice").post(f"{PAGE}{images[6].pk}/", {"client_id": str(uuid4()), "watch": "no", "score": "8"})
    assert "others 9.0 (n = 1)" in page_of(client_of("alice"))


@pytest.mark.parametrize(
    ("mode", "state", "shown"),
    [
        ("reveal", "active", True),
        ("prelabel", "active", True),
        ("blind", "active", False),
        ("blind", "paused", False),
        ("blind", "closed", True),
    ],
)
def test_blind_campaigns_show_others_answers_only_when_closed(
    campaign: Campaign, client_of: Any, people: dict[str, Any], images: list[Image], mode: str, state: str, shown: bool
) -> None:
    Campaign.objects.update(mode=mode, state=state)
    campaign.refresh_from_db()
    assert others_shown(campaign) is shown
    response = client_of("alice").get(PAGE)
    assert (response.context["comparison"] is not None) is shown
    html = response.content.decode()
    assert ("(n = 2)" in html) is shown
    assert ("points higher" in html) is shown
    assert ("This campaign is blind" in html) is not shown
    rows: list[Any] = own_history(campaign, people["alice"], count=9)[0]
    assert {row.others_mean is not None for row in rows} == {shown}


def test_comparison_with_the_other_annotators(campaign: Campaign, people: dict[str, Any], images: list[Image]) -> None:
    people["rita"].is_simulated = True
    people["rita"].save()
    vote(images[6], people["alice"], 1, watch="yes")  # bob gave 9 and no watch
    comparison = own_comparison(campaign, people["alice"])
    assert comparison.agreement is not None
    assert comparison.agreement.shift.value == pytest.approx((6 * 1 - 8) / 7)
    assert comparison.watch is not None
    assert (comparison.photos, comparison.watch.value, comparison.watch.n) == (7, 6 / 7, 7)
    assert (comparison.simulated, comparison.others_votes) == (6, 13)
    assert comparison.own_histogram.tolist() == [1, 1, 1, 1, 1, 1, 1, 0, 0, 0]
    assert comparison.others_histogram.tolist() == [2, 2, 2, 2, 2, 2, 0, 0, 1, 0]
    assert own_comparison(campaign, people["ada"]).agreement is None


def test_people_whom_a_reviewer_has_excluded_are_not_among_the_others(
    campaign: Campaign, people: dict[str, Any], images: list[Image]
) -> None:
    Campaign.objects.update(mode="reveal")
    campaign.refresh_from_db()
    vote(images[6], people["alice"], 1)
    ScreeningDecision.objects.create(
        campaign=campaign, annotator=people["bob"], decision="exclude", reason="x", decided_by=people["ada"]
    )
    comparison = own_comparison(campaign, people["alice"])
    assert (comparison.photos, comparison.others_votes) == (6, 6)
    rows: list[Any] = own_history(campaign, people["alice"], count=9)[0]
    assert [row.others_votes for row in rows] == [None, 1, 1, 1, 1, 1, 1]


def test_hidden_repeats_are_summarized_but_not_listed(
    campaign: Campaign, client_of: Any, people: dict[str, Any], images: list[Image]
) -> None:
    for image, score in zip(images[:5], (2, 3, 5, 7, 6), strict=True):  # the first scores are 2 3 4 5 6
        vote(image, people["alice"], score, "yes", is_repeat=True)
    vote(images[5], people["bob"], 1, "yes", is_repeat=True)
    repeats = own_repeats(campaign, people["alice"])
    assert repeats is not None
    assert (repeats.n, repeats.exact.value, repeats.rmse.value) == (5, 0.6, 1.0)
    assert own_repeats(campaign, people["rita"]) is None
    response = client_of("alice").get(PAGE)
    assert len(response.context["history"]) == 6
    assert response.context["progress"].answers == 6
    html = response.content.decode()
    assert "1.0 points" in html
    assert "60&nbsp;%" in html
    assert own_comparison(campaign, people["alice"]).others_votes == 12


def test_days_run_from_two_weeks_ago_to_today(campaign: Campaign, people: dict[str, Any]) -> None:
    today = timezone.localdate()
    for ago, image in zip((0, 0, 0, 3, DAYS), images_make(campaign, 5), strict=True):
        annotation = vote(image, people["alice"], 5, milliseconds=2000 + 1000 * ago)
        Annotation.objects.filter(pk=annotation.pk).update(created_at=timezone.now() - timedelta(days=ago))
    days = own_days(campaign, people["alice"])
    assert [day.day for day in (days[0], days[-1])] == [today - timedelta(days=DAYS - 1), today]
    assert (days[-1].answers, days[-1].seconds_per_answer) == (3, 2.0)
    assert (days[-4].answers, days[-4].seconds_per_answer) == (1, 5.0)
    assert sum(day.answers for day in days) == 4
    assert own_days(campaign, people["bob"], today=date(2020, 1, 1))[0].answers == 0


def test_each_page_of_the_history_continues_the_previous_page(
    client_of: Any, images: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_work_page, "PAGE_SIZE", 4)
    client, query, seen = client_of("bob"), "", []
    while True:
        response = client.get(f"{PAGE}{query}")
        seen += [answer.image_id for answer in response.context["history"]]
        if response.context["older"] is None:
            break
        query = f"?{response.context['older']}"
    assert seen == [image.pk for image in reversed(images)]
    for invalid in ("?before=x", "?before=-1", f"?before={'9' * 40}"):
        assert len(client.get(f"{PAGE}{invalid}").context["history"]) == 4
    assert "No older answers." in page_of(client, "?before=1")


def test_the_number_of_queries_does_not_depend_on_the_number_of_answers(
    campaign: Campaign, client_of: Any, people: dict[str, Any], images: list[Image]
) -> None:
    client = client_of("alice")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page_of(client)
        return len(captured)

    few = queries()
    votes(images_make(campaign, 20), [people["alice"], people["bob"]], 5, "no")
    assert queries() == few <= 14  # with the count, the comments and the keys


def test_long_scales_have_a_number_field(make_user: Callable[..., Any], client_of: Any, people: dict[str, Any]) -> None:
    long_scale = Campaign.objects.create(slug="long-scale", name="Long scale", scale_min=0, scale_max=100)
    long_scale.memberships.create(user=people["alice"], role=Role.ANNOTATOR)
    (image,) = images_make(long_scale, 1)
    vote(image, people["alice"], 55)
    page = reverse("own-answer", args=["long-scale", image.pk])
    shown = client_of("alice").get(page).content.decode()
    assert '<input type="number" name="score" value="55" min="0" max="100"' in shown
    client_of("alice").post(page, {"client_id": str(uuid4()), "watch": "no", "score": "77"})
    assert own_history(long_scale, people["alice"], count=1)[0][0].score == 77


def test_the_page_is_empty_before_the_first_answer(client_of: Any, campaign: Campaign) -> None:
    assert "No answers yet" in page_of(client_of("alice"))
