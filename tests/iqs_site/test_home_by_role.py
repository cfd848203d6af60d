"""The home page shows each role what matters to it, with the numbers of the other pages and few queries."""

import html
import re
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Campaign, Image, ImportBatch, Membership, PhotoComment
from annotation.selectors.adjudications import disputed_counts, photos_disputed
from annotation.selectors.comments import open_comments_count, open_comments_counts
from annotation.selectors.daily_answers import daily_answers
from annotation.services.annotations import annotation_record
from annotation.services.comments import comment_done_set, comment_record
from annotation.services.consensus import consensus_refresh
from annotation.services.queue import counters_rebuild
from inference.models import Feature
from iqs_site import overview
from tests.opinions_and_predictions import images_make, version_make, vote, votes
from training.models import Evaluation, TrainingRun

STATUS = "/campaigns/watches/status"


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


@pytest.fixture(autouse=True)
def workers(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Replace the broker, which tests do not run. Tests may change `alive` and `broker`."""
    worker = SimpleNamespace(name="worker@host", queues=("default", "inference", "single", "training"))
    state = SimpleNamespace(broker=True, alive=[worker])
    monkeypatch.setattr(overview, "broker_alive", lambda: state.broker)
    monkeypatch.setattr(overview, "workers_alive", lambda: state.alive)
    return state


@pytest.fixture
def disputed(campaign: Campaign, make_user: Callable[..., Any]) -> list[Image]:
    """Ten photos with four votes each; the votes on one scatter."""
    images = images_make(campaign, 10)
    scores = np.tile([5, 5, 6, 6], (10, 1))
    scores[3] = [1, 4, 8, 10]
    votes(images, [make_user(f"person-{number}") for number in range(4)], scores, np.repeat(["yes", "no"], [4, 6]))
    counters_rebuild(campaign=campaign)
    consensus_refresh(campaign=campaign)
    return images


def answer(campaign: Campaign, image: Image, user: Any) -> None:
    annotation_record(
        campaign=campaign, annotator=user, image_id=image.pk, client_id=uuid.uuid4(), watch="no", score=5, viewing={}
    )


# --- annotators ---------------------------------------------------------------------------------------


def test_an_annotator_sees_what_is_left_and_goes_straight_on(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    images = images_make(campaign, 4)
    client = client_of("alice")
    text = text_of(client.get("/"))
    assert "Start in Watches 4 photos left for you" in text
    answer(campaign, images[0], people["alice"])
    page = client.get("/")
    assert "Continue in Watches 3 photos left for you · 1 rated by you" in text_of(page)
    assert 'class="button primary big" href="/campaigns/watches/annotate/"' in page.text
    assert "To do" not in text_of(page)
    assert "The site is well" not in text_of(page)


def test_home_and_overview_say_the_same_number(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    images = images_make(campaign, 5)
    answer(campaign, images[0], people["alice"])
    Image.objects.filter(pk=images[1].pk).update(vote_count=9)
    Image.objects.filter(pk=images[2].pk).update(problem="It does not open.")
    client = client_of("alice")
    assert "2 photos left for you" in text_of(client.get("/"))
    assert "2 photos left for you" in text_of(client.get("/campaigns/watches/"))


def test_an_annotator_sees_no_photo_before_answering_it(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    images = images_make(campaign, 4)
    for path in ("/", "/campaigns/watches/"):
        assert "/thumbnail" not in client_of("alice").get(path).text
    answer(campaign, images[2], people["alice"])
    for path in ("/", "/campaigns/watches/"):
        assert set(re.findall(r"/photos/(\d+)/thumbnail", client_of("alice").get(path).text)) == {str(images[2].pk)}


def test_with_nothing_left_the_page_says_so(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    images_make(campaign, 1)
    campaign.images.update(vote_count=9)
    text = text_of(client_of("alice").get("/"))
    assert "Nothing is left for you now" in text


def test_the_overview_of_an_annotator_has_instructions_and_last_answers(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    Campaign.objects.update(instructions="Look at the dial first.")
    images = images_make(campaign, 3)
    answer(campaign, images[1], people["alice"])
    page = client_of("alice").get("/campaigns/watches/")
    assert "Look at the dial first." in page.text
    assert f'href="/campaigns/watches/mine/{images[1].pk}/"' in page.text
    assert "Look at the dial first." not in client_of("rita").get("/campaigns/watches/").text


# --- reviewers ----------------------------------------------------------------------------------------


def test_reviewers_see_due_work_and_annotators_do_not(client_of: Callable[[str], Any], disputed: list[Image]) -> None:
    page = client_of("rita").get("/")
    assert "Decide 1 disputed photo Watches" in text_of(page)
    assert 'href="/campaigns/watches/disputed/"' in page.text
    assert "disputed" not in client_of("alice").get("/").text


def test_the_count_of_disputed_photos_is_that_of_their_page(campaign: Campaign, disputed: list[Image]) -> None:
    assert disputed_counts([campaign]) == {campaign.pk: photos_disputed(campaign, limit=10)[0]} == {campaign.pk: 1}
    Image.objects.filter(pk=disputed[3].pk).update(problem="damaged")
    assert disputed_counts([campaign]) == {}
    assert disputed_counts([]) == {}


def test_without_due_work_it_says_so(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    images_make(campaign, 1)
    assert "Nothing is due" in text_of(client_of("rita").get("/"))


def test_findings_and_failed_runs_are_due(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    images_make(campaign, 1)
    Evaluation.objects.create(
        model_version=version_make(campaign, 3),
        image_count=60,
        vote_count=180,
        fingerprint="f",
        metrics={"quality_srcc": {"value": 0.7, "low": 0.6, "high": 0.8, "n": 60}},
        findings=[{"kind": "leak", "decision": "refuse", "text": "It has learned from 3 holdout photos."}],
    )
    run = TrainingRun.objects.create(campaign=campaign, trigger="button", state="failed")
    page = client_of("rita").get("/")
    text = text_of(page)
    assert "It has learned from 3 holdout photos." in text
    assert "The last training run failed" in text
    assert f"/campaigns/watches/runs/{run.pk}/" in page.text
    fault = "No verdict on version 3, because its evaluation found a fault (SRCC 0.700 (0.600–0.800), n = 60)."
    assert fault in text
    text = text_of(client_of("rita").get(STATUS))
    assert text.index("No verdict on version 3") < text.index("left for you")


def test_the_answers_of_today_are_counted(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    images = images_make(campaign, 3)
    for image, name in zip(images, ("alice", "bob", "bob"), strict=True):
        vote(image, people[name], 5)
    (day,) = daily_answers([campaign.pk])[campaign.pk][-1:]
    assert (day.answers, day.annotators) == (3, 2)
    assert "3 today by 2" in text_of(client_of("rita").get("/"))
    assert "Answers a day" in text_of(client_of("rita").get(STATUS))


def test_only_the_newest_answers_are_read(
    campaign: Campaign, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from annotation.selectors import daily_answers as module

    monkeypatch.setattr(module, "MOST_ANSWERS", 2)
    for image in images_make(campaign, 4):
        vote(image, people["alice"], 5)
    (only,) = daily_answers([campaign.pk])[campaign.pk]
    assert only.answers == 2


# --- admins -------------------------------------------------------------------------------------------


def test_admins_see_whether_the_site_is_well(
    client_of: Callable[[str], Any], campaign: Campaign, workers: SimpleNamespace
) -> None:
    (image,) = images_make(campaign, 1)
    assert "The site is well: 1 worker running, no photo waiting." in text_of(client_of("ada").get("/"))
    assert "The site is well" not in text_of(client_of("rita").get("/"))
    Feature.objects.create(image=image, backbone="tiny", turn_campaign=campaign.pk)
    assert "1 photo waiting for a model" in text_of(client_of("ada").get("/"))
    workers.alive.clear()
    text = text_of(client_of("ada").get("/"))
    assert "No worker is running." in text
    assert "The site is well" not in text


def test_admins_see_imports_that_run_or_failed(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    images_make(campaign, 1)
    ImportBatch.objects.create(campaign=campaign, source="a.zip", state="failed", message="The zip ends too early.")
    assert "The last import of Watches failed. The zip ends too early." in text_of(client_of("ada").get("/"))
    ImportBatch.objects.create(campaign=campaign, source="b.zip", state="running")
    text = text_of(client_of("ada").get("/"))
    assert "an import into Watches is running" in text
    assert "failed" not in text


def test_admins_see_how_many_comments_wait(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    images = images_make(campaign, 3)
    for image in images:
        comment_record(
            campaign=campaign, author=people["alice"], image_id=image.pk, client_id=uuid.uuid4(), text="Two watches"
        )
    page = client_of("ada").get("/")
    assert "Read 3 comments of annotators Watches" in text_of(page)
    assert 'href="/campaigns/watches/comments/"' in page.text
    for name in ("rita", "alice"):
        assert "comments of annotators" not in text_of(client_of(name).get("/"))
    assert open_comments_counts([campaign]) == [(campaign, open_comments_count(campaign))]
    comment_done_set(comment=PhotoComment.objects.first(), by=people["ada"], is_done=True)
    Image.objects.filter(pk=PhotoComment.objects.last().image_id).update(withdrawn_at=timezone.now())
    assert "Read 1 comment of annotators Watches" in text_of(client_of("ada").get("/"))
    assert open_comments_counts([campaign]) == [(campaign, open_comments_count(campaign))]


@pytest.mark.parametrize(("name", "most"), [("rita", 18), ("ada", 24)])
def test_many_campaigns_need_no_more_queries_than_one(
    client_of: Callable[[str], Any], disputed: list[Image], people: dict[str, Any], name: str, most: int
) -> None:
    client, role = client_of(name), Membership.objects.get(user=people[name]).role
    version_make(Campaign.objects.get())

    def query_count() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/")
        return len(captured)

    before = query_count()
    for number in range(5):
        other = Campaign.objects.create(slug=f"c{number}", name=f"C{number}")
        Membership.objects.create(campaign=other, user=people[name], role=role)
        images_make(other, 3)
        version_make(other)
    assert query_count() <= before <= most


# --- errors -------------------------------------------------------------------------------------------


def test_a_refused_page_leads_back_to_the_campaign_and_says_whom_to_ask(client_of: Callable[[str], Any]) -> None:
    response = client_of("alice").get("/campaigns/watches/members/")
    assert response.status_code == 403
    assert "Ask ada, who is an admin of Watches, to change your role." in text_of(response)
    assert 'href="/campaigns/watches/">Back to Watches' in response.text


def test_a_missing_page_of_a_campaign_leads_back_for_members_only(client_of: Callable[[str], Any]) -> None:
    response = client_of("alice").get("/campaigns/watches/nowhere/")
    assert response.status_code == 404
    assert "Back to Watches" in text_of(response)
    response = client_of("mallory").get("/campaigns/watches/nowhere/")
    assert response.status_code == 404
    assert "Watches" not in text_of(response)
    assert "Your user name is mallory" in text_of(response)


def test_the_login_page_says_what_this_is_and_helps_with_the_password(client_of: Callable[[str], Any]) -> None:
    text = text_of(client_of("anonymous").get("/accounts/login/"))
    assert "People and models rate photographs together." in text
    assert "Forgotten your password?" in text


def test_the_administration_has_the_mark_and_the_way_back(client_of: Callable[[str], Any], people: Any) -> None:
    people["ada"].is_superuser = people["ada"].is_staff = True
    people["ada"].save()
    page = client_of("ada").get("/admin/").text
    assert 'class="mark"' in page
    assert "Django administration" not in page
    assert "Imports" in page
    assert "batchs" not in page
