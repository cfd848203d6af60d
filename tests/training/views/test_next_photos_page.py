"""The page Next photos: who may see it, what it says in each state, what stays hidden, and its number of queries."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.measures.figures_text import figures_text
from annotation.measures.intervals import Interval
from annotation.models import Assignment, AuditRecord, Campaign, Image, PhotoMap
from annotation.services.consensus import consensus_refresh
from annotation.services.figures_rows import row_make
from annotation.services.queue import counters_rebuild
from annotation.services.vote_requests import votes_request
from inference.networks.config import EFFICIENTNET_LITE0
from inference.services.queue_priorities import priorities_refresh
from tests.opinions_and_predictions import images_make, predictions_make, version_make, votes
from tests.training.evaluation.test_curve_gain import report
from training.models import LearningCurve, StoredChoice
from training.services.stored_choices import CHOICE
from training.tasks import stored_choice_make

PAGE, CSV = "/campaigns/watches/next/", "/campaigns/watches/next/photos.csv"
State = StoredChoice.State
LITTLE = report(Interval(0.002, -0.004, 0.008, 187), Interval(0.004, -0.002, 0.009, 187))


def lanes_share(campaign: Campaign) -> None:
    campaign.lane_shares = {"random": 0.25, "fewest_votes": 0.75}
    campaign.save()
    priorities_refresh(campaign=campaign)


def page_of(client_of: Callable[[str], Any], name: str = "rita") -> str:
    content: str = client_of(name).get(PAGE).content.decode()
    return content


@pytest.mark.parametrize("path", [PAGE, CSV])
@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 200), ("ada", 200)]
)
def test_permissions(client_of: Callable[[str], Any], path: str, name: str, status: int) -> None:
    response = client_of(name).get(path)
    assert response.status_code == status
    if name == "anonymous":
        assert "/login/" in response["Location"]


def test_an_empty_campaign(campaign: Campaign, client_of: Callable[[str], Any]) -> None:
    page = page_of(client_of)
    assert "Nothing is left to ask" in page
    assert "No photo is open" in page
    assert "No answers yet" in page
    assert "Waiting for a worker to measure the choice" in page
    assert 'hx-select="#next-photos"' in page


def test_random_only_without_a_champion_says_so_and_leads_to_the_settings(
    campaign: Campaign, client_of: Callable[[str], Any]
) -> None:
    campaign.lane_shares = {"random": 1.0}
    campaign.save()
    images_make(campaign, 30)
    page = page_of(client_of, "ada")
    assert "The queue draws all photos at random; nothing chooses yet" in page
    assert "/campaigns/watches/settings/#id_lane_random" in page
    assert "There is no champion yet" in page
    reviewer = page_of(client_of)
    assert "/settings/" not in reviewer
    assert "An admin can give them a share" in reviewer


def test_each_of_the_next_photos_says_why(campaign: Campaign, client_of: Callable[[str], Any]) -> None:
    images = images_make(campaign, 30)
    predictions_make(version_make(campaign), images, [6.0] * 30, watch=[0.42] * 30)
    lanes_share(campaign)
    page = page_of(client_of)
    assert "Of the next 20 photos, about 15 are chosen and 5 drawn at random" in page
    assert page.count("Asked because:") == 20
    assert page.count("nobody has rated it yet") == 15
    assert page.count("watch, by the champion: 42 %") == 20
    rows = b"".join(client_of("rita").get(CSV).streaming_content)
    head, first, *others = rows.decode().splitlines()
    assert head == "place,image,file,lane,reason,chance,votes,votes_needed,watch_probability,predicted_mean"
    assert "fewest_votes,nobody has rated it yet" in first
    assert len(others) == 19
    assert AuditRecord.objects.filter(what__contains="next-photos.csv").exists()


def test_a_lane_without_photos_is_named(campaign: Campaign, client_of: Callable[[str], Any]) -> None:
    images_make(campaign, 30)
    campaign.lane_shares = {"random": 0.25, "fewest_votes": 0.75}
    campaign.save()
    assert "These lanes have no photos now, so random ones come in their place: Fewest votes first." in page_of(
        client_of
    )


def test_predictions_of_disputed_photos_are_hidden_until_the_reviewer_answers(
    campaign: Campaign, people: dict[str, Any], client_of: Callable[[str], Any], make_user: Callable[..., Any]
) -> None:
    images = images_make(campaign, 10)
    scores = np.tile([5, 5, 6, 6], (10, 1))
    scores[3] = [1, 4, 8, 10]
    votes(images, [make_user(f"person-{number}") for number in range(4)], scores, "no")
    counters_rebuild(campaign=campaign)
    consensus_refresh(campaign=campaign)
    predictions_make(version_make(campaign), images, [6.0] * 10, watch=[0.42] * 10)
    disputed = Image.objects.get(pk=images[3].pk)
    votes_request(campaign=campaign, image_ids=[disputed.pk], by=people["rita"], reason="they scatter")
    page = page_of(client_of)
    assert page.count("prediction hidden") == 1
    assert "watch, by the champion: 42 %" not in page
    rows = b"".join(client_of("rita").get(CSV).streaming_content).decode().splitlines()
    assert rows[1].endswith(",,")
    votes([disputed], [people["rita"]], 5, "no")
    assert "watch, by the champion: 42 %" in page_of(client_of)


def test_the_lanes_of_the_last_answers(
    campaign: Campaign, people: dict[str, Any], client_of: Callable[[str], Any]
) -> None:
    images = images_make(campaign, 40)
    campaign.gold_share = campaign.repeat_share = 0.0
    lanes_share(campaign)
    Assignment.objects.bulk_create(
        Assignment(
            campaign=campaign,
            image=image,
            annotator=people["alice"],
            lane="random",
            state="done",
            expires_at=timezone.now(),
        )
        for image in images
    )
    page = page_of(client_of)
    assert "Fewest votes first 0 % instead of 75 %" in page
    assert page.count('class="drawing row-of-table"') == 2


@pytest.fixture
def measured(campaign: Campaign, people: dict[str, Any], make_rated_images: Callable[..., list[Image]]) -> StoredChoice:
    """120 photos with three votes each: the first 100 at random, then two of three chosen."""
    images = make_rated_images(train=120, votes=3, features=EFFICIENTNET_LITE0.feature_size)
    rng = np.random.default_rng(0)
    answers = list(campaign.annotations.order_by("pk").values_list("image", "annotator"))
    Assignment.objects.bulk_create(
        Assignment(
            campaign=campaign,
            image_id=image,
            annotator_id=annotator,
            lane="random" if place < 30 or rng.random() < 0.5 else "fewest_votes",
            state="done",
            expires_at=timezone.now(),
        )
        for place, (image, annotator) in enumerate(answers)
    )
    PhotoMap.objects.create(
        campaign=campaign,
        fingerprint="f" * 64,
        photos=120,
        image_ids=np.array([image.pk for image in images], "<i8").tobytes(),
        places=np.zeros((120, 2), "<u2").tobytes(),
        clusters=(np.arange(120) >= 80).astype("u1").tobytes(),
        made_at=timezone.now(),
    )
    counters_rebuild(campaign=campaign)
    lanes_share(campaign)
    row = CHOICE.row(campaign=campaign)
    row_make(row, CHOICE)
    return row


def test_what_a_worker_has_measured(
    measured: StoredChoice, campaign: Campaign, client_of: Callable[[str], Any]
) -> None:
    page = page_of(client_of)
    assert "whether the choice pays for scores" in page or "The choice pays for scores" in page
    assert page.count("data-drawing") == 3  # lanes, scores and watches
    assert "100 % of the photos are near a rated one, and 2 of 2 groups of like photos have enough rated photos" in page
    assert "120 of 120 photos in the queue have a vote." in page
    assert "You can stop: every photo has the votes that it needs" in page
    assert "Whether more votes help the model is not measured yet." in page
    assert "from 360 votes on train photos" in page
    assert "hx-select" not in page


def test_the_learning_curve_of_the_campaign_takes_part(
    measured: StoredChoice, campaign: Campaign, client_of: Callable[[str], Any]
) -> None:
    LearningCurve.objects.create(
        campaign=campaign, state="done", result=figures_text(LITTLE), finished_at=timezone.now()
    )
    Image.objects.update(votes_needed=4, open_slots=1)
    row_make(measured, CHOICE)
    page = page_of(client_of)
    assert "You can stop: more votes hardly help the model" in page
    assert "more votes hardly help the model." in page
    assert "120 photos still miss 120 votes" in page


def test_before_a_choice_there_is_nothing_to_compare(
    measured: StoredChoice, campaign: Campaign, client_of: Callable[[str], Any]
) -> None:
    Assignment.objects.update(lane="random")
    row_make(measured, CHOICE)
    page = page_of(client_of)
    assert "Cannot tell yet whether the choice pays" in page
    assert page.count("All photos so far were drawn at random") == 1


def test_a_failure_is_said(measured: StoredChoice, client_of: Callable[[str], Any]) -> None:
    StoredChoice.objects.update(
        state=State.FAILED, inputs="old", message="ValueError. See the log.", heartbeat_at=timezone.now()
    )
    page = page_of(client_of)
    assert "The choice could not be measured: ValueError. See the log." in page
    assert "120 of 120 photos" in page  # the figures from before stay


def test_a_worker_makes_what_a_page_asked_for_once(
    campaign: Campaign, client_of: Callable[[str], Any], settings: Any
) -> None:
    images_make(campaign, 5)
    page_of(client_of)
    row = StoredChoice.objects.get(campaign=campaign)
    assert (row.state, row.figures) == (State.QUEUED, "")
    assert stored_choice_make(row.pk)
    assert not stored_choice_make(row.pk)
    row.refresh_from_db()
    assert row.state == State.IDLE
    assert "Coverage cannot be measured yet" in page_of(client_of)


def test_new_votes_make_the_figures_old(measured: StoredChoice, campaign: Campaign, people: dict[str, Any]) -> None:
    assert CHOICE.request(campaign=campaign).is_newest
    StoredChoice.objects.update(made_at=timezone.now() - timedelta(hours=1))
    votes([Image.objects.earliest("pk")], [people["rita"]], 5, "no")
    assert CHOICE.request(campaign=campaign).row.state == State.QUEUED


def test_the_number_of_queries_does_not_grow(
    measured: StoredChoice, campaign: Campaign, client_of: Callable[[str], Any]
) -> None:
    predictions_make(version_make(campaign), list(campaign.images.all()), [6.0] * 120)
    client = client_of("rita")
    client.get(PAGE)
    counts = []
    for is_open in (3, 100):
        Image.objects.update(open_slots=0)
        Image.objects.filter(pk__in=Image.objects.order_by("pk")[:is_open].values("pk")).update(open_slots=1)
        with CaptureQueriesContext(connection) as captured:
            client.get(PAGE)
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert counts[1] <= 24
